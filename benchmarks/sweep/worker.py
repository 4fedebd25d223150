"""One round of a block, in its own process: times, and nothing else.

``comparing`` runs this with the ``gcnn_impl`` of old commits. What is imported here decides how old they may be.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.measure.clock import TURN_SECONDS, counterbalanced, synchronised_clock, take_turn, warm_up
from benchmarks.records.outcome import Skipped, outcome_of
from benchmarks.records.provenance import frequency
from benchmarks.running.isolated import Report
from benchmarks.statistics.summary import precise_enough
from benchmarks.sweep.tasks import Round
from benchmarks.workloads.build import build, configure
from benchmarks.workloads.peers import PeerUnavailable
from benchmarks.workloads.workload import Workload


def measure_round(task: Round, report: Report) -> dict[str, Any]:
    """Time the contenders in turns until each has enough samples.

    Reported are ``entry``, the number of whoever is about to run; then, of its turn, ``samples`` and ``stopped``, why
    these are enough, or ``failure``, an ``Outcome`` with which it leaves the round. ``frequency`` is the clock's when
    all are warm, and in the end.
    """
    device = task.entries[0][1].device
    configure(task.entries[0][1])
    clock = synchronised_clock(device)
    share = task.sampling.per_round()
    workloads: dict[int, Workload] = {}
    samples: dict[int, list[float]] = {}

    def attempt(entry: int, do: Callable[[], None]) -> None:
        report({"entry": entry})
        try:
            do()
        except Exception as error:
            workloads.pop(entry, None)
            report({"entry": entry, "failure": outcome_of(error)})

    def enter(entry: int, case: Case) -> None:
        workload = build_or_skip(case)
        warm_up(workload.run, clock, task.sampling, prepare=workload.prepare)
        workloads[entry], samples[entry] = workload, []

    def turn(entry: int) -> None:
        workload, most = workloads[entry], share.max_samples - len(samples[entry])
        taken = take_turn(workload.run, clock, TURN_SECONDS, prepare=workload.prepare, most=most)
        workload.prepare()  # its gradients are not there while others run
        samples[entry] += taken
        stopped = task.sampling.stopped(samples[entry], precise_enough)
        report({"entry": entry, "samples": taken, "stopped": stopped})
        if stopped is not None:
            del workloads[entry]

    # Processes forked from one server lay out their memory alike, so that who is built first is favoured, or not, in
    # all rounds: by 0.3 % ± 0.2 of the time. In every other round it is built last.
    for entry, case in task.entries[:: 1 if task.number % 2 == 0 else -1]:
        attempt(entry, lambda entry=entry, case=case: enter(entry, case))  # type: ignore[misc]
    report({"frequency": frequency(device)})
    order = [entry for entry, _ in task.entries if entry in workloads]
    for place in counterbalanced(len(order), task.number) if order else ():
        if order[place] in workloads:
            attempt(order[place], lambda entry=order[place]: turn(entry))  # type: ignore[misc]
        if not workloads:
            break
    return {"frequency": frequency(device)}


def build_or_skip(case: Case) -> Workload:
    """Build the workload of a case.

    Raises:
        Skipped: when the case is a peer's that cannot be had.
    """
    try:
        return build(case)
    except PeerUnavailable as reason:
        raise Skipped(reason) from reason
