"""``python -m benchmarks list``: print the cases of a profile."""

import argparse

from benchmarks.cases.profiles import PROFILES
from benchmarks.commands.options import add_case_options, chosen_cases
from benchmarks.terminal.result import Result

EPILOG = """\
examples:
  python -m benchmarks list --profile quick
  python -m benchmarks list --variant separable --resolution 4 8 --batch-size 1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    add_case_options(parser)


def main(args: argparse.Namespace) -> Result:
    """List the id and the label of each case."""
    cases = chosen_cases(args)
    value = {
        "cases": [{"id": case.id, "label": case.label, **case.fields()} for case in cases],
        "profiles": list(PROFILES),
    }
    lines = [f"{case.id} {case.label}" for case in cases]
    return Result(value, [*lines, f"{len(cases)} cases; profiles: {', '.join(PROFILES)}"])
