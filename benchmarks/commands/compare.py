"""``python -m benchmarks compare A B``: compare two commits, which are measured now, or two sets of results."""

import argparse
from pathlib import Path

from benchmarks.answers.differences import (
    RESULTS_FLOOR,
    compare_results,
    fraction_of_percent,
    markdown_lines,
    text_lines,
)
from benchmarks.commands.options import add_case_options, check_timeout, chosen_cases
from benchmarks.comparing.deciding import FEWEST_MINUTES, MINUTES_A_CASE, Question, compare_commits, default_minutes
from benchmarks.records.store import RecordStore
from benchmarks.running.outstanding import check_machine
from benchmarks.running.workplace import resolve
from benchmarks.statistics.verdicts import AT_LEAST
from benchmarks.terminal.result import Result

DESCRIPTION = (
    "Say whether B is slower than A. Exit status 0, fine: no case is slower by the size asked about; 1, regressed: a "
    "case is slower, or fails at B alone; 2: nothing could be compared, as when a commit cannot be imported; 3, "
    "undecided: some case may be slower; 130: interrupted."
)

EPILOG = """\
examples:
  python -m benchmarks compare HEAD~1 . --variant separable
  python -m benchmarks compare results/old results/new

Exit status: 0 fine, 1 regressed, 3 undecided, 2 could not compare, 130 interrupted.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    parser.description = DESCRIPTION
    parser.add_argument("a", metavar="A", help="the baseline: a commit, '.' (the work tree), or results")
    parser.add_argument("b", metavar="B", help="the judged side, of the same kind")
    sizes = f"{100 * AT_LEAST:g} for commits, {100 * RESULTS_FLOOR:g} for results"
    parser.add_argument(
        "--at-least",
        type=float,
        metavar="PERCENT",
        help=f"smallest slowdown that matters (default: {sizes})",
    )
    text = f"{MINUTES_A_CASE:g} for each case, at least {FEWEST_MINUTES:g}"
    parser.add_argument("--minutes", type=float, metavar="N", help=f"most minutes to measure commits (default: {text})")
    parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="as in sweep (default: 600)")
    parser.add_argument("--across-machines", action="store_true", help="compare results of different machines")
    parser.add_argument("--markdown", action="store_true", help="a Markdown table, for a job summary")
    add_case_options(parser)
    parser.set_defaults(device=["cpu"])


def main(args: argparse.Namespace) -> Result:
    """Compare; the status is that of the verdict."""
    cases = chosen_cases(args)
    at_least = None if args.at_least is None else fraction_of_percent(args.at_least, "at-least")
    paths = Path(args.a), Path(args.b)
    results = [path for path in paths if _is_results(path)]
    if len(results) == 1:
        [other] = (path for path in paths if path not in results)
        raise ValueError(
            f"{str(results[0])!r} is results, and {str(other)!r} is not; allowed: two commits, or two sets of results"
        )
    if results:
        before, after = (RecordStore.at(path).load() for path in paths)
        found = compare_results(before, after, RESULTS_FLOOR if at_least is None else at_least, args.across_machines)
    else:
        check_timeout(args.timeout)
        check_machine(cases)
        minutes = default_minutes(len(cases)) if args.minutes is None else args.minutes
        question = Question(minutes, AT_LEAST if at_least is None else at_least, args.timeout)
        found = compare_commits(_commit(args.a), _commit(args.b), cases, question)
    return Result(found.value(), markdown_lines(found) if args.markdown else text_lines(found), found.status)


def _commit(text: str) -> str:
    records = " (it has no records)" if Path(text).exists() else ""
    return resolve(text, f"results{records}", "a directory or a file with records, a commit, '.'")


def _is_results(path: Path) -> bool:
    return path.is_file() or (path / RecordStore(path).path.name).is_file()
