"""``python -m benchmarks break-even``: print the time to reach an accuracy, and to overtake another network."""

import argparse

from benchmarks.answers.break_even import (
    TARGETS,
    comparable_runs,
    overtaking_lines,
    overtaking_waits,
    target_lines,
    target_waits,
)
from benchmarks.cases.meant import check_fraction, remedy
from benchmarks.commands.options import add_results, stored_records
from benchmarks.records.below import nothing_trained
from benchmarks.records.configurations import by_configuration
from benchmarks.terminal.result import Result

EPILOG = """\
examples:
  python -m benchmarks break-even --dataset rotated-digits
  python -m benchmarks break-even --target 0.95 0.97
"""

NOTE = (
    "median [smallest, largest] over seeds, number of seeds that succeeded; ∞: a seed did not within its budget. "
    "Seconds are those of the runs, which take longer where several trained at once."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    parser.description = "Print epochs, seconds and MACs to an accuracy, and when group networks overtake plain ones."
    add_results(parser)
    parser.add_argument(
        "--target", nargs="+", type=float, default=TARGETS, metavar="X", help="validation accuracy, a fraction"
    )
    parser.add_argument("--dataset", metavar="NAME", help="only runs on this data set")


def main(args: argparse.Namespace) -> Result:
    """Compare all training records; the status is 1 if no run has curves, else 0."""
    for target in args.target:
        check_fraction(target, "target")
    records = stored_records(args.results)
    if not (found := by_configuration(records, diverged=True)):
        raise ValueError(nothing_trained(args.results, records))
    datasets = sorted({str(configuration["dataset"]) for configuration in found})
    if args.dataset is not None and args.dataset not in datasets:
        raise ValueError(f"no results for dataset {args.dataset!r}; {remedy(args.dataset, datasets)}")
    lines, value = [], []
    for title, configurations in comparable_runs(found, args.dataset).items():
        rivals = [name for name in configurations if name.startswith("plain ")]
        lines += [title, *target_lines(configurations, args.target), ""]
        lines += [line for rival in rivals for line in (*overtaking_lines(configurations, rival), "")]
        overtaking = [row for rival in rivals for row in overtaking_waits(configurations, rival)]
        value.append({"runs": title, "targets": target_waits(configurations, args.target), "overtaking": overtaking})
    return Result({"groups": value}, [*lines, NOTE], 0 if value else 1)
