"""Questions that a command answers in a few lines: ``python -m benchmarks answer realised-speedup``."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from benchmarks.cases import AXES, Case, Grid
from benchmarks.comparison import INTERVAL
from benchmarks.records import Record
from benchmarks.side_by_side import (
    add_measuring_arguments,
    cases_of,
    compare_records,
    macs_of_pass,
    measure,
    successes,
)
from benchmarks.text import columns


class Question(NamedTuple):
    """What is asked, the cases that answer it, and how their records do."""

    text: str
    grid: Grid
    answer: Callable[[Sequence[Case], Sequence[Record]], list[str]]


def realised_speedup(cases: Sequence[Case], records: Sequence[Record]) -> list[str]:
    """Times and MACs of full over separable, and how much of the second ratio the first is."""
    measured = successes(records)
    rows = [("", f"full / separable, time [{INTERVAL}]", "MACs", "realised")]
    for case in cases:
        separable, full = (measured.get(replace(case, variant=variant).id) for variant in ("separable", "full"))
        if case.variant != "full" or separable is None or full is None:
            continue
        time = compare_records(separable, full, floor=0.0)
        macs = macs_of_pass(full) / macs_of_pass(separable)
        label = case.label.replace(" full", "", 1)
        interval = f"{time.ratio:.2f} [{time.low:.2f}, {time.high:.2f}]"
        rows.append((label, interval, f"{macs:.1f}", f"{time.ratio / macs:.0%}"))
    return columns(rows)


def kernel_synthesis_tax(cases: Sequence[Case], records: Sequence[Record]) -> list[str]:
    """The part of a pass that generates kernels, their backward included where the pass has one."""
    measured = successes(records)
    rows = [("", "pass, ms", "of it kernel generation")]
    for case in cases:
        record = measured.get(case.id)
        if record is not None and record["stages"] is not None:
            share = record["stages"]["kernel_generation_share"]
            rows.append((case.label, f"{1e3 * record['seconds']['median']:.3g}", f"{share:.0%}"))
    return columns(rows)


QUESTIONS = {
    "realised-speedup": Question(
        "how much faster separable is than full, beside how many MACs it saves",
        {"variant": ("full", "separable"), "direction": ("forward", "forward_backward")},
        realised_speedup,
    ),
    "kernel-synthesis-tax": Question(
        "which part of a pass generates kernels, at batch 1 and 64",
        {
            "variant": ("full", "separable"),
            "direction": ("forward", "forward_backward"),
            "kernels": ("generated",),
            "batch_size": (1, 64),
        },
        kernel_synthesis_tax,
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``python -m benchmarks answer``."""
    texts = "; ".join(f"{name}: {question.text}" for name, question in QUESTIONS.items())
    parser.add_argument("question", choices=QUESTIONS, metavar="|".join(QUESTIONS), help=texts)
    add_measuring_arguments(parser, [axis for axis in AXES if axis not in ("implementation", "variant", "kernels")])


def main(args: argparse.Namespace) -> int:
    """Measure what is missing and print the answer; 1 when there is none.

    Raises:
        InvalidCase: for values that are not allowed.
    """
    question = QUESTIONS[args.question]
    cases = cases_of(args, question.grid)
    header, *rows = question.answer(cases, measure(cases, args))
    print("\n".join([question.text, header, *rows]))
    return 0 if rows else 1
