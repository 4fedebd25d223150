"""What the difference between two profiles consists of, by operator and by module. Pure functions of profiles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.answers.differences import RESULTS_FLOOR
from benchmarks.profiling.profile import Profile, fastest_mean, interval_fields
from benchmarks.profiling.rows import Row, module_rows, operator_rows
from benchmarks.statistics.intervals import Interval, difference_of_means, mean_over_rounds
from benchmarks.statistics.written import FEWEST, percentage, plural, some_of

# Of a hundred parts that do not differ, one is called different.
CONFIDENCE = 0.99
NOT_TOLD_APART = "not told apart"
# Numbers of calls differ if they do so by this much: means over passes need not be whole numbers.
OTHER_CALLS = 0.5
# The parts that a sentence names, if they are at least this fraction of the whole difference.
NAMED, MATTERS = 3, 0.05
# The most operators with other numbers of calls that a sentence names.
MOST_CALLS = 6


@dataclass(frozen=True)
class Part:
    """A part of two passes, in seconds.

    Args:
        name: the operator; or the module and its phase, in words.
        a, b: time of the part in a pass.
        change: b less a, with the 99 % interval over rounds; bounds are NaN below three rounds.
        calls: calls of the part in a and in b.
        least: the smallest change that counts.
    """

    name: str
    a: float
    b: float
    change: Interval
    calls: tuple[float, float] = (1.0, 1.0)
    least: float = 0.0

    @property
    def told(self) -> bool:
        """Whether the interval excludes all changes that are too small to count."""
        return self.change.low > self.least or self.change.high < -self.least

    @property
    def other_calls(self) -> bool:
        """Whether the numbers of calls differ."""
        before, after = self.calls
        return abs(after - before) >= OTHER_CALLS

    def fields(self) -> dict[str, Any]:
        """Return the part as JSON types."""
        fields = {"name": self.name, "a_seconds": self.a, "b_seconds": self.b, "calls": self.calls}
        return {**fields, "change_seconds": interval_fields(self.change), "told_apart": self.told}


@dataclass(frozen=True)
class Difference:
    """Two profiles side by side: the whole pass without the profiler, and with it by operator and by module.

    Args:
        in_turns: whether the passes were taken in turns: then each round gives a difference.
        rounds: the rounds of the side that has fewer.
    """

    a: str
    b: str
    in_turns: bool
    rounds: int
    plain: Part
    profiled: Part
    operators: tuple[Part, ...]
    modules: tuple[Part, ...]

    @property
    def too_few_rounds(self) -> bool:
        """Whether there are too few rounds for intervals, so that nothing is told apart."""
        return self.rounds < FEWEST

    def fields(self) -> dict[str, Any]:
        """Return the difference as JSON types."""
        return {
            "a": self.a,
            "b": self.b,
            "in_turns": self.in_turns,
            "pass": self.plain.fields(),
            "profiled_pass": self.profiled.fields(),
            "operators": [part.fields() for part in self.operators],
            "modules": [part.fields() for part in self.modules],
        }


def _label_with_origin(profile: Profile) -> str:
    """Return the label of a profile with the commit and the time, which tell two profiles of one case apart."""
    known = profile.provenance
    commit, measured = known.get("commit"), str(known.get("measured_at") or "unknown time")
    changes = " with changes" if known.get("dirty") else ""
    return f"{profile.label}, {f'commit {commit[:10]}{changes}' if commit else 'unknown commit'}, {measured}"


def difference(a: Profile, b: Profile, *, in_turns: bool) -> Difference:
    """Compare two profiles; the parts with the largest changes come first.

    Args:
        in_turns: whether ``collect`` took both in turns. What slows the machine down meets both sides of a round then,
            and cancels in their difference. Else a difference may be one between two times of the machine, so a change
            counts from the size on that ``compare`` asks of results (``RESULTS_FLOOR``).

    Raises:
        ValueError: when they come from different machines or devices.
    """
    for name in ("cpu", "gpu", "cores"):
        if (mine := a.provenance.get(name)) != (other := b.provenance.get(name)):
            raise ValueError(f"profiles of different machines cannot be compared: {name} is {mine} and {other}")
    if a.device != b.device:
        raise ValueError(f"profiles of different devices cannot be compared: {a.device} and {b.device}")
    plain = [[fastest_mean(each.plain) for each in profile.rounds] for profile in (a, b)]
    profiled = [[float(sum(each.seconds)) for each in profile.rounds] for profile in (a, b)]
    return Difference(
        *((_label_with_origin(a), _label_with_origin(b)) if a.label == b.label else (a.label, b.label)),
        in_turns,
        min(len(a.rounds), len(b.rounds)),
        _part("pass", plain[0], plain[1], in_turns),
        _part("pass", profiled[0], profiled[1], in_turns),
        _parts(operator_rows(a), operator_rows(b), in_turns),
        _parts(module_rows(a), module_rows(b), in_turns),
    )


def _parts(a: Sequence[Row], b: Sequence[Row], in_turns: bool) -> tuple[Part, ...]:
    """Return a part for each row of either side; a row that one side lacks takes no time there."""
    rows = [{row.text: row for row in side} for side in (a, b)]
    nothing = [[0.0] * len(side[0].rounds) for side in (a, b)]
    parts = []
    for name in dict.fromkeys([*rows[0], *rows[1]]):
        both = [side.get(name) for side in rows]
        before, after = (row.rounds if row else none for row, none in zip(both, nothing, strict=True))
        calls_before, calls_after = (row.calls if row else 0.0 for row in both)
        parts.append(_part(name, before, after, in_turns, (calls_before, calls_after)))
    return tuple(sorted(parts, key=lambda part: -abs(part.change.value)))


def _part(
    name: str, a: Sequence[float], b: Sequence[float], in_turns: bool, calls: tuple[float, float] = (1.0, 1.0)
) -> Part:
    means = sum(a) / len(a), sum(b) / len(b)
    if in_turns:
        change = mean_over_rounds([after - before for before, after in zip(a, b, strict=True)], CONFIDENCE)
        return Part(name, *means, change, calls)
    return Part(name, *means, difference_of_means(a, b, CONFIDENCE), calls, RESULTS_FLOOR * max(means))


def sentences(found: Difference) -> Iterator[str]:
    """Say what the difference consists of; parts that are not told apart are not named."""
    change = found.plain.change
    between = f"b less a {_ms(change.value)}{interval_text(change)}"
    yield f"the pass takes {_ms(found.plain.a)} (a) and {_ms(found.plain.b)} (b): {between}"
    if found.too_few_rounds:
        yield f"{plural(found.rounds, 'round')}: too few to tell anything apart; --rounds {FEWEST} or more"
    else:
        yield from _told_apart(found)
    if others := [part for part in found.operators if part.other_calls]:
        named = some_of([f"{part.name}{_calls(part)}" for part in others], MOST_CALLS)
        yield f"whatever the times, b calls other operators or calls them another number of times: {named}"
    if not found.in_turns:
        yield (
            f"a and b were measured at different times, so a change below {percentage(RESULTS_FLOOR)} of a part does "
            "not count; --against COMMIT measures both in turns, and finds smaller changes"
        )


def _told_apart(found: Difference) -> Iterator[str]:
    if not found.plain.told:
        yield f"the passes are {NOT_TOLD_APART}: the interval includes {_too_small(found)}"
    for text, parts in (("by operator", found.operators), ("by module", found.modules)):
        whole = found.profiled.change.value
        told = [part for part in parts if part.told and abs(part.change.value) >= MATTERS * abs(whole)][:NAMED]
        if not told:
            yield f"{text}: no part is told apart"
            continue
        named = ", ".join(
            f"{_ms(part.change.value)} is {part.name}{_calls(part)}{interval_text(part.change)}" for part in told
        )
        yield f"{text}: of the {_ms(whole)} between them with the profiler, {named}"


def _too_small(found: Difference) -> str:
    return "no change" if found.in_turns else f"changes below {percentage(RESULTS_FLOOR)}"


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.3f} ms"


def _calls(part: Part) -> str:
    before, after = part.calls
    return f" (calls: {after:g} instead of {before:g})" if part.other_calls else ""


def interval_text(change: Interval) -> str:
    """Return an interval in ms, after a space; nothing if there are too few rounds for an interval."""
    if change.low != change.low:
        return ""
    return f" [{1e3 * change.low:.3f}, {1e3 * change.high:.3f}]"
