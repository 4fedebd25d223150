"""The differences of two sets of results, case by case, and the text about them."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.answers.text_tables import left_columns, markdown_table
from benchmarks.cases.case import Case
from benchmarks.records.outcome import FAILURES
from benchmarks.records.printable import printable
from benchmarks.records.record import Machine, Record, machine_of, rounds_of
from benchmarks.statistics.comparison import ERROR_RATE, WORDS, Comparison, Rounds, compare_rounds
from benchmarks.statistics.summary import summarise_rounds

# The noise floor: medians of complete runs of the same code differ by up to this fraction from one hour to the next.
# Twins (one case timed twice in the same rounds) do not show this difference.
RESULTS_FLOOR = 0.10
NO_REGRESSION, REGRESSION, NOTHING_COMPARED = 0, 1, 2


@dataclass(frozen=True)
class ComparedCase:
    """A case at A and B: the medians in seconds and their comparison, or a ``failure``; ``broken``: B alone fails."""

    label: str
    a: float | None = None
    b: float | None = None
    comparison: Comparison | None = None
    failure: str = ""
    broken: bool = False


@dataclass(frozen=True)
class Differences:
    """Rows, remarks about them, and the labels of cases in A alone (lost) and in B alone (new)."""

    rows: Sequence[ComparedCase]
    remarks: Sequence[str]
    lost: Sequence[str] = ()
    new: Sequence[str] = ()

    @property
    def status(self) -> int:
        """The exit status: 1 if a case is slower or fails at B alone, else 2 if nothing could be compared, else 0."""
        if any(row.broken or (row.comparison and row.comparison.word == "slower") for row in self.rows):
            return REGRESSION
        return NO_REGRESSION if any(row.comparison for row in self.rows) else NOTHING_COMPARED


def compare_results(
    before: Sequence[Record], after: Sequence[Record], floor: float, across_machines: bool = False
) -> Differences:
    """Compare the records of equal cases. Rounds are not paired, because A and B were measured at different times.

    Raises:
        ValueError: when the records have no machine in common, unless ``across_machines``.
    """
    check_machines(before, after, across_machines)
    a, b = (_by_case(records, across_machines) for records in (before, after))
    ends = endings(before, after, across_machines)
    rows = [_row_of_records(a[key], b[key], floor, ends) for key in a if key in b]
    lost, new = ([record_label(one[key], ends) for key in one if key not in other] for one, other in ((a, b), (b, a)))
    remarks = [f"noise floor {floor:.1%}, given: results of different hours; to find smaller changes, compare commits"]
    if lost or new:
        remarks.append(f"{len(lost)} cases are in A alone, {len(new)} in B alone")
    if across_machines and _machines(before) != _machines(after):
        remarks.append("the results come from different machines: differences need not be the code's")
    return Differences(rows, remarks, lost, new)


def check_machines(before: Sequence[Record], after: Sequence[Record], across_machines: bool) -> None:
    """Raise ``ValueError`` when two sets of results have no machine in common, unless ``across_machines``."""
    if before and after and not _machines(before) & _machines(after) and not across_machines:
        a, b = (" and ".join(", ".join(machine) for machine in sorted(_machines(side))) for side in (before, after))
        raise ValueError(
            printable(f"results of different machines, {a} against {b}; say --across-machines to compare them")
        )


def endings(before: Sequence[Record], after: Sequence[Record], across_machines: bool) -> dict[Machine, str]:
    """Return the end of each machine's labels: its name, where results of several processors or GPUs are compared.

    A label says by itself whether a processor or a GPU ran its case, but not which one.
    """
    if across_machines:
        return {}
    found, machines = {}, _machines(before) | _machines(after)
    for cpu, cores, gpu in machines:
        alike = sum((other == "None") == (gpu == "None") for _, _, other in machines)
        name = f"{cpu}, {cores} cores" if gpu == "None" else f"{gpu} in {cpu}, {cores} cores"
        found[cpu, cores, gpu] = f", {name}" if alike > 1 else ""
    return found


def floor_of_percent(percentage: float) -> float:
    """Return a noise floor as a fraction, 0.02 for 2 %; raise ``ValueError`` if it is negative or infinite."""
    if not 0 <= percentage < math.inf:
        raise ValueError(f"floor {percentage} is not allowed; allowed: percentages of at least 0")
    return percentage / 100


def text_lines(found: Differences) -> list[str]:
    """Write an aligned table of the rows, and the lines of ``explained``."""
    table = left_columns([HEADING, *cells(found.rows)])
    return [*(table if found.rows else []), *explained(found)]


def markdown_lines(found: Differences) -> list[str]:
    """Write the table of the rows and the lines of ``explained`` as Markdown."""
    table = markdown_table([HEADING, *cells(found.rows)])
    return [*(table if found.rows else []), "", *(f"- {line}" for line in explained(found))]


HEADING = ("B is", "B / A", f"{1 - ERROR_RATE:.0%} interval", "A, ms", "B, ms", "case")


def _cells(row: ComparedCase) -> tuple[str, ...]:
    comparison = row.comparison
    if comparison is None or row.a is None or row.b is None:
        return ("broken" if row.broken else "–", "", "", "", "", f"{row.label}: {row.failure}")
    interval = f"[{comparison.low:.3f}, {comparison.high:.3f}]"
    return (comparison.word, f"{comparison.ratio:.3f}", interval, f"{1e3 * row.a:.4g}", f"{1e3 * row.b:.4g}", row.label)


def cells(rows: Iterable[ComparedCase]) -> list[tuple[str, ...]]:
    """Return the cells below ``HEADING``, the worst case first."""

    def badness(row: ComparedCase) -> tuple[bool, bool, float]:
        slower = row.comparison is not None and row.comparison.word == "slower"
        return row.broken, slower, row.comparison.ratio if row.comparison else 0.0

    return [_cells(row) for row in sorted(rows, key=badness, reverse=True)]


def explained(found: Differences) -> list[str]:
    """Return the remarks, the number of rows with each of ``WORDS``, and the reason for the exit status."""
    said = Counter(row.comparison.word for row in found.rows if row.comparison)
    compared, broken = sum(said.values()), sum(row.broken for row in found.rows)
    counts = ", ".join(f"{said[word]} {word}" for word in WORDS)
    failed = len(found.rows) - compared
    failures = f"; {failed} not compared, of which {broken} fail at B alone" if failed else ""
    reasons = {
        NO_REGRESSION: "no regression: no case is slower beyond the noise floor",
        REGRESSION: f"regression: {said['slower']} slower beyond the noise floor, {broken} broken",
        NOTHING_COMPARED: "nothing could be compared: no case has times on both sides",
    }
    return [*found.remarks, f"{compared} compared: {counts}{failures}", reasons[found.status]]


def judged(label: str, a: Rounds, b: Rounds, floor: float, *, paired: bool) -> ComparedCase:
    """Return the row of a case that has rounds at A and at B."""
    before, after = (summarise_rounds(rounds)["median"] for rounds in (a, b))
    return ComparedCase(label, before, after, compare_rounds(a, b, floor, paired=paired))


def _row_of_records(before: Record, after: Record, floor: float, ends: Mapping[Machine, str]) -> ComparedCase:
    name = record_label(after, ends)
    sides = {"A": before, "B": after}
    failures = [f"at {side}: {record['status']}" for side, record in sides.items() if not _timed(record)]
    if failures:
        return ComparedCase(name, failure="; ".join(failures), broken=_timed(before) and after["status"] in FAILURES)
    return judged(name, rounds_of(before), rounds_of(after), floor, paired=False)


def _machines(records: Iterable[Record]) -> set[Machine]:
    return {machine_of(record) for record in records}


def _by_case(records: Iterable[Record], across_machines: bool) -> dict[tuple[Machine | None, str], Record]:
    costs = [record for record in records if record["kind"] == "cost"]
    return {(None if across_machines else machine_of(record), record["id"]): record for record in costs}


def _timed(record: Record) -> bool:
    return record["status"] == "ok" and bool(rounds_of(record))


def record_label(record: Record, ends: Mapping[Machine, str]) -> str:
    """Return the label of a record's case, or its id if the case is unreadable, and the end from ``endings``."""
    try:
        label = Case(**record["case"]).label
    except (KeyError, TypeError, ValueError):  # a record of another version of Case
        label = str(record["id"])
    return printable(f"{label}{ends.get(machine_of(record), '')}", 200)
