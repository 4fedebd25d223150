"""``python -m benchmarks compare A B``: is B slower than A? Two commits, measured now, or two sets of results."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.commits import measure_commits, resolve
from benchmarks.comparison import minimum_detectable_effect
from benchmarks.differences import RESULTS_FLOOR, Report, Row, compare_results, judged, markdown, part, text
from benchmarks.measure.clock import Sampling
from benchmarks.records import RecordStore
from benchmarks.sweep import check_machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command, besides those that choose cases."""
    parser.add_argument("a", metavar="A", help="what to compare with: a commit, '.' (the work tree), or results")
    parser.add_argument("b", metavar="B", help="what is judged: the same kind of thing")
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="processes of each commit (default: 10)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a case at each commit, in all (default: 1)")
    parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="as in sweep (default: 600)")
    parser.add_argument(
        "--floor",
        type=float,
        default=None,
        metavar="PERCENT",
        help=f"smallest change that counts (default: {RESULTS_FLOOR:.0%} for results, what A/A twins show for commits)",
    )
    parser.add_argument("--across-machines", action="store_true", help="compare results of different machines")
    parser.add_argument("--markdown", action="store_true", help="a Markdown table, for a job summary")


def main(args: argparse.Namespace, cases: Sequence[Case]) -> int:
    """Compare, print the table and why; returns the exit status: 0 no regression, 1 a regression, 2 nothing compared.

    Raises:
        ValueError: for a wrong request.
        OSError: when results cannot be read.
    """
    floor = None if args.floor is None else part(args.floor)
    paths = Path(args.a), Path(args.b)
    if all(_is_results(path) for path in paths):
        before, after = (RecordStore.at(path).load() for path in paths)
        report = compare_results(before, after, RESULTS_FLOOR if floor is None else floor, args.across_machines)
    else:
        if args.rounds < 2:
            raise ValueError(f"rounds {args.rounds} are too few to compare commits; allowed: integers of at least 2")
        check_machine(cases)
        sampling = Sampling(rounds=args.rounds, seconds=args.seconds)
        report = compare_commits(resolve(args.a), resolve(args.b), cases, sampling, args.timeout, floor or 0.0)
    print(*(markdown(report) if args.markdown else text(report)), sep="\n")
    return report.status


def compare_commits(
    a: str, b: str, cases: Sequence[Case], sampling: Sampling, timeout: float, floor: float = 0.0
) -> Report:
    """Measure the cases at two commits in alternating processes, and compare them in pairs."""
    pairs = measure_commits(a, b, cases, sampling, timeout)
    whole = {case: pair for case, pair in pairs.items() if not pair.failures}
    remarks = [f"{a[:10]} against {b[:10]}, {sampling.rounds} pairs of processes for each case"]
    if whole:
        found = minimum_detectable_effect([pair.twins() for pair in whole.values()], comparisons=len(whole))
        remarks.append(f"floor {max(floor, found):.1%}; A/A twins of {len(whole)} cases show up to {found:.1%}")
        floor = max(floor, found)
    rows = []
    for case, pair in pairs.items():
        if pair.failures:
            why = "; ".join(f"at {name}: {message}" for name, message in pair.failures.items())
            rows.append(Row(case.label, failure=why, broken="A" not in pair.failures))
        else:
            rows.append(judged(case.label, pair.a, pair.b, floor, paired=True))
    return Report(rows, remarks)


def _is_results(path: Path) -> bool:
    return path.is_file() or (path / RecordStore(path).path.name).is_file()
