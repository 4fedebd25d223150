"""The questions of ``python -m benchmarks answer``, and their answers from records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from benchmarks.answers.text_tables import columns
from benchmarks.cases.case import Case
from benchmarks.cases.profiles import Grid
from benchmarks.records.costs import compare_records, macs_of_pass, successes
from benchmarks.records.record import Record
from benchmarks.statistics.comparison import INTERVAL, Comparison
from benchmarks.statistics.realised import DEFINITION, realised_saving
from benchmarks.statistics.written import interval, number, percentage


@dataclass(frozen=True)
class Speedup:
    """How much faster separable is than full, at one shape.

    Args:
        label: the shape.
        time: full / separable in time, with its interval.
        macs: the same in MACs; None if they are not counted.
        realised: the share of the saving of MACs that is saved in time, a fraction.
    """

    label: str
    time: Comparison
    macs: float | None
    realised: float | None


@dataclass(frozen=True)
class Tax:
    """The seconds of a pass, and the share of them in which kernels are generated, a fraction."""

    label: str
    seconds: float
    share: float


class Question(NamedTuple):
    """A question, the grid of cases to measure for it, its answers from records, and the table of these."""

    text: str
    grid: Grid
    find: Callable[[Sequence[Case], Sequence[Record]], Sequence[Any]]
    table: Callable[[Sequence[Any]], list[str]]

    def answer(self, cases: Sequence[Case], records: Sequence[Record]) -> list[str]:
        """Return the table of the answers."""
        return self.table(self.find(cases, records))


def realised_speedups(cases: Sequence[Case], records: Sequence[Record]) -> list[Speedup]:
    """Return how much faster separable is than full, for each shape with times of both."""
    measured = successes(records)
    found = []
    for case in cases:
        if case.variant != "full":
            continue
        separable, full = (measured.get(replace(case, variant=variant).id) for variant in ("separable", "full"))
        if separable is None or full is None:
            continue
        time = compare_records(separable, full, floor=0.0)
        of_full, of_separable = macs_of_pass(full), macs_of_pass(separable)
        macs = of_full / of_separable if of_full and of_separable else None
        realised = realised_saving(time.ratio, macs) if macs else None
        found.append(Speedup(case.label.replace(" full", "", 1), time, macs, realised))
    return found


def speedup_table(found: Sequence[Speedup]) -> list[str]:
    """Lay out the speedups: two ratios, full / separable in time and in MACs, and the share that is realised."""
    rows = [("", f"full / separable, time [{INTERVAL}]", "MACs", f"realised, {DEFINITION}")]
    for row in found:
        ratio = f"{number(row.time.ratio, '.2f')} {interval(row.time.low, row.time.high, '.2f')}"
        macs = "not counted" if row.macs is None else number(row.macs, ".1f")
        rows.append((row.label, ratio, macs, "–" if row.realised is None else percentage(row.realised, 0)))
    return columns(rows)


def kernel_synthesis_taxes(cases: Sequence[Case], records: Sequence[Record]) -> list[Tax]:
    """Return the share of a pass that kernel generation takes, with its backward if the pass has one."""
    measured = successes(records)
    found = []
    for case in cases:
        record = measured.get(case.id)
        share = None if record is None else (record.get("stages") or {}).get("kernel_generation_share")
        if record is not None and share is not None:
            found.append(Tax(case.label, record["seconds"]["median"], share))
    return found


def tax_table(found: Sequence[Tax]) -> list[str]:
    """Lay out the shares of kernel generation."""
    rows = [("", "pass, ms", "share of kernel generation")]
    return columns([*rows, *((row.label, f"{1e3 * row.seconds:.3g}", f"{row.share:.0%}") for row in found)])


FULL_AND_SEPARABLE: Grid = {"variant": ("full", "separable"), "direction": ("forward", "forward_backward")}
QUESTIONS = {
    "realised-speedup": Question(
        "how much faster separable is than full, compared with the MACs that it saves",
        FULL_AND_SEPARABLE,
        realised_speedups,
        speedup_table,
    ),
    "kernel-synthesis-tax": Question(
        "which share of a pass generates kernels, at batch sizes 1 and 64",
        {**FULL_AND_SEPARABLE, "kernels": ("generated",), "batch_size": (1, 64)},
        kernel_synthesis_taxes,
        tax_table,
    ),
}
