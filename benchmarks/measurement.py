"""What runs in processes of its own while a block is measured: one probe of every contender, then the rounds.

A probe checks the answer and takes what does not need a clean process: memory, MACs, stages, energy. A round takes
times and nothing else.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.blocks import Probe, Round
from benchmarks.cases import Case
from benchmarks.isolation import Report, Skipped, outcome_of
from benchmarks.measure.clock import (
    TURN_SECONDS,
    counterbalanced,
    device_seconds,
    synchronised_clock,
    take_turn,
    warm_up,
)
from benchmarks.measure.correctness import check_output
from benchmarks.measure.energy import energy_per_pass
from benchmarks.measure.environment import frequency
from benchmarks.measure.flops import count_macs, zero_counted_time_share
from benchmarks.measure.memory import split_memory
from benchmarks.measure.memory_model import available_bytes, predict_bytes
from benchmarks.measure.roofline import moved_bytes
from benchmarks.measure.stages import stage_seconds
from benchmarks.measure.statistics import precise_enough, summarise
from benchmarks.peers import PeerUnavailable
from benchmarks.workloads import Workload, build, configure

# The stages of short passes are medians of this many; long ones get what fits into a part of the case's budget.
STAGE_PASSES = 10
STAGE_SHARE = 0.1
GIB = 2**30


def probe(task: Probe, report: Report) -> dict[str, Any]:
    """Check the output, then report the fields of a record that are no times of whole passes.

    An instrument that fails leaves its field empty, and says why in ``missing``.

    Raises:
        InvalidResult: when the output is wrong; nothing is measured then.
        Skipped: when the case is a peer's that cannot be had, or does not fit into memory.
    """
    case = task.case
    configure(case)
    predicted = predict_bytes(case)
    if reason := does_not_fit(predicted, available_bytes(case.device)):
        raise Skipped(reason)
    workload = _build(case)
    report({"parameters": sum(parameter.numel() for parameter in workload.module.parameters())})
    report({"equivariance_error": check_output(workload)})
    clock = synchronised_clock(case.device)
    first, second = (take_turn(workload.run, clock, 0.0, prepare=workload.prepare)[0] for _ in range(2))
    if case.execution == "compiled":
        report({"compile_seconds": max(first - second, 0.0)})
    passes = int(min(max(STAGE_SHARE * task.sampling.seconds / second, 1), STAGE_PASSES))
    instruments: dict[str, Callable[[], Any]] = {
        "memory": lambda: split_memory(workload) | {"predicted_bytes": predicted},
        "macs": lambda: task.macs or count_macs(workload.module, workload.x),
        "zero_counted_time_share": lambda: zero_counted_time_share(workload),
        "stages": lambda: stage_seconds(workload, clock, passes=passes),
        "moved_bytes": lambda: moved_bytes(workload),
        "energy": lambda: _energy(workload, case),
    }
    if case.device == "cuda":
        instruments["device_seconds"] = lambda: summarise(
            device_seconds(workload.run, prepare=workload.prepare, passes=passes)
        )
    missing = {}
    for name, instrument in instruments.items():
        try:
            report({name: instrument()})
        except Exception as error:
            missing[name] = outcome_of(error).message
    return {"missing": missing}


def does_not_fit(predicted: int, available: int) -> str | None:
    """Why a case of so many bytes is skipped; None if it fits."""
    if predicted <= available:
        return None
    return f"needs about {predicted / GIB:.1f} GiB of memory; available: {available / GIB:.1f}"


def _energy(workload: Workload, case: Case) -> dict[str, Any]:
    def run() -> None:
        workload.prepare()
        workload.run()

    found = energy_per_pass(run, case.device)
    joules = found.pop("joules_per_pass", None)
    return found if joules is None else {"joules_per_sample": float(joules) / case.batch_size, **found}


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
        workload = _build(case)
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


def _build(case: Case) -> Workload:
    try:
        return build(case)
    except PeerUnavailable as reason:
        raise Skipped(reason) from reason
