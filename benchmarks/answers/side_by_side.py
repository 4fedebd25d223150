"""Tables of our layers next to other people's, one table for each shape and pass."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.answers.text_tables import columns
from benchmarks.cases.case import CHOICES, OURS, Case
from benchmarks.records.costs import compare_records, macs_of_pass, noise_floor, successes, why_no_macs
from benchmarks.records.record import Record
from benchmarks.statistics.comparison import INTERVAL
from benchmarks.statistics.written import interval, number, percentage

HEADER = ("", "time, ms [95 %]", f"ratio to ours [{INTERVAL}]", "", "peak, MiB", "MACs, M")
MIB = 2**20


def side_by_side(cases: Sequence[Case], records: Sequence[Record]) -> list[str]:
    """Return the lines of the tables. Below each table is why a contender has no MACs or no result.

    A user's layer has no variant, and is compared with our variant "full".

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
    lines = []
    for shape, contenders in shapes.items():
        rows = [_row(case, measured, floor) for case in contenders if case.id in measured]
        lines += [shape.label.replace(" full", "", 1), *columns([HEADER, *rows] if rows else [])]
        without = [(case, newest[case.id]) for case in contenders if case.id in newest and case.id not in measured]
        uncounted = [(case, why_no_macs(measured[case.id])) for case in contenders if case.id in measured]
        lines += [f"{_name(case)}: MACs {reason}" for case, reason in uncounted if reason]
        lines += [
            f"{_name(case)}: {record['status']}: {record.get('message') or 'no times'}" for case, record in without
        ]
        lines.append("")
    return [*lines, _floor_line(floor)]


def _ours(case: Case) -> Case:
    """Return our case, with which a contender is compared."""
    return replace(case, implementation=OURS, variant="full" if case.own else case.variant)


def _name(case: Case) -> str:
    if case.own:
        return case.implementation
    return f"{case.implementation if case.foreign else 'ours'} {case.variant}"


def _row(case: Case, measured: Mapping[str, Record], floor: float | None) -> tuple[str, ...]:
    record, ours = measured[case.id], measured.get(_ours(case).id)
    ratio, word = "", ""
    if case.foreign and ours is not None:
        compared = compare_records(ours, record, floor=floor or 0.0)
        ratio = f"{number(compared.ratio, '.2f')} {interval(compared.low, compared.high, '.2f')}"
        word = "" if floor is None else compared.word
    low, time, high = (1e3 * record["seconds"][name] for name in ("ci_low", "median", "ci_high"))
    peak, macs = (record.get("memory") or {}).get("peak_bytes"), macs_of_pass(record)
    return (
        _name(case),
        f"{number(time, '.3g')} {interval(low, high, '.3g', record['seconds'].get('n'))}",
        ratio,
        word,
        "–" if peak is None else f"{peak / MIB:.3g}",
        "not counted" if macs is None else number(macs / 1e6, ",.1f" if macs >= 1e5 else ".2g"),
    )


def _floor_line(floor: float | None) -> str:
    if floor is None:
        return "no A/A twins among the records: nothing can be called faster or slower"
    far = f"further from 1 than the noise floor, {percentage(floor)}, which unchanged code rarely exceeds"
    return f"Faster and slower: {far}."
