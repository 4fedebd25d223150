"""``python -m benchmarks studies``: print or write the tables of all studies in some folders."""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.answers.made_lines import filled
from benchmarks.records.durable import check_folder, check_writable, write_whole
from benchmarks.studies.in_short import lines_in_short
from benchmarks.studies.kept import kept_studies
from benchmarks.studies.parts import lines_over_parts
from benchmarks.studies.performance_profiles import problems_of, profile_lines
from benchmarks.studies.results import StudyResults
from benchmarks.studies.summary import study_lines, study_value
from benchmarks.terminal.result import Result

EPILOG = """\
examples:
  python -m benchmarks studies --results results
  python -m benchmarks studies --results reports/reference/* --write docs/results     the pages of the documentation
  python -m benchmarks studies --results reports/reference/* --write docs/results --fill README.md docs/studies.md

Nothing is measured or trained.
"""
OVER_ALL = "all-studies"
# The command that the comments of a filled page name.
COMMAND = "python -m benchmarks studies"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = (
        "Print the tables and verdicts of all studies in some folders, as far as they are trained, and how often each "
        "contender is within a factor of the best."
    )
    parser.epilog = EPILOG
    what = "folders of results (default: results)"
    parser.add_argument("--results", type=Path, nargs="+", default=[Path("results")], metavar="DIR", help=what)
    parser.add_argument("--write", type=Path, metavar="DIR", help="write a Markdown page for each study instead")
    what = "with --write: write the studies in short between two comments of these pages, which name this command"
    parser.add_argument("--fill", type=Path, nargs="+", default=[], metavar="FILE", help=what)


def main(args: argparse.Namespace) -> Result:
    """Collect the tables of all studies, or write them."""
    if args.fill and args.write is None:
        raise ValueError("--fill needs --write, the folder of the pages to link to")
    if args.write is not None:
        check_folder(args.write)
    for path in args.fill:
        check_writable(path)
    studies = kept_studies(args.results)
    pages, written, lines = study_pages(studies), [], []
    for name, page in pages.items():
        if args.write is None:
            lines += [f"# {name}", *page, ""]
        else:
            args.write.mkdir(parents=True, exist_ok=True)
            written.append(args.write / f"{name}.md")
            write_whole(written[-1], markdown(name, page).encode())
    for path in args.fill:
        short = lines_in_short(studies, os.path.relpath(args.write, path.parent))
        write_whole(path, filled(path.read_text(encoding="utf-8"), COMMAND, short).encode())
        written.append(path)
    value = {name: [study_value(part) for part in parts] for name, parts in studies.items()}
    return Result({"studies": value, "written": written}, lines)


def study_pages(studies: Mapping[str, Sequence[StudyResults]]) -> dict[str, list[str]]:
    """Return the lines of each study by its name, and those over all studies."""
    pages = {name: _lines(parts) for name, parts in studies.items()}
    over_all = profile_lines(problems_of([part for parts in studies.values() for part in parts]))
    return {**pages, OVER_ALL: over_all} if over_all else pages


def markdown(name: str, lines: Sequence[str]) -> str:
    """Return a page of Markdown with the lines as they are printed."""
    made = "`python -m benchmarks studies --write` makes this page from the records in `reports/reference/`."
    return "\n".join([f"# {name}", "", made, "", "```text", *lines, "```", ""])


def _lines(parts: Sequence[StudyResults]) -> list[str]:
    found = []
    for part in parts:
        provenance = part.decisions.provenance
        commit, torch = str(provenance.get("commit"))[:10], provenance.get("torch")
        found += [*study_lines(part)[1:], "", f"widths and steps: commit {commit}, torch {torch}", ""]
    return [*found, *lines_over_parts(parts)]
