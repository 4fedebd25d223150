"""One round of a block of cases: the contenders are timed in turns, in one process.

``comparing`` runs this module with the ``gcnn_impl`` of old commits, which must have all that this module imports.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.measure.clock import TURN_SECONDS, counterbalanced
from benchmarks.measure.lost_context import is_lost
from benchmarks.measure.process_state import ProcessState
from benchmarks.records.gpu import gpu_state
from benchmarks.records.outcome import Interfered, outcome_of
from benchmarks.records.provenance import cpu_frequency
from benchmarks.running.isolated import Report
from benchmarks.running.one_core import share_a_core
from benchmarks.statistics.summary import precise_enough
from benchmarks.sweep.apart import Apart, ApartFailed
from benchmarks.sweep.contender import Contender, Here
from benchmarks.sweep.tasks import Round
from benchmarks.workloads.build import configure

# A contender that is further than this many turns ahead of another one waits for it.
AHEAD = 4


def measure_round(task: Round, report: Report) -> dict[str, Any]:
    """Time the contenders in turns until each has enough samples.

    All contenders have enough at about the same time, since one that is ahead waits: next to fewer others, a layer
    keeps more of its data in the caches, and would become faster in the course of the round (by 18 % in one case).

    Before a contender runs, the message {"entry": number} is reported. A second message after each of its turns adds
    ``samples`` (seconds) and ``stopped`` (why the samples are enough, or None). The second message of a contender that
    fails has a ``failure`` instead, an ``Outcome``; the contender then leaves the round. When all contenders are warm,
    a message has the state of the device, see ``device_state``.

    On CUDA the cache is emptied before every pass. A contender that leaves the GPU unusable for this process, or that
    changes the process, ends the round with its error. A contender that is ``apart`` has a process of its own, and ends
    the round in no case.

    Returns:
        The state of the device at the end.
    """
    first = task.entries[0][1]
    device, share = first.device, task.sampling.per_round()

    def here(case: Case) -> Here:
        configure(case)
        return Here(case, task.sampling, state_for(case), processes=True)

    if task.apart:
        share_a_core([os.getpid()], [case for _, case in task.entries], task.number)
    # The processes are forked before this one computes.
    contenders: dict[int, Contender] = {
        entry: Apart(partial(here, case)) for entry, case in task.entries if entry in task.apart
    }
    configure(first)
    state = state_for(first)
    contenders |= {
        entry: Here(case, task.sampling, state, processes=bool(task.apart))
        for entry, case in task.entries
        if entry not in task.apart
    }
    samples: dict[int, list[float]] = {entry: [] for entry in contenders}

    def attempt(entry: int, do: Callable[[], None]) -> None:
        report({"entry": entry})
        try:
            do()
        except Exception as error:
            contenders.pop(entry).close()
            if is_lost(device) or isinstance(error, Interfered):
                raise
            outcome = error.outcome if isinstance(error, ApartFailed) else outcome_of(error)
            report({"entry": entry, "failure": outcome})

    def turn(entry: int) -> None:
        taken = contenders[entry].turn(share.max_samples - len(samples[entry]))
        samples[entry] += taken
        stopped = task.sampling.stopped(samples[entry], precise_enough)
        report({"entry": entry, "samples": taken, "stopped": stopped})
        if stopped is not None:
            contenders.pop(entry).close()

    def is_ahead(entry: int) -> bool:
        progress = {each: task.sampling.progress(samples[each]) for each in contenders}
        return progress[entry] > min(progress.values()) + AHEAD * TURN_SECONDS / share.seconds

    # Processes forked from one server have similar memory layouts, which make the contender that is built first
    # faster in all rounds, or slower in all, by 0.3 % ± 0.2 % of its time. Every other round thus builds in reverse.
    order = [entry for entry, _ in task.entries[:: 1 if task.number % 2 == 0 else -1]]
    for entry in order:
        attempt(entry, contenders[entry].enter)
    # Last of all, because a contender that enters later takes memory that earlier ones have used.
    for entry in filter(contenders.__contains__, order):
        attempt(entry, contenders[entry].warm_up)
    report(device_state(device))
    order = [entry for entry, _ in task.entries if entry in contenders]
    for place in counterbalanced(len(order), task.number) if order else ():
        if not contenders:
            break
        if order[place] in contenders and not is_ahead(order[place]):
            attempt(order[place], partial(turn, order[place]))
    return device_state(device)


def state_for(case: Case) -> ProcessState:
    """Return the state of this process, which a case must keep."""
    return ProcessState(compiled=case.execution == "compiled")


def device_state(device: str) -> dict[str, Any]:
    """Return the clock frequency now, MHz, and on CUDA the rest of ``gpu_state`` too, as ``gpu``."""
    if device == "cpu":
        return {"frequency": cpu_frequency()}
    state = gpu_state()
    return {"frequency": state["clock"], "gpu": state}
