"""``python -m benchmarks answer``: measure what a question needs, and answer it."""

import argparse

from benchmarks.answers.questions import QUESTIONS
from benchmarks.cases.case import AXES
from benchmarks.commands.options import add_grid_options, grid_cases, measure_grid


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``python -m benchmarks answer``."""
    texts = "; ".join(f"{name}: {question.text}" for name, question in QUESTIONS.items())
    parser.add_argument("question", choices=QUESTIONS, metavar="|".join(QUESTIONS), help=texts)
    add_grid_options(parser, [axis for axis in AXES if axis not in ("implementation", "variant", "kernels")])


def main(args: argparse.Namespace) -> int:
    """Measure what is missing and print the answer; 1 when there is none.

    Raises:
        InvalidCase: for values that are not allowed.
    """
    question = QUESTIONS[args.question]
    cases = grid_cases(args, question.grid)
    header, *rows = question.answer(cases, measure_grid(cases, args))
    print("\n".join([question.text, header, *rows]))
    return 0 if rows else 1
