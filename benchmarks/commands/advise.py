"""``python -m benchmarks advise``: the networks worth taking within a budget."""

import argparse

from benchmarks.answers.advice import advice_lines, choose
from benchmarks.answers.advisor import (
    QUANTITIES,
    Budget,
    advise,
    candidates,
)
from benchmarks.commands.options import add_results
from benchmarks.records.store import RecordStore

EPILOG = """\
examples:
  python -m benchmarks advise --max-ms 5 --max-mb 200 --device cpu
  python -m benchmarks advise --max-epoch-seconds 2 --min-accuracy 0.95 --dataset rotated-digits

Exit status 1: nothing meets the budget.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = "Name the trained networks that nothing beats within a budget, from the results at hand."
    parser.epilog = EPILOG
    budget = parser.add_argument_group("budget", "any of")
    for name, each in QUANTITIES.items():
        option = f"--max-{name.replace('_', '-')}"
        budget.add_argument(option, type=float, metavar="X", help=f"{each.text}, {each.unit}")
    budget.add_argument("--min-accuracy", type=float, metavar="X", help="test accuracy, a fraction")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu, cuda (default: cpu)")
    parser.add_argument("--dataset", metavar="NAME", help="what accuracy is about (default: the one there is)")
    add_results(parser)


def main(args: argparse.Namespace) -> int:
    """Print the advice; 1 where nothing meets the budget.

    Raises:
        ValueError: for a budget that is none, and results that do not answer.
    """
    limits = {name: limit for name in QUANTITIES if (limit := getattr(args, f"max_{name}")) is not None}
    budget = Budget(limits, args.min_accuracy)
    chosen, remark = choose(candidates(RecordStore(args.results).load()), args.device, args.dataset)
    advice = advise(chosen, budget)
    print("\n".join([remark, *advice_lines(advice, budget)]))
    return 0 if advice.front else 1
