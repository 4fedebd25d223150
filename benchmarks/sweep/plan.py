"""The plan of a sweep: what it would measure, how long that takes by the values of each axis, and what to cut."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.answers.text_tables import columns
from benchmarks.cases.blocks import Block
from benchmarks.cases.case import AXES, CHOICES, Case, is_own
from benchmarks.measure.sampling import Sampling
from benchmarks.records.costs import successes
from benchmarks.records.record import Record, machine_of, machine_text
from benchmarks.statistics.written import percentage
from benchmarks.sweep.estimate import Known, Survey, minutes, seconds_by_case

# The greatest number of reasons to skip cases, and of values to cut, that are printed.
REASONS, CUTS = 10, 3
# The least share of a plan's time that a value must save, so that to cut it is worth a word.
LEAST_SAVED = 0.1
MIB = 2**20


@dataclass(frozen=True)
class Share:
    """The cases with a value on an axis: how many they are, their seconds, and the share of these in the plan."""

    axis: str
    value: str | int
    cases: int
    seconds: float
    share: float


@dataclass(frozen=True)
class Plan:
    """The plan of a sweep.

    Args:
        cases, there: numbers of all cases, and of those with a record.
        to_do, blocks, rounds: the number of cases to measure, of the blocks that hold them, and of rounds in a block.
        seconds: the estimated duration of the cases whose times are known.
        untimed: the number of cases that would run and whose times are not known.
        skipped: the numbers of cases that would be skipped, by reason.
        shares: the seconds by value, for each axis on which the cases to measure differ.
        largest: the case that needs most memory, and its predicted bytes; None if nothing is to do.
    """

    cases: int
    there: int
    to_do: int
    blocks: int
    rounds: int
    seconds: float
    untimed: int
    skipped: Mapping[str, int]
    shares: Sequence[Share]
    largest: tuple[str, int] | None

    @property
    def cuts(self) -> list[Share]:
        """The values that cost most beyond their share of the cases; without one, each axis keeps another value.

        Each saves ``LEAST_SAVED`` of the time or more, and none is a user's layer or network.
        """
        ours = [share for share in self.shares if share.value != "custom" and not is_own(share.value)]
        dear = sorted(ours, key=lambda share: share.cases / self.to_do - share.share)[:CUTS]
        return [share for share in dear if share.seconds >= LEAST_SAVED * self.seconds] if self.seconds else []


def make_plan(cases: int, there: int, blocks: Sequence[Block], found: Survey, sampling: Sampling) -> Plan:
    """Return the plan of some blocks; ``there`` of the ``cases`` have a record, and the blocks have the others."""
    seconds = {case: each for block in blocks for case, each in seconds_by_case(block, found.seconds, sampling).items()}
    to_do = [case for block in blocks for case in block.cases]
    runs = [case for case in to_do if case.id not in found.reasons]
    largest = max(runs or to_do, key=lambda case: found.needs.get(case.id, 0), default=None)
    return Plan(
        cases,
        there,
        len(to_do),
        len(blocks),
        sampling.rounds,
        sum(seconds.values()),
        len(runs) - len(seconds),
        dict(Counter(found.reasons.values()).most_common()),
        _shares(to_do, seconds),
        None if largest is None else (largest.label, found.needs.get(largest.id, 0)),
    )


def _shares(cases: Sequence[Case], seconds: Mapping[Case, float]) -> list[Share]:
    total, found = sum(seconds.values()), []
    for axis in AXES:
        values = list(dict.fromkeys(getattr(case, axis) for case in cases))
        if axis not in CHOICES:
            values.sort()
        for value in values if len(values) > 1 else ():
            mine = [case for case in cases if getattr(case, axis) == value]
            spent = sum(seconds.get(case, 0.0) for case in mine)
            found.append(Share(axis, value, len(mine), spent, spent / total if total else 0.0))
    return found


def plan_lines(plan: Plan) -> list[str]:
    """Write the plan as lines of text."""
    s, skipped = "" if plan.blocks == 1 else "s", sum(plan.skipped.values())
    unknown = f"the times of {plan.untimed} are not known without a GPU (--times-of gives records of one)"
    times = [f"about {minutes(plan.seconds)}"] if plan.seconds or not plan.untimed else []
    times += [unknown] if plan.untimed else []
    lines = [
        f"{plan.cases} cases, {plan.there} of them already there; {plan.to_do} to do in {plan.blocks} block{s} of "
        f"{plan.rounds} rounds, {'; '.join(times)}; {skipped} will be skipped"
    ]
    lines += [f"  {count} × {reason}" for reason, count in [*plan.skipped.items()][:REASONS]]
    if len(plan.skipped) > REASONS:
        lines.append(f"  and {len(plan.skipped) - REASONS} other reasons")
    if plan.largest is not None:
        label, needs = plan.largest
        lines.append(f"most memory: about {needs / MIB:,.0f} MiB, {label}")
    if plan.shares:
        lines += ["", *columns([_heading(plan), *(_row(share, plan) for share in plan.shares)])]
    saved = [
        f"{minutes(share.seconds)} are saved without {share.axis} {share.value} ({share.cases} cases)"
        for share in plan.cuts
    ]
    if saved:
        lines += ["", f"to cut: of {minutes(plan.seconds)}, {', '.join(saved)}"]
    return lines


def _heading(plan: Plan) -> tuple[str, ...]:
    return ("axis and value", "cases", *(("time", "share", "without it") if plan.seconds else ()))


def _row(share: Share, plan: Plan) -> tuple[str, ...]:
    name, rest = f"{share.axis} {share.value}", minutes(plan.seconds - share.seconds)
    times = (minutes(share.seconds), percentage(share.share, 0), rest) if plan.seconds else ()
    return (name, str(share.cases), *times)


def times_of(records: Sequence[Record], devices: Sequence[str]) -> Known:
    """Return the times of passes on the machine of some records, for the devices of a plan.

    Raises:
        ValueError: when the records have no time on the devices, or times of several machines.
    """
    timed = [record for record in successes(records).values() if record["case"].get("device") in devices]
    machines = sorted({machine_text(machine_of(record)) for record in timed})
    if len(machines) != 1:
        what = f"of {len(machines)} machines, {'; '.join(machines)}" if machines else f"without times on {devices[0]}"
        raise ValueError(f"records {what}; allowed: those of one machine, with times on {' or '.join(devices)}")
    seconds = {}
    for record in timed:
        try:
            seconds[Case(**record["case"])] = float(record["seconds"]["median"])
        except (TypeError, ValueError):  # a record of another version of Case
            continue
    return Known(seconds)
