"""``python -m benchmarks advise``: name the networks worth taking within a budget."""

import argparse

from benchmarks.answers.advice import advice_lines, advice_value, alternatives_lines, uses_inference
from benchmarks.answers.advisor import Budget, advise
from benchmarks.answers.candidates import candidates
from benchmarks.answers.comparable import choose, chosen_setting, only, setting_options, setting_remark
from benchmarks.answers.quantities import QUANTITIES
from benchmarks.commands.options import add_fields, add_results, check_at_least_one, stored_records
from benchmarks.records.below import nothing_trained
from benchmarks.terminal.result import Result

EPILOG = """\
examples:
  python -m benchmarks advise --max-ms 5 --max-mib 200 --device cpu
  python -m benchmarks advise --max-ms 5 --batch-size 1              the latency of one image
  python -m benchmarks advise --max-epoch-seconds 2 --min-accuracy 0.95 --dataset rotated-digits
  python -m benchmarks advise --max-training-seconds 600 --variant plain separable

Costs of different batch sizes or threads are not compared: an answer uses those of one setting.

Exit status 1: no network meets the budget.
"""
# The former names of options, which still work; no message offers them.
FORMER = {"--max-mb": "--max-mib", "--max-training-mb": "--max-training-mib"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = "Name the trained networks that no other network beats within a budget, from stored results."
    parser.epilog = EPILOG
    budget = parser.add_argument_group("budget", "limits; without any, each known cost is answered for")
    for name, each in QUANTITIES.items():
        option = f"--max-{name.replace('_', '-')}"
        former = [old for old, new in FORMER.items() if new == option]
        batch = " (of a batch: the latency of one image with --batch-size 1)" if name == "ms" else ""
        text = f"{each.text}{batch}, {each.unit}"
        budget.add_argument(option, *former, dest=f"max_{name}", type=float, metavar="X", help=text)
    add_fields(budget, float, min_accuracy="test accuracy, a fraction")
    inference = parser.add_argument_group("inference", "the setting of its costs (default: that of most networks)")
    add_fields(inference, int, batch_size="images in a pass", threads="threads of torch")
    networks = parser.add_argument_group("networks", "those to choose from (default: all)")
    texts = {"group": "their groups, such as SE(2) or O2", "variant": "their variants, such as plain, separable, full"}
    for field, text in texts.items():
        networks.add_argument(f"--{field}", nargs="+", default=(), metavar="NAME", help=text)
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu, cuda (default: cpu)")
    add_fields(parser, str, dataset="data set of the accuracy (default: that of the results, if there is only one)")
    text = "only networks that were trained on N images (default: the N of most networks)"
    add_fields(parser, int, train_limit=text)
    add_results(parser)


def main(args: argparse.Namespace) -> Result:
    """Advise; the status is 1 if no network meets the budget, else 0."""
    limits = {name: limit for name in QUANTITIES if (limit := getattr(args, f"max_{name}")) is not None}
    budget, asked = Budget(limits, args.min_accuracy), (args.batch_size, args.threads)
    given = {"batch-size": args.batch_size, "threads": args.threads}
    check_at_least_one(**{name: value for name, value in given.items() if value is not None})
    records = stored_records(args.results)
    if not (found := candidates(records)):
        raise ValueError(nothing_trained(args.results, records))
    comparable, remark = choose(found, args.device, args.dataset, args.train_limit)
    chosen, part = only(comparable, args.group, args.variant)
    setting = chosen_setting(chosen, *asked)
    advice = advise([candidate.in_setting(setting) for candidate in chosen], budget)
    timing = setting_remark(chosen, *asked) if uses_inference(advice, budget) or any(asked) else ""
    about = "; ".join(filter(None, [remark + part, timing]))
    lines = [about, *advice_lines(advice, budget, setting_options(setting, *asked)), *alternatives_lines(comparable)]
    return Result(advice_value(about, budget, advice, comparable), lines, 0 if advice.front else 1)
