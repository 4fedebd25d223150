"""Our layers beside other people's: ``python -m benchmarks.peers``, one table for every shape and pass."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.cases import AXES, CHOICES, OURS, PEERS, Case, Grid, available_cores, beside, expand
from benchmarks.comparison import INTERVAL, Comparison, compare_rounds, minimum_detectable_effect
from benchmarks.measure.clock import Sampling
from benchmarks.measure.flops import pass_macs
from benchmarks.peers import AUTHORS_REPOSITORY, AUTHORS_VARIABLE, why_no_checkout, why_unavailable
from benchmarks.records import Record, RecordStore
from benchmarks.sweep import Engine, sweep
from benchmarks.text import columns

GRID: Grid = {
    "implementation": (OURS, *PEERS),
    "variant": ("lifting", "full", "separable"),
    "direction": ("forward", "forward_backward"),
}
# Those in ``GRID``, and those of a pass that peers have no say in.
FIXED_AXES = ("layer", "implementation", "kernels", "execution", "scales")
HEADER = ("", "time, ms [95 %]", f"ratio to ours [{INTERVAL}]", "", "peak, MiB", "MACs, M")
MIB = 2**20


def side_by_side(cases: Sequence[Case], records: Sequence[Record]) -> list[str]:
    """The lines of the tables: a table for the contenders of a shape, then those that have no result, with the reason.

    A user's layer has no variant, and is compared with ours of the variant "full".

    Args:
        cases: what is to be shown.
        records: of one machine, the twins among them; the newest of an id counts.
    """
    newest, measured = {record["id"]: record for record in records if record["kind"] == "cost"}, successes(records)
    shapes: dict[Case, list[Case]] = {}
    for case in sorted(cases, key=lambda case: (CHOICES["variant"].index(case.variant), case.foreign)):
        shapes.setdefault(_ours(replace(case, variant="full", implementation=OURS)), []).append(case)
    floor = noise_floor(records, comparisons=sum(case.foreign for case in cases))
    lines = []
    for shape, contenders in shapes.items():
        rows = [_row(case, measured, floor) for case in contenders if case.id in measured]
        lines += [shape.label.replace(" full", "", 1), *columns([HEADER, *rows] if rows else [])]
        without = [(case, newest[case.id]) for case in contenders if case.id in newest and case.id not in measured]
        lines += [f"{_name(case)}: {record['status']}: {record['message']}" for case, record in without]
        lines.append("")
    return [*lines, _floor_line(floor)]


def noise_floor(records: Sequence[Record], *, comparisons: int) -> float | None:
    """What the same code differs by when it is entered twice, see ``minimum_detectable_effect``; None without twins."""
    costs = {(record["id"], record.get("block")): record for record in records if record["kind"] == "cost"}
    pairs = [
        (costs[key]["seconds"]["rounds"], twin["seconds"]["rounds"])
        for twin in records
        if twin["kind"] == "twin" and twin["status"] == "ok"
        if (key := (twin["case_id"], twin["block"])) in costs and costs[key]["status"] == "ok"
    ]
    return minimum_detectable_effect(pairs, comparisons=max(comparisons, 1)) if pairs else None


def successes(records: Sequence[Record]) -> dict[str, Record]:
    """The measured costs by case id."""
    return {record["id"]: record for record in records if record["kind"] == "cost" and record["status"] == "ok"}


def compare_records(a: Record, b: Record, *, floor: float) -> Comparison:
    """What b is compared with a: round by round if they were timed in turns."""
    paired = a["block"] == b["block"] and len(a["seconds"]["rounds"]) == len(b["seconds"]["rounds"])
    return compare_rounds(a["seconds"]["rounds"], b["seconds"]["rounds"], floor, paired=paired)


def macs_of_pass(record: Record) -> int:
    """Multiply–accumulates of what was timed, cached kernels left out; those of peers count as convolution, always."""
    case = record["case"]
    return pass_macs(record["macs"], generated=case["kernels"] == "generated", backward=case["direction"] != "forward")


def _ours(case: Case) -> Case:
    """What a contender is compared with."""
    return replace(case, implementation=OURS, variant="full" if case.own_layer else case.variant)


def _name(case: Case) -> str:
    if case.own_layer:
        return case.implementation
    return f"{case.implementation if case.foreign else 'ours'} {case.variant}"


def _row(case: Case, measured: Mapping[str, Record], floor: float | None) -> tuple[str, ...]:
    record, ours = measured[case.id], measured.get(_ours(case).id)
    ratio, word = "", ""
    if case.foreign and ours is not None:
        compared = compare_records(ours, record, floor=floor or 0.0)
        ratio = f"{compared.ratio:.2f} [{compared.low:.2f}, {compared.high:.2f}]"
        word = "" if floor is None else compared.word
    low, time, high = (1e3 * record["seconds"][name] for name in ("ci_low", "median", "ci_high"))
    memory = record["memory"]
    return (
        _name(case),
        f"{time:.3g} [{low:.3g}, {high:.3g}]",
        ratio,
        word,
        f"{memory['peak_bytes'] / MIB:.3g}" if memory else "–",
        f"{macs_of_pass(record) / 1e6:,.1f}" if record["macs"] else "–",
    )


def _floor_line(floor: float | None) -> str:
    if floor is None:
        return "no A/A twins among the records: nothing can be called faster or slower"
    return f"Faster and slower: further from 1 than {floor:.1%}, which the same code entered twice hardly ever shows."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``python -m benchmarks.peers``."""
    parser.add_argument("--authors", type=Path, metavar="PATH", help=f"your checkout of {AUTHORS_REPOSITORY}")
    parser.add_argument(
        "--layer", dest="own_layer", metavar="MODULE:CLASS", help="a layer of your own, as one more contender"
    )
    add_measuring_arguments(parser, [axis for axis in AXES if axis not in FIXED_AXES])


def add_measuring_arguments(parser: argparse.ArgumentParser, axes: Sequence[str]) -> None:
    """Options for the axes, for where records go, and for how long is measured."""
    parser.add_argument("--results", type=Path, default=Path("results"), metavar="DIR", help="(default: results)")
    parser.add_argument("--seconds", type=float, default=Sampling.seconds, help="time budget of a case")
    parser.add_argument("--rounds", type=int, default=Sampling.rounds, metavar="N", help="processes it is timed in")
    group = parser.add_argument_group("axes", "one value or more instead of the command's own")
    for axis in axes:
        option, names = "--" + axis.replace("_", "-"), CHOICES.get(axis)
        if names:
            group.add_argument(option, nargs="+", metavar="NAME", help=", ".join(names))
        else:
            group.add_argument(option, nargs="+", type=int, metavar="N")


def cases_of(args: argparse.Namespace, grid: Grid) -> list[Case]:
    """The cases of a grid with the axes that were given on the command line."""
    given = {axis: tuple(values) for axis in AXES if (values := getattr(args, axis, None))}
    return expand({"threads": (available_cores(),), **grid, **given})


def measure(cases: Sequence[Case], args: argparse.Namespace, *, retry_failed: bool = False) -> list[Record]:
    """The records of the store, after a sweep over what it lacks of the cases."""
    store = RecordStore(args.results)
    sweep(cases, store, Engine(Sampling(rounds=args.rounds, seconds=args.seconds)), retry_failed=retry_failed)
    return store.load()


def main(args: argparse.Namespace) -> int:
    """Measure what is missing and print the tables; 1 if no contender could be measured.

    Raises:
        InvalidCase: for values that are not allowed.
        ValueError: when ``--authors`` is no checkout of theirs.
    """
    if args.authors is not None:
        if reason := why_no_checkout(str(args.authors)):
            raise ValueError(reason)
        os.environ[AUTHORS_VARIABLE] = str(args.authors.resolve())  # processes inherit it
    cases = cases_of(args, GRID)
    if args.own_layer:
        cases += beside(cases, args.own_layer)
    skipped = {record["id"] for record in RecordStore(args.results).load() if record["status"] == "skipped"}
    found_since = any(case.id in skipped and why_unavailable(case) is None for case in cases)
    records = measure(cases, args, retry_failed=found_since)
    print("\n".join(side_by_side(cases, records)))
    return 0 if any(case.foreign and case.id in successes(records) for case in cases) else 1
