"""``python -m benchmarks contribute``: pack the records of a machine for others, or check a packed folder."""

import argparse
import json
import re
from pathlib import Path

from benchmarks.commands.options import add_results
from benchmarks.records.below import named_places
from benchmarks.records.contribution import (
    STUDIES,
    packed,
    private_names,
    problems,
    problems_of,
    refused_lines,
    without_names,
)
from benchmarks.records.durable import check_folder, write_whole
from benchmarks.records.record import machine_of, machine_text
from benchmarks.records.store import RecordStore
from benchmarks.terminal.result import Result

REFERENCE = Path("reports/reference")
EPILOG = """\
examples:
  python -m benchmarks contribute --name amd-epyc-2-cores
  python -m benchmarks contribute --results results/study --name amd-epyc-2-cores-rotated-mnist
  python -m benchmarks contribute --check reports/reference/*

Names of this host and user, and absolute paths, are taken out of all texts; read the texts before you publish them.
Nothing is sent anywhere: commit the folder and open a pull request. Exit status 2: the records cannot be
contributed, and why.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    add_results(parser)
    parser.add_argument("--name", metavar="NAME", help="name of the new folder: the machine, and what was measured")
    parser.add_argument(
        "--to", type=Path, default=REFERENCE, metavar="DIR", help=f"folder that gets the new one (default: {REFERENCE})"
    )
    parser.add_argument("--check", type=Path, nargs="+", metavar="FOLDER", help="check packed folders instead")


def main(args: argparse.Namespace) -> Result:
    """Pack or check; the status is 2 where something is wrong, else 0."""
    if args.check:
        folders = [path for path in args.check if not path.is_file()]  # reports/reference/* has a README.md, too
        if not folders:
            raise ValueError(f"{', '.join(map(str, args.check))} is no folder; allowed: folders of packed records")
        wrong = [line for folder in folders for line in problems(folder)]
        lines = [] if wrong else [f"{folder}: nothing is wrong" for folder in folders]
        return Result({"checked": folders, "problems": wrong}, lines, 2 if wrong else 0, wrong)
    allowed = "allowed: the name of a folder, such as amd-epyc-2-cores"
    if args.name is None:
        raise ValueError(f"--name is missing; {allowed}")
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", args.name):
        raise ValueError(f"--name {args.name!r} is not allowed; {allowed}")
    folder = args.to / args.name
    if folder.exists():
        raise ValueError(f"{folder} is there; allowed: another --name")
    check_folder(folder)
    store, names = RecordStore(args.results), private_names()
    stored, refused = store.read()
    records = [without_names(dict(record), names) for record in stored]
    if wrong := [*refused_lines(refused), *problems_of(records, refused)]:
        raise ValueError(f"{named_places([args.results])} cannot be contributed: {'; '.join(wrong)}")
    folder.mkdir(parents=True)
    write_whole(folder / "records.jsonl.xz", packed(records))
    for path in sorted(args.results.glob(STUDIES)):
        content = without_names(json.loads(path.read_text(encoding="utf-8")), names)
        write_whole(folder / path.name, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    commits = sorted({record["provenance"]["commit"][:7] for record in records})
    size = sum(path.stat().st_size for path in folder.iterdir())
    machine = machine_text(machine_of(records[0]))
    value = {"folder": folder, "records": len(records), "bytes": size, "machine": machine, "commits": commits}
    lines = [
        f"{folder}: {len(records)} records, {size / 2**10:.0f} KiB",
        f"commit the folder, and a row in {args.to}/README.md:",
        f"| `{args.name}` | {machine} | {', '.join(commits)} | what was measured |",
    ]
    return Result(value, lines)
