"""One round of a block of cases: the contenders are timed in turns, in one process.

``comparing`` runs this module with the ``gcnn_impl`` of old commits, which must have all that this module imports.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.measure.clock import (
    TURN_SECONDS,
    counterbalanced,
    longest_turn,
    synchronised_clock,
    take_turn,
    warm_up,
)
from benchmarks.measure.l2_cache import emptying
from benchmarks.measure.lost_context import is_lost
from benchmarks.records.gpu import gpu_state
from benchmarks.records.outcome import Skipped, outcome_of
from benchmarks.records.provenance import cpu_frequency
from benchmarks.running.isolated import Report
from benchmarks.statistics.summary import precise_enough
from benchmarks.sweep.tasks import Round
from benchmarks.workloads.build import build_workload, configure
from benchmarks.workloads.peers import PeerUnavailable
from benchmarks.workloads.workload import Workload


def measure_round(task: Round, report: Report) -> dict[str, Any]:
    """Time the contenders in turns until each has enough samples.

    Before a contender runs, the message {"entry": number} is reported. A second message after each of its turns adds
    ``samples`` (seconds) and ``stopped`` (why the samples are enough, or None). The second message of a contender that
    fails has a ``failure`` instead, an ``Outcome``; the contender then leaves the round. When all contenders are warm,
    a message has the state of the device, see ``device_state``.

    On CUDA the cache is emptied before every pass. A contender that leaves the GPU unusable for this process ends the
    round with its error.

    Returns:
        The state of the device at the end.
    """
    device = task.entries[0][1].device
    configure(task.entries[0][1])
    clock = synchronised_clock(device)
    share, longest = task.sampling.per_round(), longest_turn(TURN_SECONDS, device)
    workloads: dict[int, Workload] = {}
    samples: dict[int, list[float]] = {}

    def attempt(entry: int, do: Callable[[], None]) -> None:
        report({"entry": entry})
        try:
            do()
        except Exception as error:
            workloads.pop(entry, None)
            if is_lost(device):
                raise
            report({"entry": entry, "failure": outcome_of(error)})

    def enter(entry: int, case: Case) -> None:
        workload = build_or_skip(case)
        prepare = emptying(workload.prepare, device)
        warm_up(workload.run, clock, task.sampling, prepare=prepare, device=device)
        workloads[entry], samples[entry] = workload, []

    def turn(entry: int) -> None:
        workload, most = workloads[entry], share.max_samples - len(samples[entry])
        prepare = emptying(workload.prepare, device)
        taken = take_turn(workload.run, clock, TURN_SECONDS, prepare=prepare, most=most, longest=longest)
        workload.prepare()  # frees the gradients before other contenders run
        samples[entry] += taken
        stopped = task.sampling.stopped(samples[entry], precise_enough)
        report({"entry": entry, "samples": taken, "stopped": stopped})
        if stopped is not None:
            del workloads[entry]

    # Processes forked from one server have similar memory layouts, which make the contender that is built first
    # faster in all rounds, or slower in all, by 0.3 % ± 0.2 % of its time. Every other round thus builds in reverse.
    for entry, case in task.entries[:: 1 if task.number % 2 == 0 else -1]:
        attempt(entry, partial(enter, entry, case))
    report(device_state(device))
    order = [entry for entry, _ in task.entries if entry in workloads]
    for place in counterbalanced(len(order), task.number) if order else ():
        if order[place] in workloads:
            attempt(order[place], partial(turn, order[place]))
        if not workloads:
            break
    return device_state(device)


def device_state(device: str) -> dict[str, Any]:
    """Return the clock frequency now, MHz, and on CUDA the rest of ``gpu_state`` too, as ``gpu``."""
    if device == "cpu":
        return {"frequency": cpu_frequency()}
    state = gpu_state()
    return {"frequency": state["clock"], "gpu": state}


def build_or_skip(case: Case) -> Workload:
    """Build the workload of a case; raise ``Skipped`` if a peer's layer is not available here."""
    try:
        return build_workload(case)
    except PeerUnavailable as reason:
        raise Skipped(reason) from reason
