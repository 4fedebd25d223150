"""``python -m benchmarks list``: print the cases of a profile."""

import argparse

from benchmarks.cases.profiles import PROFILES
from benchmarks.commands.options import add_case_options, chosen_cases

EPILOG = """\
examples:
  python -m benchmarks list --profile quick
  python -m benchmarks list --variant separable --resolution 4 8 --batch-size 1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    add_case_options(parser)


def main(args: argparse.Namespace) -> int:
    """Print the id and the label of each case; return 0."""
    cases = chosen_cases(args)
    for case in cases:
        print(case.id, case.label)
    print(f"{len(cases)} cases; profiles: {', '.join(PROFILES)}")
    return 0
