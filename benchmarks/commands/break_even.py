"""``python -m benchmarks break-even``: print the time to reach an accuracy, and to overtake another network."""

import argparse

from benchmarks.answers.break_even import TARGETS, comparable_runs, overtaking_lines, target_lines
from benchmarks.commands.options import add_results
from benchmarks.records.configurations import by_configuration
from benchmarks.records.store import RecordStore

EPILOG = """\
examples:
  python -m benchmarks break-even --dataset rotated-digits
  python -m benchmarks break-even --target 0.95 0.97
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    parser.description = "Print epochs, seconds and MACs to an accuracy, and when group networks overtake plain ones."
    add_results(parser)
    parser.add_argument(
        "--target", nargs="+", type=float, default=TARGETS, metavar="X", help="validation accuracy, a fraction"
    )
    parser.add_argument("--dataset", metavar="NAME", help="only runs on this data set")


def main(args: argparse.Namespace) -> int:
    """Print the tables of all training records; return 1 if there are none, else 0."""
    for target in args.target:
        if not 0 < target <= 1:
            raise ValueError(f"target {target} is not allowed; allowed: fractions above 0, up to 1")
    found = by_configuration(RecordStore(args.results).load(), diverged=True)
    datasets = sorted({str(configuration["dataset"]) for configuration in found})
    if args.dataset is not None and datasets and args.dataset not in datasets:
        raise ValueError(f"no results for dataset {args.dataset!r}; allowed: {', '.join(datasets)}")
    groups = comparable_runs(found, args.dataset)
    for title, configurations in groups.items():
        print(title, *target_lines(configurations, args.target), "", sep="\n")
        for rival in [name for name in configurations if name.startswith("plain ")]:
            print(*overtaking_lines(configurations, rival), "", sep="\n")
    print(
        "median [smallest, largest] over seeds, number of seeds that succeeded; ∞: a seed did not within its budget. "
        "Seconds are those of the runs, which take longer where several trained at once."
    )
    return 0 if groups else 1
