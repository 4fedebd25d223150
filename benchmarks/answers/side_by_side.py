"""Tables of our layers next to other people's, one table for each shape and pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.answers.text_tables import columns
from benchmarks.cases.case import CHOICES, OURS, Case
from benchmarks.records.costs import compare_records, interval_of, macs_of_pass, noise_floor, successes, why_no_macs
from benchmarks.records.record import Record
from benchmarks.statistics.comparison import INTERVAL, Comparison
from benchmarks.statistics.written import interval, number, percentage

HEADER = ("", "time, ms [95 %]", f"ratio to ours [{INTERVAL}]", "", "peak, MiB", "MACs, M")
MIB = 2**20


@dataclass(frozen=True)
class Contender:
    """A contender that was measured at one shape and pass.

    Args:
        name: whose layer it is, and its variant.
        seconds, low, high, n: median of a pass with its 95 % interval, and the number of samples.
        to_ours: the comparison with ours; None for ours, and where ours is missing.
        peak_bytes, macs: peak memory and MACs of the pass; None if unknown.
        why_no_macs: why the MACs are not counted; None if they are.
    """

    name: str
    seconds: float
    low: float
    high: float
    n: int | None
    to_ours: Comparison | None
    peak_bytes: int | None
    macs: float | None
    why_no_macs: str | None


@dataclass(frozen=True)
class Contest:
    """The contenders of one shape and pass; ``without`` says of the others why they have no times, by name."""

    label: str
    contenders: Sequence[Contender]
    without: Mapping[str, str]


@dataclass(frozen=True)
class SideBySide:
    """Contests, and the noise floor of their records, a fraction; None if it is unknown."""

    contests: Sequence[Contest]
    floor: float | None


def side_by_side(cases: Sequence[Case], records: Sequence[Record]) -> SideBySide:
    """Compare contenders at each shape and pass. A user's layer has no variant, and is compared with our "full".

    Args:
        cases: the cases to show.
        records: records of one machine, including twins; of several with one id, the newest is used.
    """
    newest, measured = {record["id"]: record for record in records if record["kind"] == "cost"}, successes(records)
    shapes: dict[Case, list[Case]] = {}
    for case in sorted(cases, key=lambda case: (CHOICES["variant"].index(case.variant), case.foreign)):
        variant = case.variant if case.variant == "plain" else "full"  # plain has no group
        shapes.setdefault(replace(case, variant=variant, implementation=OURS), []).append(case)
    floor = noise_floor(records, comparisons=sum(case.foreign for case in cases))
    contests = []
    for shape, contenders in shapes.items():
        rows = [_contender(case, measured, floor) for case in contenders if case.id in measured]
        without = [(case, newest[case.id]) for case in contenders if case.id in newest and case.id not in measured]
        said = {_name(case): f"{record['status']}: {record.get('message') or 'no times'}" for case, record in without}
        contests.append(Contest(shape.label.replace(" full", "", 1), rows, said))
    return SideBySide(contests, floor)


def lines_of(found: SideBySide) -> list[str]:
    """Return the lines of the tables. Below each table is why a contender has no MACs or no result."""
    lines = []
    for contest in found.contests:
        rows = [_row(contender, found.floor) for contender in contest.contenders]
        lines += [contest.label, *columns([HEADER, *rows] if rows else [])]
        lines += [f"{each.name}: MACs {each.why_no_macs}" for each in contest.contenders if each.why_no_macs]
        lines += [f"{name}: {reason}" for name, reason in contest.without.items()]
        lines.append("")
    return [*lines, _floor_line(found.floor)]


def _ours(case: Case) -> Case:
    """Return our case, with which a contender is compared."""
    return replace(case, implementation=OURS, variant="full" if case.own else case.variant)


def _name(case: Case) -> str:
    if case.own:
        return case.implementation
    return f"{case.implementation if case.foreign else 'ours'} {case.variant}"


def _contender(case: Case, measured: Mapping[str, Record], floor: float | None) -> Contender:
    record, ours = measured[case.id], measured.get(_ours(case).id)
    compared = compare_records(ours, record, floor=floor or 0.0) if case.foreign and ours is not None else None
    return Contender(
        _name(case),
        *interval_of(record),
        record["seconds"].get("n"),
        compared,
        (record.get("memory") or {}).get("peak_bytes"),
        macs_of_pass(record),
        why_no_macs(record),
    )


def _row(contender: Contender, floor: float | None) -> tuple[str, ...]:
    compared, peak, macs = contender.to_ours, contender.peak_bytes, contender.macs
    ratio = f"{number(compared.ratio, '.2f')} {interval(compared.low, compared.high, '.2f')}" if compared else ""
    low, time, high = (1e3 * seconds for seconds in (contender.low, contender.seconds, contender.high))
    return (
        contender.name,
        f"{number(time, '.3g')} {interval(low, high, '.3g', contender.n)}",
        ratio,
        "" if compared is None or floor is None else compared.word,
        "–" if peak is None else f"{peak / MIB:.3g}",
        "not counted" if macs is None else number(macs / 1e6, ",.1f" if macs >= 1e5 else ".2g"),
    )


def _floor_line(floor: float | None) -> str:
    if floor is None:
        return "no A/A twins among the records: nothing can be called faster or slower"
    far = f"further from 1 than the noise floor, {percentage(floor)}, which unchanged code rarely exceeds"
    return f"Faster and slower: {far}."
