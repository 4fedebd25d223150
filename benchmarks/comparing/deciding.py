"""Whether commit B is slower than commit A: pairs of processes until every case is decided, or the time is over."""

import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.answers.differences import Differences
from benchmarks.cases.blocks import blocks
from benchmarks.cases.case import Case
from benchmarks.cases.cores import cores
from benchmarks.comparing.contenders import Contender, Effort, bounds, moved_by
from benchmarks.comparing.pairs import measure_pair
from benchmarks.comparing.told import longer, movements, remedy, row, spent, unfinished
from benchmarks.records.provenance import load_between, moment
from benchmarks.running.progress import Progress
from benchmarks.running.server import DoesNotStart
from benchmarks.running.signals import Interrupted
from benchmarks.running.workplace import about_sides, named, workplace
from benchmarks.statistics import verdicts
from benchmarks.statistics.noise import busy_text
from benchmarks.statistics.sequential import FIRST_LOOK, Estimate, estimate, look, looks, more_pairs
from benchmarks.statistics.written import plural

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
    """Measure the cases at two commits (hashes, or "." for the work tree) in turns, and judge B.

    Raises:
        DoesNotStart: when a side cannot be imported.
    """
    revisions = {"A": a, "B": b}
    said = about_sides(a, b)
    for line in said:
        print(f"warning: {line}", file=sys.stderr)
    try:
        with workplace(a) as place_a, workplace(b) as place_b:
            found = compare_places({"A": place_a, "B": place_b}, cases, question)
    except DoesNotStart as error:
        raise DoesNotStart(f"{error.side} ({revisions[error.side][:10]})", error.why) from None
    return replace(found, remarks=[f"{named(a)} against {named(b)}", *said, *found.remarks])


def compare_places(places: Mapping[str, Path], cases: Sequence[Case], question: Question) -> Differences:
    """Compare what is in the two places, "A" and "B", until every case is decided or the minutes are over.

    Raises:
        Interrupted: on Ctrl-C; the message says which cases were decided.
    """
    planned = groups(cases)
    before, efforts = moment(), [Effort() for _ in planned]
    try:
        _measure(planned, efforts, places, question)
    except KeyboardInterrupt:
        raise Interrupted(unfinished(planned)) from None
    after = moment()
    load = {"load_before": before.load, "load_between": load_between(before, after), "cores": cores()}
    busy = busy_text({**load, "threads": max(case.threads for case in cases)})
    remarks = [spent(efforts, (after.time - before.time) / 60, busy), *longer(planned, efforts, question.minutes)]
    rows = [row(one, question.at_least) for group in planned for one in group]
    return Differences(rows, question.at_least, [*remarks, *movements(planned)])


def _measure(
    planned: Sequence[Sequence[Contender]], efforts: Sequence[Effort], places: Mapping[str, Path], question: Question
) -> None:
    """Add pairs of processes to each group, and judge its cases."""
    contenders = sum(map(len, planned))
    end = time.monotonic() + 60 * question.minutes
    judged = [sum(not one.control for one in group) for group in planned]
    with Progress(total=sum(judged), unit="case", desc="compare") as progress:
        for done, (group, effort) in enumerate(zip(planned, efforts, strict=True)):
            now = time.monotonic()
            deadline = now + (end - now) / (len(planned) - done)  # what one group leaves over goes to the next ones
            add_pair = partial(_measured_pair, places, question.timeout, deadline, effort)
            for number in decide(group, contenders, question.at_least, add_pair):
                pairs = f"{plural(number, 'pair')} of processes"
                progress.set_postfix_str(f"group {done + 1} of {len(planned)}, {pairs}" if len(planned) > 1 else pairs)
            progress.update(judged[done])


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
    now = time.monotonic()
    effort.add(taken, now - begun)
    for n, one in running.items():
        one.add(taken[n], number)
    return 2 * now - begun > deadline  # another pair would take as long


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
    moved = moved_by(group)
    for one in measured:
        if one.open and one.found is not None:
            low, high = bounds(one.found)
            one.verdict = verdicts.verdict_of(low, high, at_least, moved)
            more = more_pairs(one.found, at_least, moved)
            one.remedy = remedy(one.found, more, moved)
            one.more = more if math.isfinite(one.found.reach) else FIRST_LOOK - one.found.pairs


def _estimates(one: Contender, controls: Sequence[Contender]) -> list[Estimate]:
    """Estimate the ratio of a case by itself, and beside the controls if enough pairs have all of them."""
    alone = [estimate(list(one.logs.values()))]
    pairs = [pair for pair in one.logs if all(pair in control.logs for control in controls)]
    if one.control or not controls or len(pairs) < FIRST_LOOK:
        return alone
    beside = [statistics.fmean(control.logs[pair] for control in controls) for pair in pairs]
    return [*alone, estimate([one.logs[pair] for pair in pairs], beside)]
