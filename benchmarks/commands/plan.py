"""``python -m benchmarks plan``: print the plan of a sweep; nothing is stored."""

import argparse

from benchmarks.cases.blocks import blocks
from benchmarks.commands.options import add_case_options, add_sweep_options, chosen_cases, chosen_sampling
from benchmarks.records.store import RecordStore
from benchmarks.running.outstanding import there_already
from benchmarks.sweep.estimate import plan_lines, survey
from benchmarks.sweep.sweep import SEED

EPILOG = """\
examples:
  python -m benchmarks plan --profile standard
  python -m benchmarks plan --variant full separable --resolution 4 8 16 --channels 32
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    parser.description = "Print what a sweep with the same options would do; nothing is stored."
    add_case_options(parser)
    add_sweep_options(parser)


def main(args: argparse.Namespace) -> int:
    """Print the plan; return 0."""
    cases, sampling = chosen_cases(args), chosen_sampling(args)
    done = there_already(cases, RecordStore(args.results), retry_failed=args.retry_failed)
    missing = {case for case in cases if case.id not in done}
    plan = blocks(cases, missing, SEED)
    to_do = [case for block in plan for case in block.cases]
    print(*plan_lines(len(cases), len(done), plan, survey(to_do), sampling), sep="\n")
    return 0
