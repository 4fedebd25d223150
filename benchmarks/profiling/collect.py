"""Profiles cases: each round is a new process; two cases, or two commits, have a process each and take turns."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.measure.processes import ceilings_task
from benchmarks.profiling.attribution import Place
from benchmarks.profiling.profile import Profile, Round
from benchmarks.profiling.tasks import Enter, Examine, Finish, Task, Turn
from benchmarks.records.outcome import Outcome
from benchmarks.records.provenance import Moment, moment, provenance
from benchmarks.running.isolated import run_isolated
from benchmarks.running.one_core import share_a_core
from benchmarks.running.progress import Progress
from benchmarks.running.server import Server
from benchmarks.running.workplace import WORK_TREE, workplace

WORKER, ROOFLINE = "benchmarks.profiling.worker", "benchmarks.measure.roofline"
# The passes of a round come in so many turns, where two sides take turns.
TURNS = 6
# Keys of the fields of provenance that a profile has.
PROVENANCE = (
    *("measured_at", "commit", "dirty", "python", "torch", "gcnn_impl", "platform", "cpu", "cores", "cpu_quota", "gpu"),
    *("threads", "load_before", "load_after", "load_between", "steal_share", "native"),
)


@dataclass(frozen=True)
class Side:
    """What is profiled: a case, with the ``gcnn_impl`` of a revision.

    Args:
        folder: where the trace is written.
        revision: the full hash of a commit, or "." for the present code.
    """

    case: Case
    folder: Path
    revision: str = WORK_TREE

    @property
    def text(self) -> str:
        """The label of the case, with the commit if it is not the present code."""
        return self.case.label if self.revision == WORK_TREE else f"{self.case.label}, commit {self.revision[:10]}"

    @property
    def code(self) -> str:
        """The revision in words."""
        return "the present code" if self.revision == WORK_TREE else f"commit {self.revision[:10]} (--against)"


def collect(sides: Sequence[Side], *, rounds: int, seconds: float, timeout: float) -> list[Profile]:
    """Profile one side or two of one device, and return a profile of each.

    Every round starts new interpreters. Processes that are forked share the memory layout of their parent, which makes
    the same operator faster or slower by some percent in all of them.

    Args:
        rounds: number of processes that time each side.
        seconds: time of a side in each round. Two sides are alive at once and take turns.
        timeout: seconds after which a process is given up.

    Raises:
        RuntimeError: when a process fails; the message says why.
        ValueError: when a commit has no ``gcnn_impl``.
    """
    before = moment()
    with contextlib.ExitStack() as stack:
        places = [stack.enter_context(workplace(side.revision)) for side in sides]
        progress = stack.enter_context(
            Progress(total=len(sides) * (rounds + 1) + 1, unit="step", unit_scale=True, desc="profile")
        )
        examined = []
        for side, place in zip(sides, places, strict=True):
            with Server(place, timeout, WORKER) as server:
                server.check(side.code)
                # The process works in its workplace, so the folder must be absolute.
                examined.append(_answer(server, Examine(side.case, side.folder.resolve()), side))
            progress.update(1)
        ceilings = _ceilings(sides[0], timeout)
        progress.update(1)
        taken = []
        for number in range(rounds):
            taken.append(take_round(sides, places, number, seconds, timeout))
            progress.update(len(sides))
    return [
        assembled(side, examination, found, ceilings, before)
        for side, examination, found in zip(sides, examined, zip(*taken, strict=True), strict=True)
    ]


def take_round(
    sides: Sequence[Side], places: Sequence[Path], number: int, seconds: float, timeout: float
) -> list[dict[str, Any]]:
    """Return the results of a round, see ``worker.summary``. The order of two sides changes from turn to turn."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(place, timeout, WORKER)) for place in places]
        served = list(zip(servers, sides, strict=True))
        for server, side in served:
            server.check(side.code)
        if len(sides) > 1:
            share_a_core([server.process.pid for server in servers], [side.case for side in sides], number)
        for server, side in served[:: 1 if number % 2 == 0 else -1]:
            _answer(server, Enter(side.case, seconds), side)
        spent, turn = 0.0, number
        while spent < seconds * len(served):
            for server, side in served[:: 1 if turn % 2 == 0 else -1]:
                spent += _answer(server, Turn(seconds if len(served) == 1 else seconds / TURNS), side)
            turn += 1
        return [_answer(server, Finish(), side) for server, side in served]


def _answer(server: Server, task: Task, side: Side) -> Any:
    answer = server.ask(task)
    if isinstance(answer, Outcome):
        raise _failure(side, answer)
    return answer


def _ceilings(side: Side, timeout: float) -> dict[str, float]:
    asked = side.case.device, side.case.threads, side.case.dtype
    outcome = run_isolated(ceilings_task, asked, device=side.case.device, preload=ROOFLINE, timeout=timeout)
    if outcome.status != "ok":
        raise _failure(side, outcome)
    return outcome.fields


def _failure(side: Side, outcome: Outcome) -> RuntimeError:
    return RuntimeError(f"{side.text}: {outcome.status}: {outcome.message}")


def assembled(
    side: Side,
    examination: dict[str, Any],
    rounds: Sequence[dict[str, Any]],
    ceilings: dict[str, float],
    before: Moment,
) -> Profile:
    """Return the profile of a side from the results of ``worker.examine`` and ``worker.summary``."""
    case = side.case
    places: dict[Place, float] = {}
    for each in rounds:
        for place, (_, calls) in each["costs"].items():
            places[place] = places.get(place, 0.0) + calls / len(rounds)
    where = provenance(device=case.device, threads=case.threads, before=before)
    if side.revision != WORK_TREE:
        where |= {"commit": side.revision, "dirty": False, "gcnn_impl": None, "native": None}
    return Profile(
        case.fields(),
        case.id,
        case.label,
        tuple(places),
        tuple(places.values()),
        tuple(
            Round(
                tuple(each["plain"]),
                tuple(each["profiled"]),
                tuple(each["costs"].get(place, (0.0, 0.0))[0] for place in places),
                each["launches"],
                each["longest_gap"],
            )
            for each in rounds
        ),
        tuple(examination["counts"]),
        examination["modules"],
        examination["memory"],
        examination["macs"],
        examination["instructions"],
        ceilings,
        {name: where.get(name) for name in PROVENANCE},
    )
