"""The passes of one commit's ``gcnn_impl``, in the process that ``server`` starts for them.

This module runs with the ``gcnn_impl`` of old commits, which must have all that its functions import.
"""

import contextlib
import dataclasses
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.cases.case import Case
from benchmarks.comparing.waiting import Waiting
from benchmarks.measure.clock import Clock, synchronised_clock, take_turn
from benchmarks.records.outcome import Outcome, Skipped, outcome_of

if TYPE_CHECKING:
    from benchmarks.workloads.workload import Workload

# A turn ends when its passes have taken this time: less than the scheduler's slice of three milliseconds or more, in
# which a process that has just woken up is not interrupted.
TURN_SECONDS = 0.002
# A case is warm after this time, or after this many passes if they take longer.
WARM_UP_SECONDS, WARM_UP_PASSES = 0.1, 2
# Draws where the memory of a pass is; contenders cannot seed it.
PLACES = random.Random()
# The most bytes by which the memory of a pass is moved from turn to turn: a few times the second-level cache.
MOST_PADDING = 1 << 23


@dataclass(frozen=True)
class Enter:
    """Build the workload of a case under a number, ``check`` its output if asked to, and warm up."""

    entry: int
    case: Case
    check: bool


@dataclass(frozen=True)
class Turn:
    """Run passes of the workload that has entered under this number."""

    entry: int


class Pass(NamedTuple):
    """The seconds of a pass, and those for which the main thread, and all others, waited for a core meanwhile."""

    seconds: float
    waited: float
    others_waited: float


Task = Enter | Turn


@dataclass(frozen=True)
class Entered:
    """A workload that is warm, with its clock and the waiting times of the threads that it uses.

    ``short`` says whether a pass takes less than a turn.
    """

    case: Case
    workload: "Workload"
    clock: Clock
    waiting: Waiting
    short: bool

    def run(self) -> list[Pass]:
        """Run the passes of a turn; before short ones, a pass that is not timed fills the caches again."""
        passes: list[Pass] = []
        total = 0.0
        with elsewhere(self.workload) as workload:
            if self.short:
                workload.prepare()
                workload.run()
            while not passes or total < TURN_SECONDS:
                before = self.waiting.seconds()
                [seconds] = take_turn(workload.run, self.clock, 0.0, prepare=workload.prepare)
                after = self.waiting.seconds()
                passes.append(Pass(seconds, after.main - before.main, after.others - before.others))
                total += seconds
            workload.prepare()  # frees the gradients before other cases run
        return passes


@contextlib.contextmanager
def elsewhere(workload: "Workload") -> Iterator["Workload"]:
    """Yield the workload with its input, and the free memory that it takes, in other places than in the last turn.

    Which addresses a process happens to use makes the same code faster or slower in all of its passes, by some percent
    where the maps just fit into the second-level cache. With other places in every turn, a process gives the mean over
    many places instead of one place's time (Curtsinger & Berger 2013, "Stabilizer"). On a GPU, where a captured graph
    needs its input in its place, the workload stays as it is.
    """
    import torch

    if workload.x.is_cuda:
        yield workload
        return
    pad = torch.empty(PLACES.randrange(MOST_PADDING), dtype=torch.uint8)  # takes the memory that passes would take
    x = workload.x.detach().clone().requires_grad_(workload.x.requires_grad)
    yield dataclasses.replace(workload, x=x)
    del pad


def enter(task: Enter, waiting: Waiting) -> Entered:
    """Build, check and warm up a workload; from then on ``waiting`` counts the threads that it uses.

    Raises:
        Skipped: when a peer's layer is not available here.
        InvalidResult: when the output is wrong.
    """
    from benchmarks.measure.correctness import check_gradients, check_output
    from benchmarks.workloads.build import build_workload
    from benchmarks.workloads.peers import PeerUnavailable

    try:
        workload = build_workload(task.case)
    except PeerUnavailable as reason:
        raise Skipped(reason) from reason
    if task.check:
        check_output(workload)
        check_gradients(workload)
    clock = synchronised_clock(task.case.device)
    passes: list[float] = []
    while len(passes) < WARM_UP_PASSES or sum(passes) < WARM_UP_SECONDS:
        passes += take_turn(workload.run, clock, 0.0, prepare=workload.prepare)
    workload.prepare()
    waiting.refresh()
    return Entered(task.case, workload, clock, waiting, short=min(passes) < TURN_SECONDS)


def process_kept(case: Case) -> contextlib.AbstractContextManager[None]:
    """Return the context in which a layer by others must keep the state of the process, else ``Interfered`` is raised.

    Our own layers are not watched, because old commits of them may change it.
    """
    if not case.foreign:
        return contextlib.nullcontext()
    from benchmarks.measure.process_state import ProcessState

    return ProcessState(compiled=case.execution == "compiled").kept()


class Answers:
    """Answers the tasks of a ``Server`` in its process. An exception becomes an ``Outcome``, and ends its case."""

    def __init__(self) -> None:
        import benchmarks.workloads.build  # noqa: F401  imports torch before the first answer

        self.waiting = Waiting()
        self.entered: dict[int, Entered] = {}

    def __call__(self, task: Task) -> list[Pass] | Outcome | None:
        """Enter a case, or run the passes of a turn."""
        from benchmarks.workloads.build import configure

        try:
            if isinstance(task, Turn):
                with process_kept(self.entered[task.entry].case):
                    return self.entered[task.entry].run()
            configure(task.case)
            with process_kept(task.case):
                self.entered[task.entry] = enter(task, self.waiting)
        except Exception as error:
            self.entered.pop(task.entry, None)
            return outcome_of(error)
        return None
