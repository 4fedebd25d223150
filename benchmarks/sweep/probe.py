"""The probe of a contender, in its own process: it checks the output and measures all but the times of whole passes."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.measure.available_memory import available_bytes
from benchmarks.measure.clock import Clock, device_seconds, synchronised_clock, take_turn
from benchmarks.measure.correctness import check_gradients, check_output, check_replay
from benchmarks.measure.energy import energy_per_pass
from benchmarks.measure.l2_cache import emptying
from benchmarks.measure.lost_context import is_lost
from benchmarks.measure.macs import trace_macs, zero_counted_time_share
from benchmarks.measure.memory import split_memory
from benchmarks.measure.memory_model import predict_bytes
from benchmarks.measure.process_state import ProcessState
from benchmarks.measure.roofline import moved_bytes
from benchmarks.measure.rounding import rounding_error
from benchmarks.measure.stages import stage_seconds
from benchmarks.profiling.by_operator import operators_of_pass
from benchmarks.records.outcome import Interfered, Skipped, outcome_of
from benchmarks.running.isolated import Report
from benchmarks.statistics.summary import summarise
from benchmarks.sweep.tasks import Probe
from benchmarks.workloads.build import build_or_skip, configure
from benchmarks.workloads.workload import Workload
from gcnn_impl import calibration

# The times of stages are medians over STAGE_PASSES passes. If passes are long, they are medians over the passes that
# fit into STAGE_SHARE of the case's time budget.
STAGE_PASSES = 10
STAGE_SHARE = 0.05
# The largest number of passes that are timed on the GPU itself, and with a warm cache; within the same share.
DEVICE_PASSES = 100
# The field with the extra time of the first pass, in which code is compiled or the pass is captured.
FIRST_PASS = {"compiled": "compile_seconds", "graphed": "capture_seconds"}
# The time of the passes from which a record has its operators, as far as a few passes at least do not take longer.
OPERATORS_SECONDS = 0.1
GIB = 2**30


def probe(task: Probe, report: Report) -> dict[str, Any]:
    """Check the output, then report every wanted field of the record but the times of whole passes.

    Returns:
        ``missing``: the reason for each instrument that failed. The field of this instrument stays empty.

    Raises:
        InvalidResult: when the output or a gradient is wrong, or that of the captured pass; nothing is measured then.
        Interfered: when the contender changed the process: its settings, its threads, the clock, …
        Skipped: when a peer's layer is not available here, or when the case does not fit into memory.
    """
    case = task.case
    configure(case)
    calibration.ratio()  # operators are compiled and calibrated once on a machine, so that no first call includes it
    state = ProcessState(compiled=case.execution == "compiled")
    predicted = predict_bytes(case)
    if reason := does_not_fit(predicted, available_bytes(case.device)):
        raise Skipped(reason)
    clock = synchronised_clock(case.device)
    with state.kept(building=True):
        workload = build_or_skip(case)
    report({"parameters": sum(parameter.numel() for parameter in workload.module.parameters())})
    report({"construction_seconds": workload.construction_seconds})
    if case.execution == "eager":  # otherwise the first call compiles or captures, which has a field of its own
        with state.kept():
            report({"first_call_seconds": _first_call(workload, clock)})
    with state.kept():
        error = check_output(workload)
        check_gradients(workload)
    report({"equivariance_error": error})
    with state.kept():
        # The check has run the same pass before, unless the pass is compiled or captured.
        count = 1 if case.execution == "eager" else 2
        passes = [take_turn(workload.run, clock, 0.0, prepare=workload.prepare)[0] for _ in range(count)]
    if case.execution != "eager":
        report({FIRST_PASS[case.execution]: max(passes[0] - passes[1], 0.0)})
    with state.kept():
        check_replay(workload)
    missing = {}
    for name, instrument in _instruments(task, workload, predicted, passes[-1]).items():
        if name not in task.instruments:
            continue
        try:
            with state.kept():
                found = instrument()
            report({name: found})
        except Interfered:
            raise
        except Exception as error:
            missing[name] = outcome_of(error).message
            if is_lost(case.device):  # the other instruments cannot compute; the rounds run in processes of their own
                break
    return {"missing": missing}


def _instruments(task: Probe, workload: Workload, predicted: int, wall: float) -> dict[str, Callable[[], Any]]:
    """Return a function for each measured field of the record; ``wall`` is the time of a pass, in seconds.

    A captured pass is replayed to measure times and energy. Memory, operators and formats are those of the same pass
    before it was captured, and it has no stages.
    """
    case = task.case
    clock, eager = synchronised_clock(case.device), replace(workload, graph=None)
    # The MACs of a backward are those of one as in training, also where the pass has none.
    x = workload.x.detach().requires_grad_(case.layer == "conv")
    budget = STAGE_SHARE * task.sampling.seconds / wall
    passes, many = (int(min(max(budget, 1), most)) for most in (STAGE_PASSES, DEVICE_PASSES))
    times: dict[str, Callable[[], Any]] = {
        "device_seconds": lambda: summarise(
            device_seconds(
                workload.run, prepare=emptying(workload.prepare, case.device), passes=many, wall_seconds=wall
            )
        ),
        "warm_seconds": lambda: summarise(  # without the first pass, which warms the cache
            take_turn(workload.run, clock, math.inf, prepare=workload.prepare, most=many + 1)[1:]
        ),
    }
    stages: dict[str, Callable[[], Any]] = {
        "zero_counted_time_share": lambda: zero_counted_time_share(workload),
        "stages": lambda: stage_seconds(workload, clock, passes=passes),
    }
    return {
        **(times if case.device == "cuda" else {}),
        "memory": lambda: split_memory(eager) | {"predicted_bytes": predicted or None},
        "macs": lambda: task.macs or trace_macs(workload.module, x),
        **(stages if workload.graph is None else {}),
        "moved_bytes": lambda: moved_bytes(workload),
        **({"rounding_error": lambda: rounding_error(eager)} if case.dtype != "float32" else {}),
        "operators": lambda: operators_of_pass(eager, OPERATORS_SECONDS),
        "energy": lambda: _energy(workload, case),
    }


def does_not_fit(predicted: int, available: int) -> str | None:
    """Return why a case that needs ``predicted`` of ``available`` bytes is skipped; None if it fits."""
    if predicted <= available:
        return None
    return f"needs about {predicted / GIB:.1f} GiB of memory; available: {available / GIB:.1f}"


def _first_call(workload: Workload, clock: Clock) -> float:
    """Return the seconds of the first forward of a module, with the freezing of its kernels before it."""
    begun = clock()
    workload.forward()
    seconds = clock() - begun
    workload.prepare()
    return workload.freezing_seconds + seconds


def _energy(workload: Workload, case: Case) -> dict[str, Any]:
    """Measure the energy of passes, and return its fields. They have joules per sample if joules could be measured."""

    def run() -> None:
        workload.prepare()
        workload.run()

    found = energy_per_pass(run, case.device)
    joules = found.pop("joules_per_pass", None)
    return found if joules is None else {"joules_per_sample": float(joules) / case.batch_size, **found}
