"""The differences of two sets of results, case by case, and the text about them."""

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.answers.text_tables import left_columns, markdown_table
from benchmarks.cases.case import Case
from benchmarks.records.outcome import FAILURES
from benchmarks.records.printable import printable
from benchmarks.records.record import Machine, Record, machine_of, machine_text, rounds_of
from benchmarks.statistics.comparison import ERROR_RATE, WORDS, Comparison, compare_rounds
from benchmarks.statistics.summary import summarise_rounds
from benchmarks.statistics.verdicts import (
    FINE,
    NOT_COMPARED,
    REGRESSED,
    STATUS,
    UNDECIDED,
    gravest,
    verdict_of,
)
from benchmarks.statistics.written import interval, number, plural

# The size asked about in results of different hours, and their noise floor: medians of complete runs of the same code
# differ by up to this fraction from one hour to the next. Twins (one case timed twice in the same rounds) do not show
# this difference.
RESULTS_FLOOR = 0.10
SAME_RECORD, SAME_RECORDS = "the same record at A and B", "the same records: nothing to compare"
UNDECIDED_RESULTS = (
    "undecided: what decides is more rounds on both sides (sweep --rounds), or a comparison of the commits, in turns "
    "(python -m benchmarks compare)"
)


@dataclass(frozen=True)
class ComparedCase:
    """A case at A and B.

    Args:
        label: name of the case.
        a, b: medians in seconds.
        comparison: the comparison of B with A; None if there are no times on both sides.
        verdict: a word of ``statistics.verdicts``.
        failure: why there is no comparison.
        broken: whether the case fails at B alone.
        control: whether the code of the case is torch's, the same at A and B.
        remedy: what would decide an undecided case.
    """

    label: str
    a: float | None = None
    b: float | None = None
    comparison: Comparison | None = None
    verdict: str = NOT_COMPARED
    failure: str = ""
    broken: bool = False
    control: bool = False
    remedy: str = ""


@dataclass(frozen=True)
class Differences:
    """Rows, the size asked about, remarks, and the labels of cases in A alone (lost) and in B alone (new)."""

    rows: Sequence[ComparedCase]
    at_least: float
    remarks: Sequence[str]
    lost: Sequence[str] = ()
    new: Sequence[str] = ()

    @property
    def reason(self) -> str:
        """Why nothing could be compared, where all cases have the same reason."""
        reasons = {row.failure for row in self.rows if not row.control}
        return SAME_RECORDS if reasons == {SAME_RECORD} else ""

    @property
    def verdict(self) -> str:
        """The verdict on the whole: a case that fails at B alone counts as regressed, and controls do not count."""
        return gravest(row.verdict for row in self.rows if not row.control)

    @property
    def status(self) -> int:
        """The exit status of the verdict: 0 fine, 1 regressed, 2 could not compare, 3 undecided."""
        return STATUS[self.verdict]

    def value(self) -> dict[str, Any]:
        """Return the verdict, the rows and the remarks for programs; times are in seconds, changes are fractions."""
        fields = (field.name for field in dataclasses.fields(self))
        return {"verdict": self.verdict, **{name: getattr(self, name) for name in fields}}


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
    neither = f"changes below {floor:.1%} are called neither faster nor slower"
    remarks = [f"{neither}: the results are of different hours; compare commits to find smaller changes"]
    if any(row.verdict == UNDECIDED for row in rows):
        remarks.append(UNDECIDED_RESULTS)
    if same := sum(row.failure == SAME_RECORD for row in rows):
        remarks.append(f"{plural(same, 'case')} with the same record at A and B, not compared")
    if lost or new:
        remarks.append(f"{plural(len(lost), 'case')} in A alone, {len(new)} in B alone")
    if across_machines and _machines(before) != _machines(after):
        remarks.append("the results come from different machines: differences need not be the code's")
    return Differences(rows, floor, remarks, lost, new)


def check_machines(before: Sequence[Record], after: Sequence[Record], across_machines: bool) -> None:
    """Raise ``ValueError`` when two sets of results have no machine in common, unless ``across_machines``."""
    if before and after and not _machines(before) & _machines(after) and not across_machines:
        a, b = (" and ".join(sorted(map(machine_text, _machines(side)))) for side in (before, after))
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
        found[cpu, cores, gpu] = f", {machine_text((cpu, cores, gpu))}" if alike > 1 else ""
    return found


def fraction_of_percent(percentage: float, option: str) -> float:
    """Return the percentage of an option as a fraction, 0.02 for 2 %.

    Raises:
        ValueError: when the percentage is negative or infinite.
    """
    if not 0 <= percentage < math.inf:
        raise ValueError(f"{option} {percentage} is not allowed; allowed: percentages of at least 0")
    return percentage / 100


def text_lines(found: Differences) -> list[str]:
    """Write an aligned table of the rows, and the lines of ``explained``."""
    table = left_columns([HEADING, *cells(found.rows)])
    return [*(table if found.rows else []), *explained(found)]


def markdown_lines(found: Differences) -> list[str]:
    """Write the table of the rows and the lines of ``explained`` as Markdown."""
    table = markdown_table([HEADING, *cells(found.rows)])
    return [*(table if found.rows else []), "", *(f"- {line}" for line in explained(found))]


CONTROL_LINE = "control: torch's own layer, which your commits do not change: it tells whether the machine moved"
HEADING = ("B is", "B / A", f"{1 - ERROR_RATE:.0%} interval", "A, ms", "B, ms", "verdict", "case")


def _cells(row: ComparedCase) -> tuple[str, ...]:
    comparison = row.comparison
    if comparison is None or row.a is None or row.b is None:
        word = "broken" if row.broken else "–"
        return (word, "", "", "", "", row.verdict, f"{row.label}: {row.failure}")
    bounds = interval(comparison.low, comparison.high, ".3f")
    verdict = "control" if row.control else row.verdict
    times = f"{1e3 * row.a:.4g}", f"{1e3 * row.b:.4g}"
    return (comparison.word, number(comparison.ratio, ".3f"), bounds, *times, verdict, row.label)


def cells(rows: Iterable[ComparedCase]) -> list[tuple[str, ...]]:
    """Return the cells below ``HEADING``: regressed cases, then undecided ones, each with the slowest first."""
    order = (REGRESSED, UNDECIDED, FINE, NOT_COMPARED)

    def goodness(row: ComparedCase) -> tuple[bool, int, bool, float]:
        ratio = row.comparison.ratio if row.comparison else 0.0
        return row.control, order.index(row.verdict), not row.broken, -ratio

    return [_cells(row) for row in sorted(rows, key=goodness)]


def explained(found: Differences) -> list[str]:
    """Return the remarks, the numbers of rows with each word and verdict, and the reason for the exit status."""
    judged = [row for row in found.rows if not row.control]
    controls = [CONTROL_LINE] if len(judged) < len(found.rows) else []
    said = Counter(row.comparison.word for row in judged if row.comparison)
    verdicts = Counter(row.verdict for row in judged)
    broken = sum(row.broken for row in judged)
    lines = [*found.remarks, f"{said.total()} compared: " + ", ".join(f"{said[word]} {word}" for word in WORDS)]
    if failed := len(judged) - said.total():
        lines[-1] += f"; {failed} not compared, of which {broken} fail at B alone"
    lines += [f"undecided: {row.label}: {row.remedy}" for row in judged if row.verdict == UNDECIDED and row.remedy]
    size = f"{found.at_least:.1%}"
    slower = verdicts[REGRESSED] - broken
    undecided = f"{verdicts[UNDECIDED]} may be slower by {size} or more"
    reasons = {
        FINE: f"no case is slower by {size} or more",
        REGRESSED: f"{slower} slower, {broken} broken" + (f", {undecided}" if verdicts[UNDECIDED] else ""),
        UNDECIDED: undecided,
        NOT_COMPARED: found.reason or "no case has times on both sides",
    }
    return [*lines, *controls, f"{found.verdict}: {reasons[found.verdict]}"]


def broken_case(label: str, failure: str) -> ComparedCase:
    """Return the row of a case that fails at B alone."""
    return ComparedCase(label, verdict=REGRESSED, failure=failure, broken=True)


def _row_of_records(before: Record, after: Record, floor: float, ends: Mapping[Machine, str]) -> ComparedCase:
    name = record_label(after, ends)
    sides = {"A": before, "B": after}
    failures = "; ".join(f"at {side}: {record['status']}" for side, record in sides.items() if not _timed(record))
    if failures and _timed(before) and after["status"] in FAILURES:
        return broken_case(name, failures)
    if failures:
        return ComparedCase(name, failure=failures)
    a, b = rounds_of(before), rounds_of(after)
    if a == b:  # two measurements never give the same samples
        return ComparedCase(name, failure=SAME_RECORD)
    comparison = compare_rounds(a, b, floor, paired=False)
    verdict = verdict_of(comparison.low, comparison.high, floor)
    if verdict == REGRESSED and comparison.word != "slower":  # certain, but smaller than what hours change
        verdict = UNDECIDED
    before_s, after_s = (float(summarise_rounds(rounds)["median"]) for rounds in (a, b))
    return ComparedCase(name, before_s, after_s, comparison, verdict)


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
