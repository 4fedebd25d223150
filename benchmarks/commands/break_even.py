"""``python -m benchmarks break-even``: how long until an accuracy, and who overtakes whom."""

import argparse

from benchmarks.answers.break_even import TARGETS, comparable, overtaking_lines, target_lines
from benchmarks.commands.options import add_results
from benchmarks.records.configurations import by_configuration
from benchmarks.records.store import RecordStore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``python -m benchmarks break-even``."""
    parser.description = "Epochs, seconds and MACs to an accuracy, and when group networks overtake the plain one."
    add_results(parser)
    parser.add_argument(
        "--target", nargs="+", type=float, default=TARGETS, metavar="X", help="validation accuracy, a fraction"
    )
    parser.add_argument("--dataset", metavar="NAME", help="of these runs alone")


def main(args: argparse.Namespace) -> int:
    """Print the tables of the training records there are; 1 where there is none.

    Raises:
        ValueError: for a target that is no fraction.
    """
    for target in args.target:
        if not 0 < target <= 1:
            raise ValueError(f"target {target} is not allowed; allowed: fractions above 0, up to 1")
    groups = comparable(by_configuration(RecordStore(args.results).load(), diverged=True), args.dataset)
    for title, configurations in groups.items():
        print("\n".join([title, *target_lines(configurations, args.target), ""]))
        for rival in [name for name in configurations if name.startswith("plain ")]:
            print("\n".join([*overtaking_lines(configurations, rival), ""]))
    print(
        "median [least, most] over seeds, seeds that got there of all; ∞: a seed did not, within its budget. "
        "Seconds are those of the runs; where several trained at once they are longer than alone."
    )
    return 0 if groups else 1
