"""Measures a case in this process: rounds of passes with and without the profiler, and one examination.

The examination counts MACs and bytes, follows the memory through a pass, and writes a trace.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.cases.case import Case
from benchmarks.measure.clock import synchronised_clock, take_turn, warm_up
from benchmarks.measure.instructions import NotAvailable, count_events
from benchmarks.measure.l2_cache import emptying
from benchmarks.measure.macs import trace_macs
from benchmarks.measure.sampling import Sampling
from benchmarks.profiling.attribution import by_place, placed, segments
from benchmarks.profiling.counting import counts
from benchmarks.profiling.cuda import Gaps, device_segments, gaps, kernels_of
from benchmarks.profiling.events import events_of
from benchmarks.profiling.memory import follow_memory
from benchmarks.profiling.profile import Costs, fastest_quarter
from benchmarks.profiling.ranges import module_types, recorder, run_in_spans, spans_of_modules
from benchmarks.profiling.tasks import ExaminationTask, RoundTask
from benchmarks.records.costs import pass_macs
from benchmarks.workloads.build import build_or_skip, configure
from benchmarks.workloads.workload import Workload

# The turns of a round: without the profiler, with it, and again in reverse, so that a drift affects both alike.
TURNS = (False, True, True, False)
# A turn with the profiler has at most this many passes, whose events are all kept until its end.
MOST_PROFILED = 50
FEWEST_PASSES = 4
TRACE_FILE = "trace.pt.trace.json"  # TensorBoard's plugin looks for names that end like this one


def measure_round(task: RoundTask) -> dict[str, Any]:
    """Return ``plain`` and ``profiled``, seconds of passes; ``costs``, seconds and calls by place; and on CUDA gaps."""
    workload = _warm(task.case, task.seconds)
    device = task.case.device
    clock, prepare = synchronised_clock(device), emptying(workload.prepare, device)
    plain: list[float] = []
    passes: list[Costs] = []
    found: list[Gaps] = []
    share = task.seconds / len(TURNS)
    for with_profiler in TURNS:
        if with_profiler:
            number = int(min(max(share / median(plain), FEWEST_PASSES), MOST_PROFILED))
            more_passes, more_gaps = profiled_passes(workload, number)
            passes += more_passes
            found += more_gaps
            continue
        taken = take_turn(workload.run, clock, share, prepare=prepare)
        while len(taken) < FEWEST_PASSES:
            taken += take_turn(workload.run, clock, 0.0, prepare=prepare)
        plain += taken
    return {
        "plain": plain,
        "profiled": [sum(seconds for seconds, _ in costs.values()) for costs in passes],
        "costs": fastest_quarter(passes),
        "launches": median([each.launches for each in found]) if found else None,
        "longest_gap": median([each.longest for each in found]) / 1e9 if found else None,
    }


def profiled_passes(workload: Workload, number: int) -> tuple[list[Costs], list[Gaps]]:
    """Run passes with the profiler; return the seconds and calls of each place in each pass, and on CUDA the gaps.

    On CUDA the seconds are those of kernels, in the places that launched them, and of the gaps between them.
    """
    device = workload.x.device.type
    cuda, prepare = device == "cuda", emptying(workload.prepare, device)
    finish: Callable[[], object] = torch.cuda.synchronize if cuda else lambda: None
    with spans_of_modules(workload), recorder(device) as recorded:
        for _ in range(number + 1):
            prepare()
            finish()  # the cache is empty before the pass begins
            run_in_spans(workload, finish)
    workload.prepare()
    kernels = kernels_of(recorded.kineto_results) if cuda else []
    passes: list[Costs] = []
    found: list[Gaps] = []
    for event in events_of(recorded.kineto_results)[1:]:  # the first pass under the profiler is slower
        root = placed(event)
        divided = list(segments(root))
        if cuda:
            places = {each.event.identity: each.place for each in root.every()}
            divided = list(device_segments(kernels, places, event.start, event.end))
            found.append(gaps(divided))
        passes.append({place: (time / 1e9, calls) for place, (time, calls) in by_place(divided).items()})
    return passes, found


def examine(task: ExaminationTask) -> dict[str, Any]:
    """Return what a profile has besides times: counts, memory, modules, MACs and instructions; write the trace.

    A compiled or captured pass is counted as if it were neither, and then not by module.
    """
    case = task.case
    workload = _warm(case, 0.0)
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
    """Build the workload of a case, and run passes until it is warm."""
    configure(case)
    workload = build_or_skip(case)
    sampling = Sampling(rounds=1, seconds=seconds or 1e-3, min_samples=1)
    warm_up(workload.run, synchronised_clock(case.device), sampling, prepare=workload.prepare, device=case.device)
    return workload
