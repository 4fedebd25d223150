"""What a comparison of two commits tells: the rows of its table, what would decide open cases, and remarks."""

import math
import statistics
from collections.abc import Sequence

from benchmarks.answers.differences import ComparedCase, broken_case
from benchmarks.comparing.contenders import Contender, Effort, bounds, moved_by
from benchmarks.comparing.pairs import SIDES
from benchmarks.records.outcome import FAILURES
from benchmarks.statistics import verdicts
from benchmarks.statistics.comparison import Comparison
from benchmarks.statistics.sequential import FIRST_LOOK, Look
from benchmarks.statistics.written import percentage, plural


def remedy(found: Look, more: int | None, moved: float) -> str:
    """Return what would decide an open case."""
    if math.isinf(found.reach):
        return "one pair of processes tells nothing apart; give more --minutes"
    floor = f"changes below {percentage(math.expm1(min(found.reach, 700.0)))} are not seen"
    if moved > 1:
        floor += f", and unchanged code moved by up to {percentage(moved - 1)}"
    wanted = (
        f"about {plural(more, 'more pair')} of processes would decide" if more else "a quieter machine would decide"
    )
    return f"after {plural(found.pairs, 'pair')} {floor}; {wanted}"


def row(one: Contender, at_least: float) -> ComparedCase:
    """Return the row of a case in the table."""
    label = one.case.label
    if one.failures:
        reasons = "; ".join(f"at {side}: {o.status}: {o.message}" for side, o in sorted(one.failures.items()))
        if "A" not in one.failures and one.failures["B"].status in FAILURES and not one.control:
            return broken_case(label, reasons)
        return ComparedCase(label, failure=reasons, control=one.control)
    if one.found is None:
        return ComparedCase(
            label, verdict=verdicts.UNDECIDED, failure=one.remedy, control=one.control, remedy=one.remedy
        )
    low, high = bounds(one.found)
    within = 1 / (1 + at_least) < low and high < 1 + at_least
    word = "slower" if low > 1 else "faster" if high < 1 else "same" if within else "ambiguous"
    comparison = Comparison(word, math.exp(one.found.change), low, high)
    a, b = (statistics.median(one.seconds[side]) for side in SIDES)
    return ComparedCase(label, a, b, comparison, one.verdict, control=one.control, remedy=one.remedy)


def movements(planned: Sequence[Sequence[Contender]]) -> list[str]:
    """Return a line for each control that moved."""
    return [
        f"unchanged code moved, × {math.exp(one.found.change):.3f}, which verdicts allow for: {one.case.label}"
        for group in planned
        for one in group
        if one.control and one.found is not None and moved_by([one]) > 1
    ]


def spent(efforts: Sequence[Effort], minutes: float, busy: str) -> str:
    """Return the line about what a run took, and what other processes did meanwhile."""
    pairs = sum(one.pairs for one in efforts)
    turns = sum(one.turns for one in efforts)
    disturbed = 1 - sum(one.undisturbed for one in efforts) / turns if turns else 0.0
    took = f"{plural(pairs, 'pair')} of processes, {minutes:.1f} minutes"
    return f"{took}; {disturbed:.0%} of the turns were disturbed by other processes{f'; {busy}' if busy else ''}"


def longer(planned: Sequence[Sequence[Contender]], efforts: Sequence[Effort], minutes: float) -> list[str]:
    """Return the line that says with which --minutes the open cases would be decided; none if no number would do.

    The minutes are divided equally among the groups, and a group ends before the pair for which no time is left.
    """
    needed, short = 0.0, False
    for group, effort in zip(planned, efforts, strict=True):
        more = [one.more for one in group if one.open and one.more is not None]
        if more and effort.pairs:
            needed = max(needed, (effort.pairs + max(more) + 1) * effort.seconds / effort.pairs)
            short = short or effort.pairs < FIRST_LOOK
    if not needed:
        return []
    enough = math.ceil(len(planned) * needed / 60)
    pair = max(effort.seconds / effort.pairs for effort in efforts if effort.pairs)
    if short:
        need = f"it takes {FIRST_LOOK} pairs of processes, and one pair takes {pair:.0f} s"
        return [f"--minutes {minutes:g} is too short for a verdict: {need}; try --minutes {enough}"]
    return [f"undecided cases need more time, one pair of processes takes {pair:.0f} s: try --minutes {enough}"]


def unfinished(planned: Sequence[Sequence[Contender]]) -> str:
    """Return what to say when a run is stopped: there is no verdict, and which cases had been decided."""
    decided = [
        f"{one.case.label}: {one.verdict}"
        for group in planned
        for one in group
        if not one.control and one.verdict != verdicts.UNDECIDED
    ]
    cases = sum(not one.control for group in planned for one in group)
    said = f"; {len(decided)} of {plural(cases, 'case')} had been decided: {'; '.join(decided)}" if decided else ""
    return f"no verdict on B, and nothing is kept{said}"
