"""``python -m benchmarks compare A B``: compare two commits, which are measured now, or two sets of results."""

import argparse
from pathlib import Path

from benchmarks.answers.differences import RESULTS_FLOOR, compare_results, floor_of_percent, markdown_lines, text_lines
from benchmarks.commands.options import add_case_options, chosen_cases
from benchmarks.comparing.commits import compare_commits, resolve
from benchmarks.measure.sampling import Sampling
from benchmarks.records.store import RecordStore
from benchmarks.running.outstanding import check_machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = "Compare B with A. Exit status 1: something is slower or broken; 2: nothing could be compared."
    parser.add_argument("a", metavar="A", help="the baseline: a commit, '.' (the work tree), or results")
    parser.add_argument("b", metavar="B", help="the judged side, of the same kind")
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="processes for each commit (default: 10)")
    parser.add_argument("--seconds", type=float, default=1.0, help="time budget of a case at each commit (default: 1)")
    parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="as in sweep (default: 600)")
    parser.add_argument(
        "--floor",
        type=float,
        metavar="PERCENT",
        help=f"smallest change that counts (default: {RESULTS_FLOOR:.0%}% for results; for commits, that of A/A twins)",
    )
    parser.add_argument("--across-machines", action="store_true", help="compare results of different machines")
    parser.add_argument("--markdown", action="store_true", help="a Markdown table, for a job summary")
    add_case_options(parser)
    parser.set_defaults(device=["cpu"])


def main(args: argparse.Namespace) -> int:
    """Compare and print the table; return 0 for no regression, 1 for a regression, 2 if nothing was compared."""
    cases = chosen_cases(args)
    floor = None if args.floor is None else floor_of_percent(args.floor)
    paths = Path(args.a), Path(args.b)
    if all(_is_results(path) for path in paths):
        before, after = (RecordStore.at(path).load() for path in paths)
        found = compare_results(before, after, RESULTS_FLOOR if floor is None else floor, args.across_machines)
    else:
        if args.rounds < 2:
            raise ValueError(f"rounds {args.rounds} are too few to compare commits; allowed: integers of at least 2")
        check_machine(cases)
        sampling = Sampling(rounds=args.rounds, seconds=args.seconds)
        found = compare_commits(resolve(args.a), resolve(args.b), cases, sampling, args.timeout, floor or 0.0)
    print(*(markdown_lines(found) if args.markdown else text_lines(found)), sep="\n")
    return found.status


def _is_results(path: Path) -> bool:
    return path.is_file() or (path / RecordStore(path).path.name).is_file()
