"""``python -m benchmarks answer``: measure the cases that a question needs, and answer it."""

import argparse

from benchmarks.answers.questions import QUESTIONS
from benchmarks.cases.case import AXES, FORMER_IMAGES
from benchmarks.commands.options import add_grid_options, grid_cases, measure_grid
from benchmarks.terminal.result import Result

EPILOG = """\
examples:
  python -m benchmarks answer realised-speedup
  python -m benchmarks answer kernel-synthesis-tax --channels 32
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    texts = "; ".join(f"{name}: {question.text}" for name, question in QUESTIONS.items())
    parser.add_argument("question", choices=QUESTIONS, metavar="|".join(QUESTIONS), help=texts)
    add_grid_options(
        parser, [axis for axis in AXES if axis not in ("implementation", "variant", "kernels", *FORMER_IMAGES)]
    )


def main(args: argparse.Namespace) -> Result:
    """Measure the missing cases and answer; the status is 1 if there is no answer, else 0."""
    question = QUESTIONS[args.question]
    cases = grid_cases(args, question.grid)
    answers = question.find(cases, measure_grid(cases, args))
    lines = [question.text, *question.table(answers)]
    return Result({"question": args.question, "text": question.text, "answers": answers}, lines, 0 if answers else 1)
