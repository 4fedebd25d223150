"""Whether commit B is slower than commit A: pairs of processes until every case is decided, or the time is over."""

import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from benchmarks.answers.differences import ComparedCase, Differences, broken_case
from benchmarks.cases.blocks import blocks
from benchmarks.cases.case import Case
from benchmarks.comparing.pairs import SIDES, Taken, log_ratio, measure_pair
from benchmarks.records.outcome import FAILURES, Outcome
from benchmarks.running.progress import Progress
from benchmarks.running.workplace import workplace
from benchmarks.statistics import verdicts
from benchmarks.statistics.comparison import Comparison
from benchmarks.statistics.sequential import FIRST_LOOK, Estimate, Look, estimate, look, looks, more_pairs
from benchmarks.statistics.written import percentage

# The seed of the order of the cases.
SEED = 0
# The largest number of cases in one pair of processes. More cases share the seconds that a process takes to start, but
# also its memory.
MOST_CASES = 6
# The minutes that a case may take, and the least minutes of a run, where the user gives none.
MINUTES_A_CASE, FEWEST_MINUTES = 1.5, 3.0
PLANNED_LOOKS = frozenset(looks(10**6))


@dataclass(frozen=True)
class Question:
    """What is asked: is a case slower by ``at_least`` (a fraction) or more? And how long the answer may take."""

    minutes: float
    at_least: float = verdicts.AT_LEAST
    timeout: float = 600.0

    def __post_init__(self) -> None:
        if not 0 < self.minutes < math.inf:
            raise ValueError(f"minutes {self.minutes} are not allowed; allowed: positive numbers")
        if not 0 < self.at_least < math.inf:
            raise ValueError(f"a size of {self.at_least:.1%} is not allowed; allowed: positive percentages")


@dataclass
class Contender:
    """A case and what its pairs of processes gave: logarithms of ratios by pair, and medians in seconds by side."""

    case: Case
    control: bool
    logs: dict[int, float] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {side: [] for side in SIDES})
    failures: dict[str, Outcome] = field(default_factory=dict)
    found: Look | None = None
    verdict: str = verdicts.UNDECIDED
    remedy: str = "no pair of processes in the time allowed"

    @property
    def running(self) -> bool:
        """Whether further pairs measure the case. A control is never decided: it runs along with the cases."""
        return not self.failures and (self.control or self.verdict == verdicts.UNDECIDED)

    @property
    def open(self) -> bool:
        """Whether the case needs further pairs."""
        return self.running and not self.control

    def add(self, taken: Taken, pair: int) -> None:
        """Add what the pair of this number gave: nothing if the turns ended early, because another case failed."""
        self.failures |= taken.failures
        if not taken.failures and taken.enough:
            a, b = (taken.turns[side] for side in SIDES)
            self.logs[pair] = log_ratio(a, b)
            for side in SIDES:
                passes = [one.seconds for turn in taken.turns[side] for one in turn]
                self.seconds[side].append(statistics.median(passes))


@dataclass
class Effort:
    """What a run has spent so far: pairs of processes, turns, and turns that were undisturbed."""

    pairs: int = 0
    turns: int = 0
    undisturbed: int = 0

    def add(self, taken: Mapping[int, Taken]) -> None:
        """Add a pair of processes."""
        self.pairs += 1
        self.turns += sum(len(one.turns["B"]) for one in taken.values())
        self.undisturbed += sum(one.undisturbed for one in taken.values())


AddPair = Callable[[Mapping[int, Contender], int], bool]


def default_minutes(cases: int) -> float:
    """Return the minutes that a run of this number of cases may take where the user gives none."""
    return max(FEWEST_MINUTES, MINUTES_A_CASE * cases)


def untouched(case: Case) -> bool:
    """Return whether a case runs torch's code alone: a convolution with fixed weights."""
    return case.layer == "conv" and case.fixed_weights


def control_of(case: Case) -> Case:
    """Return the case of torch's convolutions with the shape and the pass of a case.

    >>> control_of(Case(variant="full", direction="forward_backward")).label
    'conv torch separable SO2(8) C=16 B=16 28×28 k=5 forward_backward cpu×1'
    """
    plain = case.group == "trivial"
    same = replace(case, layer="conv", kernels="", execution="eager")
    return replace(same, implementation="gcnn_impl" if plain else "torch", variant="plain" if plain else "separable")


def groups(cases: Sequence[Case]) -> list[list[Contender]]:
    """Return the cases in groups that share processes, each with one control or more.

    If torch's convolutions are all that is asked for, they are judged like other cases.
    """
    order = [case for block in blocks(cases, set(cases), SEED) for case in block.cases]
    alike: dict[tuple[object, ...], list[Case]] = {}
    for case in order:
        alike.setdefault((case.device, case.threads, case.dtype == "tf32"), []).append(case)
    found = []
    for same in alike.values():
        for first in range(0, len(same), MOST_CASES):
            chosen = same[first : first + MOST_CASES]
            judged = [case for case in chosen if not untouched(case)] or chosen
            controls = [case for case in chosen if case not in judged]
            controls = controls or [case for case in [control_of(chosen[0])] if case not in judged]
            found.append([*(Contender(c, False) for c in judged), *(Contender(c, True) for c in controls)])
    return found


def compare_commits(a: str, b: str, cases: Sequence[Case], question: Question) -> Differences:
    """Measure the cases at two commits (hashes, or "." for the work tree) in turns, and judge B."""
    with workplace(a) as place_a, workplace(b) as place_b:
        found = compare_places({"A": place_a, "B": place_b}, cases, question)
    return replace(found, remarks=[f"{a[:10]} against {b[:10]}", *found.remarks])


def compare_places(places: Mapping[str, Path], cases: Sequence[Case], question: Question) -> Differences:
    """Compare what is in the two places, "A" and "B", until every case is decided or the minutes are over."""
    planned = groups(cases)
    contenders = [one for group in planned for one in group]
    begun, effort = time.monotonic(), Effort()
    end = begun + 60 * question.minutes
    with Progress(total=len(contenders), unit="case", desc="compare") as progress:
        for done, group in enumerate(planned):
            now = time.monotonic()
            deadline = now + (end - now) / (len(planned) - done)  # what one group leaves over goes to the next ones
            add_pair = partial(_measured_pair, places, question.timeout, deadline, effort)
            for number in decide(group, len(contenders), question.at_least, add_pair):
                progress.set_postfix_str(f"group {done + 1} of {len(planned)}, {number} pairs of processes")
            progress.update(len(group))
    minutes = (time.monotonic() - begun) / 60
    disturbed = 1 - effort.undisturbed / effort.turns if effort.turns else 0.0
    spent = f"{effort.pairs} pairs of processes, {minutes:.1f} minutes"
    remarks = [f"{spent}; {disturbed:.0%} of the turns were disturbed by other processes"]
    return Differences(
        [_row(one, question.at_least) for one in contenders], question.at_least, [*remarks, *_remarks(planned)]
    )


def _measured_pair(
    places: Mapping[str, Path],
    timeout: float,
    deadline: float,
    effort: Effort,
    running: Mapping[int, Contender],
    number: int,
) -> bool:
    """Measure a pair of processes, add it to all contenders, and return whether another would end too late."""
    begun = time.monotonic()
    entries = {n: one.case for n, one in running.items()}
    taken = measure_pair(places, entries, number, timeout, {n for n, one in running.items() if not one.logs})
    effort.add(taken)
    for n, one in running.items():
        one.add(taken[n], number)
    return 2 * time.monotonic() - begun > deadline  # another pair would take as long


def decide(group: Sequence[Contender], comparisons: int, at_least: float, add_pair: AddPair) -> Iterator[int]:
    """Add pairs of processes until the group is decided; yield the number of pairs so far.

    Args:
        comparisons: number of cases of the run, which share its error rate.
        at_least: the size asked about, as a fraction.
        add_pair: adds the pair of a number to the contenders that run, and returns whether it was the last.
    """
    pairs = number_of_looks = 0
    while True:
        last = add_pair({n: one for n, one in enumerate(group) if one.running}, pairs)
        pairs += 1
        yield pairs
        if pairs in PLANNED_LOOKS or last:
            number_of_looks += 1
            _look(group, number_of_looks, comparisons, at_least)
        if last or not any(one.open for one in group):
            return


def _look(group: Sequence[Contender], number: int, comparisons: int, at_least: float) -> None:
    """Estimate the ratios of all open cases and controls, and judge the cases; a verdict stays as it is."""
    measured = [one for one in group if one.running and one.logs]
    controls = [one for one in measured if one.control]
    estimates = [_estimates(one, controls) for one in measured]
    # The others' spread guards against a case that looks steady by luck.
    least = [
        statistics.median_low([found[kind].spread for found in estimates if kind < len(found)])
        for kind in range(max(map(len, estimates), default=0))
    ]
    for one, found in zip(measured, estimates, strict=True):
        one.found = look(found, number, comparisons, least[: len(found)])
    moved = _moved(group)
    for one in measured:
        if one.open and one.found is not None:
            low, high = _bounds(one.found)
            one.verdict = verdicts.verdict_of(low, high, at_least, moved)
            more = more_pairs(one.found, at_least, moved)
            one.remedy = _remedy(one.found, more, moved)


def _estimates(one: Contender, controls: Sequence[Contender]) -> list[Estimate]:
    """Estimate the ratio of a case by itself, and beside the controls if enough pairs have all of them."""
    alone = [estimate(list(one.logs.values()))]
    pairs = [pair for pair in one.logs if all(pair in control.logs for control in controls)]
    if one.control or not controls or len(pairs) < FIRST_LOOK:
        return alone
    beside = [statistics.fmean(control.logs[pair] for control in controls) for pair in pairs]
    return [*alone, estimate([one.logs[pair] for pair in pairs], beside)]


def _moved(group: Sequence[Contender]) -> float:
    """Return the factor by which the controls became slower or faster, at most; 1 if that is not certain of any."""
    factors = [1.0]
    for one in group:
        if one.control and one.found is not None and abs(one.found.change) > one.found.reach:
            factors.append(math.exp(abs(one.found.change) + one.found.reach))
    return max(factors)


def _bounds(found: Look) -> tuple[float, float]:
    if math.isinf(found.reach):
        return 0.0, math.inf
    return math.exp(found.change - found.reach), math.exp(min(found.change + found.reach, 700.0))


def _remedy(found: Look, more: int | None, moved: float) -> str:
    if math.isinf(found.reach):
        return "one pair of processes tells nothing apart; give more --minutes"
    floor = f"changes below {percentage(math.expm1(min(found.reach, 700.0)))} are not seen"
    if moved > 1:
        floor += f", and unchanged code moved by up to {percentage(moved - 1)}"
    wanted = f"about {more} more pairs of processes would decide" if more else "a quieter machine would decide"
    return f"after {found.pairs} pairs {floor}; {wanted}"


def _row(one: Contender, at_least: float) -> ComparedCase:
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
    low, high = _bounds(one.found)
    within = 1 / (1 + at_least) < low and high < 1 + at_least
    word = "slower" if low > 1 else "faster" if high < 1 else "same" if within else "ambiguous"
    comparison = Comparison(word, math.exp(one.found.change), low, high)
    a, b = (statistics.median(one.seconds[side]) for side in SIDES)
    return ComparedCase(label, a, b, comparison, one.verdict, control=one.control, remedy=one.remedy)


def _remarks(planned: Sequence[Sequence[Contender]]) -> list[str]:
    """Return a line for each control that moved."""
    return [
        f"unchanged code moved, × {math.exp(one.found.change):.3f}, which verdicts allow for: {one.case.label}"
        for group in planned
        for one in group
        if one.control and one.found is not None and _moved([one]) > 1
    ]
