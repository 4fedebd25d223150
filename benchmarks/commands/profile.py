"""``python -m benchmarks profile``: say where the time and the memory of one case's pass go."""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.cases.case import AXES, CHOICES, OURS, Case, is_own
from benchmarks.cases.profiles import settled
from benchmarks.commands.options import (
    DEVICE_HELP,
    add_axes,
    add_fields,
    add_own_network,
    add_results,
    check_at_least_one,
    check_timeout,
    chosen_case,
)
from benchmarks.profiling.against import difference
from benchmarks.profiling.collect import Side, collect
from benchmarks.profiling.flame import flame_svg
from benchmarks.profiling.memory_figure import memory_svg
from benchmarks.profiling.profile import FILE, Profile, read_profile, write_profile
from benchmarks.profiling.rows import module_rows, operator_rows, pass_of
from benchmarks.profiling.table import difference_lines, profile_lines
from benchmarks.records.costs import successes
from benchmarks.records.durable import check_folder
from benchmarks.records.store import RecordStore
from benchmarks.running.environment import set_compiling_environment, set_measuring_environment, use_authors
from benchmarks.running.outstanding import check_machine
from benchmarks.running.workplace import WORK_TREE, resolve
from benchmarks.sweep.own_check import check_own
from benchmarks.terminal.result import Result

ROUNDS, SECONDS, TOP = 7, 1.5, 8
AGAINST = "against.json"
AGAINST_WHAT = f"a commit, a {FILE} or its folder, or AXIS=VALUE of {', '.join(AXES)}"
EPILOG = f"""\
examples:
  python -m benchmarks profile --variant separable --direction training_step
  python -m benchmarks profile --layer resnet --variant full --direction training_step
  python -m benchmarks profile --layer examples.own_layer:P4Conv2d --resolution 4
  python -m benchmarks profile --variant separable --against variant=full
  python -m benchmarks profile --against HEAD~1
  python -m benchmarks profile --against results/profile/ID/{FILE}

The folder gets flame.svg, memory.svg, {FILE}, tables.json with all rows, and trace.pt.trace.json, which
Perfetto (ui.perfetto.dev) and TensorBoard open. An axis without an option has the value of the base point.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    parser.description = (
        "Profile the pass of one case: time by operator and by module, a flame graph, memory, and a trace. "
        "With --against, say what the difference from another profile consists of."
    )
    add_axes(
        parser,
        AXES,
        "the base point's",
        device=DEVICE_HELP.replace("all that torch can use, but cpu for compare", "cpu"),
    )
    add_own_network(parser)
    parser.add_argument("--authors", type=Path, metavar="PATH", help="your checkout of the authors' published layers")
    text = (
        "a commit, or another case, AXIS=VALUE[,AXIS=VALUE], either profiled in turns with this one; "
        f"or a stored {FILE} or its folder"
    )
    parser.add_argument("--against", metavar="OTHER", help=text)
    text = "folder of the files (default: RESULTS/profile/CASE-ID)"
    parser.add_argument("--output", type=Path, metavar="DIR", help=text)
    add_fields(
        parser,
        int,
        top=f"operators in the printed table, and half as many modules (default: {TOP})",
        rounds=f"fresh processes in which the case is timed (default: {ROUNDS})",
    )
    add_fields(parser, float, seconds=f"time of each of these processes (default: {SECONDS:g})")
    parser.set_defaults(top=TOP, rounds=ROUNDS, seconds=SECONDS)
    text = "give a process up after this time (default: 600)"
    parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help=text)
    parser.add_argument("--no-check", dest="check", action="store_false", help="do not check your own module first")
    add_results(parser)


def main(args: argparse.Namespace) -> Result:
    """Profile the case and write the files; the result has the tables."""
    check_at_least_one(top=args.top, rounds=args.rounds)
    check_timeout(args.timeout)
    check_timeout(args.seconds, "seconds")
    case = chosen_case(args, "conv")
    use_authors(args.authors)
    folder = args.output or args.results / "profile" / case.id
    sides, stored = [Side(case, folder)], None
    if args.against is not None:
        if Path(args.against).exists():
            stored = read_profile(Path(args.against))
        else:
            sides.append(other_side(case, folder / "against", args.against))
    cases = [side.case for side in sides]
    check_machine(cases)
    if args.check:
        check_own(cases)
    for side in sides:
        check_folder(side.folder)
        side.folder.mkdir(parents=True, exist_ok=True)
    set_measuring_environment()
    with tempfile.TemporaryDirectory(prefix="gcnn-compiled-") as compiled:
        set_compiling_environment(compiled)
        profiles = collect(sides, rounds=args.rounds, seconds=args.seconds, timeout=args.timeout)
    records = successes(RecordStore(args.results).load())
    for profile, side in zip(profiles, sides, strict=True):
        write_files(profile, side.folder)
    mine = profiles[0]
    lines = list(profile_lines(mine, args.top, recorded_peak(records.get(mine.identity))))
    value: dict[str, Any] = {
        "case": mine.label,
        "folder": folder,
        "pass": pass_of(mine),
        **tables_of(mine),
        "against": None,
    }
    if args.against is not None:
        # A stored profile, and a commit, are the earlier side; another case is compared with this one.
        if stored is not None:
            found = difference(stored, mine, in_turns=False)
        elif sides[1].revision == WORK_TREE:
            found = difference(mine, profiles[1], in_turns=True)
        else:
            found = difference(profiles[1], mine, in_turns=True)
        (folder / AGAINST).write_text(json.dumps(found.fields(), ensure_ascii=False) + "\n", encoding="utf-8")
        lines += ["", *difference_lines(found, args.top)]
        value["against"] = found.fields()
    files = f"flame.svg, memory.svg, {FILE}, tables.json, trace.pt.trace.json"
    files += f", {AGAINST}" if args.against is not None else ""
    other = f"; in {sides[1].folder} those of the other side" if sides[1:] else ""
    return Result(value, [*lines, f"see {folder}: {files}{other}"])


def other_side(case: Case, folder: Path, text: str) -> Side:
    """Return what the case is profiled in turns with: a commit, or another case.

    Raises:
        ValueError: when the text is neither, or the commit is not found.
    """
    if "=" in text:
        return Side(other_case(case, text), folder)
    return Side(case, folder, resolve(text, "a profile", AGAINST_WHAT))


def other_case(case: Case, text: str) -> Case:
    """Return a case with other values on some axes, as in "variant=full,resolution=4" or "layer=module:Class"."""
    values: dict[str, Any] = {}
    for pair in text.split(","):
        name, _, value = pair.partition("=")
        axis = name.strip().replace("-", "_")
        if axis not in AXES:
            raise ValueError(f"--against {pair!r} is not allowed; allowed: {AGAINST_WHAT}")
        if axis not in CHOICES and not value.isdigit():
            raise ValueError(f"{axis} {value!r} is not allowed; allowed: integers of at least 1")
        values[axis] = value if axis in CHOICES else int(value)
    if is_own(values.get("layer")):
        values |= {"layer": "conv", "implementation": values["layer"]}
    elif case.own and "variant" in values:
        values = {"implementation": OURS, **values}
    return Case(**settled({**case.fields(), "kernels": "", **values}))


def write_files(profile: Profile, folder: Path) -> None:
    """Write the figures, and the profile with its tables."""
    write_profile(profile, folder)
    (folder / "flame.svg").write_text(flame_svg(profile), encoding="utf-8")
    (folder / "memory.svg").write_text(memory_svg(profile), encoding="utf-8")
    (folder / "tables.json").write_text(json.dumps(tables_of(profile), ensure_ascii=False) + "\n", encoding="utf-8")


def tables_of(profile: Profile) -> dict[str, Any]:
    """Return all rows of both tables as JSON types."""
    rows = {"operators": operator_rows(profile), "modules": module_rows(profile)}
    return {name: [row.fields() for row in each] for name, each in rows.items()}


def recorded_peak(record: dict[str, Any] | None) -> int | None:
    """Return the peak of a case's record, bytes; None if there is no record."""
    return None if record is None else (record.get("memory") or {}).get("peak_bytes")
