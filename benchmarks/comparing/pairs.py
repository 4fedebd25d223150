"""One pair of processes, of commit A and of commit B, that take turns of a few milliseconds.

Both processes are alive at once, and only one of them runs; where a thread suffices, both have the same core. A
disturbance that is longer than a turn meets both commits, and cancels in the ratio of neighbouring turns.

What ran before a turn has left its data in the caches: a case is faster after itself than after another case or after
the other process, by up to 5 %. So the cases come forth and back, and either commit comes first, in four phases:

    A1 B1 A2 B2 A3 B3 | A3 B3 A2 B2 A1 B1 | B1 A1 B2 A2 B3 A3 | B3 A3 B2 A2 B1 A1

After the four phases A and B have followed the same turns equally often. When the first commit changed together with
the direction, ratios of the same code were 1 to 5 % above 1 in one pair of processes, and below 1 in the next.
"""

import contextlib
import itertools
import math
import statistics
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cases.case import Case
from benchmarks.comparing.passes import Enter, Pass, Turn
from benchmarks.records.outcome import Outcome
from benchmarks.running.one_core import share_a_core
from benchmarks.running.server import Server

SIDES = ("A", "B")
PASSES = "benchmarks.comparing.passes"
# A case has had enough turns when this number of turns of both commits was undisturbed, or after this time with at
# least the fewest turns.
ENOUGH_TURNS, FEWEST_TURNS, MOST_SECONDS = 60, 8, 1.5
# A pass is disturbed when threads besides the main one waited for a core for more than this part of its time: how much
# longer the pass took is not known then. What the main thread waited is known, and subtracted.
WAITED_SHARE = 0.01
# So many undisturbed turns of each phase, or passes, are needed for a ratio without the disturbed ones.
FEWEST_UNDISTURBED = 5
PHASES = 4
# The process that carried out the task has ended, or others cannot be measured in it any more.
ENDED = ("killed", "timeout", "interfered")

Turns = list[list[Pass]]


@dataclass
class Taken:
    """The turns of a case in one pair of processes, at A and at B, and the failures by side."""

    turns: dict[str, Turns] = field(default_factory=lambda: {side: [] for side in SIDES})
    failures: dict[str, Outcome] = field(default_factory=dict)
    undisturbed: int = 0  # number of neighbouring turns that were both undisturbed
    seconds: float = 0.0  # duration of the turns

    @property
    def enough(self) -> bool:
        """Whether the case needs no more turns."""
        few = len(self.turns["B"]) < FEWEST_TURNS
        return not few and (self.undisturbed >= ENOUGH_TURNS or self.seconds > MOST_SECONDS)


def measure_pair(
    places: Mapping[str, Path], entries: Mapping[int, Case], number: int, timeout: float, unchecked: Collection[int]
) -> dict[int, Taken]:
    """Start a process in each place, "A" and "B", let them take turns, and end them.

    A case that fails takes no more turns. If a process dies, or its case changes it, this case has failed, and the
    turns of the others end early: measure them again in another pair.

    Args:
        places: the ``workplace`` of each side.
        entries: the cases, by numbers of the caller's.
        number: number of the pair. The side and the case that come first change from pair to pair.
        timeout: seconds after which a task has failed.
        unchecked: the cases whose outputs are checked first.
    """
    taken = {entry: Taken() for entry in entries}
    sides = SIDES if number % 2 == 0 else SIDES[::-1]
    with contextlib.ExitStack() as stack:
        servers = {side: stack.enter_context(Server(places[side], timeout, PASSES)) for side in sides}
        for side, server in servers.items():
            server.check(side)
        share_a_core([server.process.pid for server in servers.values()], entries.values(), number)
        for entry in list(entries)[:: 1 if number % 4 < 2 else -1]:
            for side in sides:
                outcome = servers[side].ask(Enter(entry, entries[entry], entry in unchecked))
                if outcome is not None:
                    taken[entry].failures[side] = outcome
                    if outcome.status in ENDED:
                        return taken
        _take_turns(servers, taken, number)
    return taken


def _take_turns(servers: Mapping[str, Server], taken: Mapping[int, Taken], number: int) -> None:
    for turn in itertools.count():
        running = [entry for entry, one in taken.items() if not one.failures and not one.enough]
        if not running:
            return
        for entry in running[:: 1 if turn % 2 == 0 else -1]:
            one, begun = taken[entry], time.monotonic()
            for side in SIDES if (turn // 2 + number) % 2 == 0 else SIDES[::-1]:
                answer = servers[side].ask(Turn(entry))
                if isinstance(answer, Outcome):
                    one.failures[side] = answer
                    if answer.status in ENDED:
                        return
                    break
                one.turns[side].append(answer)
            else:
                one.seconds += time.monotonic() - begun
                one.undisturbed += all(undisturbed(one.turns[side][-1]) for side in SIDES)


def undisturbed(passes: Sequence[Pass]) -> list[float]:
    """Return the seconds of the undisturbed passes, without those for which other processes had their core."""
    return [
        one.seconds - one.waited
        for one in passes
        if one.others_waited <= WAITED_SHARE * one.seconds and one.waited < one.seconds
    ]


def log_ratio(a: Sequence[Sequence[Pass]], b: Sequence[Sequence[Pass]]) -> float:
    """Return the logarithm of B's time divided by A's, in one pair of processes.

    Each turn counts with the median of its undisturbed passes. Neighbouring turns give the logarithm of their ratio,
    each phase the median of its logarithms, and the four phases their mean. If a phase has few such neighbours, the
    result is the ratio of the medians of all undisturbed passes; and if these are few, all passes count.

    Raises:
        ValueError: when there are fewer turns than phases.
    """
    if min(len(a), len(b)) < PHASES:
        raise ValueError(f"{min(len(a), len(b))} turns are too few; allowed: {PHASES} or more of each side")
    clean = [list(map(undisturbed, turns)) for turns in (a, b)]
    logs = _logs_by_phase(*clean)
    if min(map(len, logs)) >= FEWEST_UNDISTURBED:
        return statistics.fmean(map(statistics.median, logs))
    x, y = (list(itertools.chain.from_iterable(turns)) for turns in clean)
    if min(len(x), len(y)) >= PHASES * FEWEST_UNDISTURBED:
        return math.log(statistics.median(y) / statistics.median(x))
    logs = _logs_by_phase(*([[one.seconds for one in turn] for turn in turns] for turns in (a, b)))
    return statistics.fmean(map(statistics.median, logs))


def _logs_by_phase(a: Sequence[Sequence[float]], b: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the logarithms of the ratios of neighbouring turns with samples, for each phase."""
    found: list[list[float]] = [[] for _ in range(PHASES)]
    for turn, (x, y) in enumerate(zip(a, b, strict=True)):
        if x and y:
            found[turn % PHASES].append(math.log(statistics.median(y) / statistics.median(x)))
    return found
