"""The rows of a profile's tables: time, calls, MACs, bytes and share of the roof, by operator and by module."""

from collections.abc import Callable, Container
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, TypeVar

import numpy as np

from benchmarks.profiling.attribution import BETWEEN, OPTIMISER, Place
from benchmarks.profiling.profile import Profile, fastest_mean, interval_fields
from benchmarks.statistics.intervals import Interval, mean_over_rounds
from benchmarks.statistics.roofline import roofline

# On a GPU the time between operators is the time between kernels.
GAPS = "gaps between kernels"
# The time that belongs to no phase, and so to no operator and no module.
BETWEEN_PHASES = "between phases"
Key = TypeVar("Key")


@dataclass(frozen=True)
class Row:
    """An operator or a module of a profile; times are seconds of a pass.

    Args:
        name: of the operator; or of the module, empty for the profiled module itself.
        phase: of a module's row, "forward", "backward" or "optimiser"; empty for operators, in whatever phase.
        rounds: own time in each round, without that of other operators, or of modules, inside.
        total: time with all that is inside, seconds.
        calls: calls in a pass.
        macs: MACs in a pass; None if an operator has no rule, or if nothing was dispatched here.
        bytes: bytes that operators read and write in a pass.
        roof: the part of the time that the machine would take at its ceilings, None without ceilings or MACs.
    """

    name: str
    phase: str
    rounds: tuple[float, ...]
    total: float
    calls: float
    macs: int | None
    bytes: int
    roof: float | None

    @property
    def seconds(self) -> Interval:
        """Own time with a 95 % interval over rounds."""
        return mean_over_rounds(self.rounds)

    @property
    def text(self) -> str:
        """The operator; or the module and its phase, in words."""
        if not self.phase:
            return self.name or BETWEEN_PHASES
        return self.phase if self.phase == OPTIMISER else f"{self.name or 'the module itself'} {self.phase}"

    def fields(self) -> dict[str, Any]:
        """Return the row as JSON types."""
        return {**asdict(self), "seconds": interval_fields(self.seconds)}


def operator_name(place: Place, dispatched: Container[str], device: str) -> str:
    """Return the operator that a place's time is counted for; between operators, what the pass is doing instead."""
    name = place.operator(dispatched)
    if name != BETWEEN:
        return name
    if device == "cuda":
        return GAPS
    return BETWEEN if place.phase else BETWEEN_PHASES


def operator_rows(profile: Profile) -> list[Row]:
    """Return a row for each operator, and for the time between operators in each phase; the longest time first."""

    def key_of(place: Place) -> tuple[str, str]:
        name = operator_name(place, profile.dispatched, profile.device)
        return (f"{name}, {place.phase}" if name == BETWEEN else name), ""

    return _rows(
        profile,
        key_of,
        lambda place, key: key[0] in place.path,
        lambda count: (count.operator, ""),
        lambda place, key: bool(place.path) and place.path[-1] == key[0],
    )


def module_rows(profile: Profile) -> list[Row]:
    """Return a row for each module and phase; the longest own time first."""
    return _rows(
        profile,
        lambda place: (place.module, place.phase),
        lambda place, key: place.phase == key[1] and (place.module + ".").startswith(f"{key[0]}." if key[0] else ""),
        lambda count: (count.module, count.phase),
        lambda place, key: not place.path and (place.module, place.phase) == key,
    )


def _rows(
    profile: Profile,
    key_of: Callable[[Place], tuple[str, str]],
    contains: Callable[[Place, tuple[str, str]], bool],
    key_of_count: Callable[[Any], tuple[str, str]],
    is_call: Callable[[Place, tuple[str, str]], bool],
) -> list[Row]:
    by_round = seconds_by_round(profile, key_of)
    mean = np.mean([each.seconds for each in profile.rounds], axis=0)
    rows = []
    for key, values in by_round.items():
        counted = [count for count in profile.counts if key_of_count(count) == key]
        known = [count.macs for count in counted if count.macs is not None]
        macs = sum(known) if counted and len(known) == len(counted) else None
        moved = sum(count.bytes for count in counted)
        inside = [time for time, place in zip(mean, profile.places, strict=True) if contains(place, key)]
        calls = [number for number, place in zip(profile.calls, profile.places, strict=True) if is_call(place, key)]
        own = float(np.mean(values))
        total = float(sum(inside)) or own
        roof = None
        if profile.ceilings and macs is not None and moved and own:
            roof = roofline(macs, moved, own, dict(profile.ceilings))["fraction"]
        rows.append(Row(*key, tuple(values), total, sum(calls), macs, moved, roof))
    return sorted(rows, key=lambda row: -row.seconds.value)


def seconds_by_round(profile: Profile, key_of: Callable[[Place], Key]) -> dict[Key, list[float]]:
    """Return the seconds of a pass in each round, added up over the places with equal keys."""
    found: dict[Key, list[float]] = {}
    for number, place in enumerate(profile.places):
        values = found.setdefault(key_of(place), [0.0] * len(profile.rounds))
        for index, each in enumerate(profile.rounds):
            values[index] += each.seconds[number]
    return found


@dataclass(frozen=True)
class Pass:
    """The time of a pass.

    Args:
        plain, profiled: seconds without and with the profiler, of the fastest quarter of the passes.
        plain_median, profiled_median: medians of all passes, as in a sweep's record.
        overhead: by which fraction a pass takes longer with the profiler.
        operators, between: the fractions of a profiled pass during which an operator runs, and during which Python and
            torch's dispatch are busy in a phase; on CUDA, kernels and the gaps between them.
    """

    plain: Interval
    profiled: Interval
    plain_median: float
    profiled_median: float
    overhead: Interval
    operators: Interval
    between: Interval


def pass_of(profile: Profile) -> Pass:
    """Return the time of a profiled pass."""
    plain = [fastest_mean(each.plain) for each in profile.rounds]
    profiled = [sum(each.seconds) for each in profile.rounds]

    def fraction(is_in: Callable[[Place], bool]) -> Interval:
        parts = seconds_by_round(profile, is_in).get(True, [0.0] * len(profile.rounds))
        return mean_over_rounds([part / whole for part, whole in zip(parts, profiled, strict=True)])

    return Pass(
        mean_over_rounds(plain),
        mean_over_rounds(profiled),
        median([time for each in profile.rounds for time in each.plain]),
        median([time for each in profile.rounds for time in each.profiled]),
        mean_over_rounds([slow / fast - 1 for slow, fast in zip(profiled, plain, strict=True)]),
        fraction(lambda place: bool(place.path)),
        fraction(lambda place: not place.path and (bool(place.phase) or profile.device == "cuda")),
    )
