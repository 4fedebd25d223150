"""A contender of a round: it enters, which builds it, warms up once all have entered, and then takes turns."""

import contextlib
from typing import Protocol

from benchmarks.cases.case import Case
from benchmarks.measure.clock import TURN_SECONDS, longest_turn, synchronised_clock, take_turn, warm_up
from benchmarks.measure.l2_cache import emptying
from benchmarks.measure.process_state import ProcessState
from benchmarks.measure.sampling import Sampling
from benchmarks.workloads.build import build_or_skip


class Contender(Protocol):
    """A case that is timed in turns with others."""

    def enter(self) -> None:
        """Build the workload."""
        ...

    def warm_up(self) -> None:
        """Run passes that are not timed."""
        ...

    def turn(self, most: int) -> list[float]:
        """Return the seconds of the passes of a turn, ``most`` at most."""
        ...

    def close(self) -> None:
        """Free what the contender holds."""
        ...


class Here:
    """A contender whose passes run in this process, whose ``state`` they must keep.

    The functions raise what the case's own code raises, and ``Interfered`` if it changes the process. Turns of our own
    layers are not compared, only the passes with which they warm up: a comparison takes 0.1 ms, and a turn 2 ms.

    If the contenders of a round are in several ``processes``, the passes that follow a change of the process are slow:
    by 9 ± 3 % where a turn has one or two. A pass that is not timed then precedes those of a turn, unless passes are
    longer than a turn. It does so for all contenders, wherever they are.
    """

    def __init__(self, case: Case, sampling: Sampling, state: ProcessState, *, processes: bool) -> None:
        self.case, self.sampling, self.state = case, sampling, state
        self.clock = synchronised_clock(case.device)
        self.settles = processes

    def enter(self) -> None:
        with self.state.kept(building=True):
            self.workload = build_or_skip(self.case)

    def warm_up(self) -> None:
        device = self.case.device
        with self.state.kept():
            prepare = emptying(self.workload.prepare, device)
            warm_up(self.workload.run, self.clock, self.sampling, prepare=prepare, device=device)

    def turn(self, most: int) -> list[float]:
        device = self.case.device
        prepare, longest = emptying(self.workload.prepare, device), longest_turn(TURN_SECONDS, device)
        with self.state.kept() if self.case.foreign else contextlib.nullcontext():
            if self.settles:
                prepare()
                self.workload.run()
            taken = take_turn(self.workload.run, self.clock, TURN_SECONDS, prepare=prepare, most=most, longest=longest)
            self.workload.prepare()  # frees the gradients before other contenders run
        self.settles = self.settles and min(taken) < TURN_SECONDS
        return taken

    def close(self) -> None:
        self.__dict__.pop("workload", None)
