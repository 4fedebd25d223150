"""The questions of ``python -m benchmarks answer``, and their answers from records."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from benchmarks.answers.text_tables import columns
from benchmarks.cases.case import Case
from benchmarks.cases.profiles import Grid
from benchmarks.records.costs import compare_records, macs_of_pass, successes
from benchmarks.records.record import Record
from benchmarks.statistics.comparison import INTERVAL
from benchmarks.statistics.realised import DEFINITION, realised_saving
from benchmarks.statistics.written import interval, number, percentage


class Question(NamedTuple):
    """A question, the grid of cases to measure for it, and the function that answers it as a table."""

    text: str
    grid: Grid
    answer: Callable[[Sequence[Case], Sequence[Record]], list[str]]


def realised_speedup(cases: Sequence[Case], records: Sequence[Record]) -> list[str]:
    """Return a table of two ratios, full / separable in time and in MACs, and of the share that is realised."""
    measured = successes(records)
    rows = [("", f"full / separable, time [{INTERVAL}]", "MACs", f"realised, {DEFINITION}")]
    for case in cases:
        if case.variant != "full":
            continue
        separable, full = (measured.get(replace(case, variant=variant).id) for variant in ("separable", "full"))
        if separable is None or full is None:
            continue
        time = compare_records(separable, full, floor=0.0)
        of_full, of_separable = macs_of_pass(full), macs_of_pass(separable)
        macs = of_full / of_separable if of_full and of_separable else None
        ratio = f"{number(time.ratio, '.2f')} {interval(time.low, time.high, '.2f')}"
        cells = (
            (number(macs, ".1f"), percentage(realised_saving(time.ratio, macs), 0)) if macs else ("not counted", "–")
        )
        rows.append((case.label.replace(" full", "", 1), ratio, *cells))
    return columns(rows)


def kernel_synthesis_tax(cases: Sequence[Case], records: Sequence[Record]) -> list[str]:
    """Return a table of the share of a pass that kernel generation takes, with its backward if the pass has one."""
    measured = successes(records)
    rows = [("", "pass, ms", "share of kernel generation")]
    for case in cases:
        record = measured.get(case.id)
        share = None if record is None else (record.get("stages") or {}).get("kernel_generation_share")
        if record is not None and share is not None:
            rows.append((case.label, f"{1e3 * record['seconds']['median']:.3g}", f"{share:.0%}"))
    return columns(rows)


FULL_AND_SEPARABLE: Grid = {"variant": ("full", "separable"), "direction": ("forward", "forward_backward")}
QUESTIONS = {
    "realised-speedup": Question(
        "how much faster separable is than full, compared with the MACs that it saves",
        FULL_AND_SEPARABLE,
        realised_speedup,
    ),
    "kernel-synthesis-tax": Question(
        "which share of a pass generates kernels, at batch sizes 1 and 64",
        {**FULL_AND_SEPARABLE, "kernels": ("generated",), "batch_size": (1, 64)},
        kernel_synthesis_tax,
    ),
}
