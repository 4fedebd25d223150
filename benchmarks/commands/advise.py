"""``python -m benchmarks advise``: name the networks worth taking within a budget."""

import argparse

from benchmarks.answers.advice import advice_lines, advice_value, alternatives_lines, choose
from benchmarks.answers.advisor import QUANTITIES, Budget, advise, candidates
from benchmarks.commands.options import add_fields, add_results, stored_records
from benchmarks.terminal.result import Result

EPILOG = """\
examples:
  python -m benchmarks advise --max-ms 5 --max-mib 200 --device cpu
  python -m benchmarks advise --max-epoch-seconds 2 --min-accuracy 0.95 --dataset rotated-digits

Exit status 1: no network meets the budget.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = "Name the trained networks that no other network beats within a budget, from stored results."
    parser.epilog = EPILOG
    budget = parser.add_argument_group("budget", "limits; without any, each known cost is answered for")
    for name, each in QUANTITIES.items():
        option = f"--max-{name.replace('_', '-')}"
        former = [option.removesuffix("mib") + "mb"] if name.endswith("mib") else []
        batch = " (of a batch: not the latency of one image)" if name == "ms" else ""
        text = f"{each.text}{batch}, {each.unit}"
        budget.add_argument(option, *former, dest=f"max_{name}", type=float, metavar="X", help=text)
    add_fields(budget, float, min_accuracy="test accuracy, a fraction")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu, cuda (default: cpu)")
    add_fields(parser, str, dataset="data set of the accuracy (default: that of the results, if there is only one)")
    add_fields(parser, int, train_limit="networks trained on N images (default: the number of most networks)")
    add_results(parser)


def main(args: argparse.Namespace) -> Result:
    """Advise; the status is 1 if no network meets the budget, else 0."""
    limits = {name: limit for name in QUANTITIES if (limit := getattr(args, f"max_{name}")) is not None}
    budget = Budget(limits, args.min_accuracy)
    chosen, remark = choose(candidates(stored_records(args.results)), args.device, args.dataset, args.train_limit)
    advice = advise(chosen, budget)
    lines = [remark, *advice_lines(advice, budget), *alternatives_lines(chosen)]
    return Result(advice_value(remark, budget, advice), lines, 0 if advice.front else 1)
