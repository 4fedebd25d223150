"""``python -m benchmarks compare A B``: is B slower than A? Two commits, measured now, or two sets of results."""

import argparse
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.commits import measure_commits, resolve
from benchmarks.comparison import ERROR_RATE, WORDS, Comparison, Rounds, compare_rounds, minimum_detectable_effect
from benchmarks.measure.clock import Sampling
from benchmarks.measure.statistics import summarise_rounds
from benchmarks.records import FAILURES, Machine, Record, RecordStore, machine_of
from benchmarks.sweep import check_machine

# The medians of complete runs of the same code differ by so much from one hour to the next; twins, which are timed
# together, do not see it.
RESULTS_FLOOR = 0.10
NO_REGRESSION, REGRESSION, NOTHING_COMPARED = 0, 1, 2


@dataclass(frozen=True)
class Row:
    """A case at A and at B: medians in seconds, and what is said about B; or why nothing is."""

    label: str
    a: float | None = None
    b: float | None = None
    comparison: Comparison | None = None
    failure: str = ""
    broken: bool = False


@dataclass(frozen=True)
class Report:
    """Rows, the floor that they were judged by, and the lines that explain both."""

    rows: Sequence[Row]
    remarks: Sequence[str]

    @property
    def status(self) -> int:
        """The exit status: 1 when a case is slower, or fails at B alone; 2 when nothing could be compared."""
        if any(row.broken or (row.comparison and row.comparison.word == "slower") for row in self.rows):
            return REGRESSION
        return NO_REGRESSION if any(row.comparison for row in self.rows) else NOTHING_COMPARED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command, besides those that choose cases."""
    parser.add_argument("a", metavar="A", help="what to compare with: a commit, '.' (the work tree), or results")
    parser.add_argument("b", metavar="B", help="what is judged: the same kind of thing")
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="processes of each commit (default: 10)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a case at each commit, in all (default: 1)")
    parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="as in sweep (default: 600)")
    parser.add_argument(
        "--floor",
        type=float,
        default=None,
        metavar="PERCENT",
        help=f"smallest change that counts (default: {RESULTS_FLOOR:.0%} for results, what A/A twins show for commits)",
    )
    parser.add_argument("--across-machines", action="store_true", help="compare results of different machines")
    parser.add_argument("--markdown", action="store_true", help="a Markdown table, for a job summary")


def main(args: argparse.Namespace, cases: Sequence[Case]) -> int:
    """Compare, print the table and why; returns the exit status: 0 no regression, 1 a regression, 2 nothing compared.

    Raises:
        ValueError: for a wrong request.
        OSError: when results cannot be read.
    """
    if args.floor is not None and not 0 <= args.floor < math.inf:
        raise ValueError(f"floor {args.floor} is not allowed; allowed: percentages of at least 0")
    floor = None if args.floor is None else args.floor / 100
    paths = Path(args.a), Path(args.b)
    if all(_is_results(path) for path in paths):
        before, after = (_load(path) for path in paths)
        report = compare_results(before, after, RESULTS_FLOOR if floor is None else floor, args.across_machines)
    else:
        if args.rounds < 2:
            raise ValueError(f"rounds {args.rounds} are too few to compare commits; allowed: integers of at least 2")
        check_machine(cases)
        sampling = Sampling(rounds=args.rounds, seconds=args.seconds)
        report = compare_commits(resolve(args.a), resolve(args.b), cases, sampling, args.timeout, floor or 0.0)
    print(*(markdown(report) if args.markdown else text(report)), sep="\n")
    return report.status


def compare_results(
    before: Sequence[Record], after: Sequence[Record], floor: float, across_machines: bool = False
) -> Report:
    """Compare the records of equal cases; their rounds are no pairs.

    Raises:
        ValueError: when the records come from different machines, unless ``across_machines``.
    """
    machines = [{machine_of(record) for record in records} for records in (before, after)]
    if before and after and not machines[0] & machines[1] and not across_machines:
        a, b = (" and ".join(", ".join(machine) for machine in sorted(side)) for side in machines)
        raise ValueError(f"results of different machines, {a} against {b}; say --across-machines to compare them")
    keys = [_by_case(records, across_machines) for records in (before, after)]
    rows = [_row_of_records(keys[0][key], keys[1][key], floor) for key in keys[0] if key in keys[1]]
    alone = len(keys[0]) + len(keys[1]) - 2 * len(rows)
    remarks = [f"floor {floor:.1%}, stated: results of different hours; to find less, compare commits"]
    if alone:
        remarks.append(f"{alone} cases are in one of the results alone")
    if across_machines and machines[0] != machines[1]:
        remarks.append("the results come from different machines: differences need not be the code's")
    return Report(rows, remarks)


def compare_commits(
    a: str, b: str, cases: Sequence[Case], sampling: Sampling, timeout: float, floor: float = 0.0
) -> Report:
    """Measure the cases at two commits in alternating processes, and compare them in pairs."""
    pairs = measure_commits(a, b, cases, sampling, timeout)
    whole = {case: pair for case, pair in pairs.items() if not pair.failures}
    remarks = [f"{a[:10]} against {b[:10]}, {sampling.rounds} pairs of processes for each case"]
    if whole:
        found = minimum_detectable_effect([pair.twins() for pair in whole.values()], comparisons=len(whole))
        remarks.append(f"floor {max(floor, found):.1%}; A/A twins of {len(whole)} cases show up to {found:.1%}")
        floor = max(floor, found)
    rows = []
    for case, pair in pairs.items():
        if pair.failures:
            why = "; ".join(f"at {name}: {message}" for name, message in pair.failures.items())
            rows.append(Row(case.label, failure=why, broken="A" not in pair.failures))
        else:
            rows.append(_row(case.label, pair.a, pair.b, floor, paired=True))
    return Report(rows, remarks)


def text(report: Report) -> list[str]:
    """The lines of an aligned table, and why the exit status is what it is."""
    cells = [_HEAD, *(_cells(row) for row in _ordered(report.rows))]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return [*(table if report.rows else []), *_explained(report)]


def markdown(report: Report) -> list[str]:
    """The same as Markdown."""
    cells = [_HEAD, ("---",) * len(_HEAD), *(_cells(row) for row in _ordered(report.rows))]
    table = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in cells]
    return [*(table if report.rows else []), "", *(f"- {line}" for line in _explained(report))]


_HEAD = ("B is", "B / A", f"{1 - ERROR_RATE:.0%} interval", "A, ms", "B, ms", "case")


def _cells(row: Row) -> tuple[str, ...]:
    comparison = row.comparison
    if comparison is None or row.a is None or row.b is None:
        return ("broken" if row.broken else "–", "", "", "", "", f"{row.label}: {row.failure}")
    interval = f"[{comparison.low:.3f}, {comparison.high:.3f}]"
    return (comparison.word, f"{comparison.ratio:.3f}", interval, f"{1e3 * row.a:.4g}", f"{1e3 * row.b:.4g}", row.label)


def _ordered(rows: Iterable[Row]) -> list[Row]:
    """The worst first."""

    def badness(row: Row) -> tuple[bool, bool, float]:
        slower = row.comparison is not None and row.comparison.word == "slower"
        return row.broken, slower, row.comparison.ratio if row.comparison else 0.0

    return sorted(rows, key=badness, reverse=True)


def _explained(report: Report) -> list[str]:
    said = Counter(row.comparison.word for row in report.rows if row.comparison)
    compared, broken = sum(said.values()), sum(row.broken for row in report.rows)
    counts = ", ".join(f"{said[word]} {word}" for word in WORDS)
    failed = len(report.rows) - compared
    summary = f"{compared} compared: {counts}" + (
        f"; {failed} not, of which {broken} fail at B alone" if failed else ""
    )
    reasons = {
        NO_REGRESSION: "no regression: no case is slower beyond the floor",
        REGRESSION: f"regression: {said['slower']} slower beyond the floor, {broken} broken",
        NOTHING_COMPARED: "nothing could be compared: no case has times on both sides",
    }
    return [*report.remarks, summary, reasons[report.status]]


def _row(label: str, a: Rounds, b: Rounds, floor: float, *, paired: bool) -> Row:
    before, after = (summarise_rounds(rounds)["median"] for rounds in (a, b))
    return Row(label, before, after, compare_rounds(a, b, floor, paired=paired))


def _row_of_records(before: Record, after: Record, floor: float) -> Row:
    label = _label(after)
    failures = [
        f"at {name}: {record['status']}" for name, record in (("A", before), ("B", after)) if not _timed(record)
    ]
    if failures:
        return Row(label, failure="; ".join(failures), broken=_timed(before) and after["status"] in FAILURES)
    return _row(label, _rounds(before), _rounds(after), floor, paired=False)


def _is_results(path: Path) -> bool:
    return path.is_file() or (path / RecordStore(path).path.name).is_file()


def _load(path: Path) -> list[Record]:
    return [record for record in RecordStore.at(path).load() if record["kind"] == "cost"]


def _by_case(records: Iterable[Record], across_machines: bool) -> dict[tuple[Machine | None, str], Record]:
    return {(None if across_machines else machine_of(record), record["id"]): record for record in records}


def _timed(record: Record) -> bool:
    return record["status"] == "ok" and bool(record.get("seconds"))


def _rounds(record: Record) -> Rounds:
    seconds = record["seconds"]
    rounds: Rounds = seconds.get("rounds") or [seconds["samples"]]  # schema 1 had one process
    return rounds


def _label(record: Record) -> str:
    try:
        return Case(**record["case"]).label
    except (TypeError, ValueError):  # of another version of Case
        return str(record["id"])
