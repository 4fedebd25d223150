"""Measures a case in this process: turns of passes with and without the profiler, and one examination.

The examination counts MACs and bytes, follows the memory through a pass, and writes a trace.
"""

import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.cases.case import Case
from benchmarks.measure.clock import synchronised_clock, warm_up
from benchmarks.measure.instructions import NotAvailable, count_events
from benchmarks.measure.macs import trace_macs
from benchmarks.measure.sampling import Sampling
from benchmarks.profiling.counting import counts
from benchmarks.profiling.memory import follow_memory
from benchmarks.profiling.passes import Passes, take_passes
from benchmarks.profiling.profile import fastest_quarter
from benchmarks.profiling.ranges import module_types, run_in_spans, spans_of_modules
from benchmarks.profiling.tasks import Enter, Examine, Task, Turn
from benchmarks.records.costs import pass_macs
from benchmarks.records.outcome import outcome_of
from benchmarks.workloads.build import build_or_skip, configure
from benchmarks.workloads.workload import Workload

TRACE_FILE = "trace.pt.trace.json"  # TensorBoard's plugin looks for names that end like this one


class Answers:
    """Answers the tasks of a ``Server`` in its process. An exception becomes an ``Outcome``."""

    def __init__(self) -> None:
        self.workload: Workload | None = None
        self.passes = Passes()

    def __call__(self, task: Task) -> Any:
        """Carry out a task; the answers are those of ``examine``, None, seconds, and ``summary``."""
        try:
            return self._answer(task)
        except Exception as error:
            return outcome_of(error)

    def _answer(self, task: Task) -> Any:
        if isinstance(task, Examine):
            return examine(task)
        if isinstance(task, Enter):
            self.workload = _warm(task.case, task.seconds)
            return None
        if isinstance(task, Turn):
            assert self.workload is not None
            begun = time.monotonic()
            self.passes += take_passes(self.workload, task.seconds)
            return time.monotonic() - begun
        return summary(self.passes)


def summary(taken: Passes) -> dict[str, Any]:
    """Return ``plain`` and ``profiled``, seconds of passes; ``costs``, seconds and calls by place; and on CUDA gaps."""
    gaps = taken.gaps
    return {
        "plain": taken.plain,
        "profiled": taken.profiled,
        "costs": fastest_quarter(taken.costs),
        "launches": median([each.launches for each in gaps]) if gaps else None,
        "longest_gap": median([each.longest for each in gaps]) / 1e9 if gaps else None,
    }


def examine(task: Examine) -> dict[str, Any]:
    """Return what a profile has besides times: counts, memory, modules, MACs and instructions; write the trace.

    A compiled or captured pass is counted as if it were neither, and then not by module.
    """
    case = task.case
    workload = _warm(case, 1e-3)  # briefly: an examination is not timed
    if task.folder is not None:
        write_trace(workload, task.folder / TRACE_FILE)
    x = workload.x.detach().requires_grad_(case.layer == "conv")
    macs = pass_macs(trace_macs(workload.module, x), generated=case.kernels == "generated", backward=workload.backward)
    eager = replace(workload, call=None, graph=None)
    if case.execution != "eager":  # what only a first pass does is not counted
        eager.prepare()
        eager.run()
    found = counts(eager)
    if case.execution != "eager":
        found = [replace(count, module="") for count in found]
    try:
        workload.prepare()
        instructions: int | str = count_events(workload.run)
    except NotAvailable as reason:
        instructions = str(reason)
    return {
        "counts": found,
        "memory": follow_memory(replace(workload, graph=None), {count.operator for count in found}),
        "modules": module_types(workload),
        "macs": macs,
        "instructions": instructions,
    }


def write_trace(workload: Workload, path: Path) -> None:
    """Write two passes as a trace that Perfetto, Chrome and TensorBoard open."""
    cuda = workload.x.device.type == "cuda"
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * cuda
    with (
        spans_of_modules(workload),
        profile(activities=activities, record_shapes=True, profile_memory=True, acc_events=True) as profiler,
    ):
        for _ in range(2):
            workload.prepare()
            run_in_spans(workload, torch.cuda.synchronize if cuda else lambda: None)
    workload.prepare()
    profiler.export_chrome_trace(str(path))


def _warm(case: Case, seconds: float) -> Workload:
    """Build the workload of a case, and run passes until it is warm, for a measurement of so many seconds."""
    configure(case)
    workload = build_or_skip(case)
    sampling = Sampling(rounds=1, seconds=seconds, min_samples=1)
    warm_up(workload.run, synchronised_clock(case.device), sampling, prepare=workload.prepare, device=case.device)
    return workload
