"""Measures a case in this process: rounds of passes with and without the profiler, and one examination.

The examination counts MACs and bytes, follows the memory through a pass, and writes a trace.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Container
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.cases.case import Case
from benchmarks.measure.clock import synchronised_clock, take_turn, warm_up
from benchmarks.measure.macs import trace_macs
from benchmarks.measure.memory import BLOCK_KINDS, blocks, live_at, memory_changes, position_of_peak, split_memory
from benchmarks.measure.sampling import Sampling
from benchmarks.profiling.attribution import by_place, placed, segments
from benchmarks.profiling.counting import counts
from benchmarks.profiling.cuda import device_segments, kernels_of
from benchmarks.profiling.events import events_of
from benchmarks.profiling.profile import Costs, Holder, Memory, middle_half
from benchmarks.profiling.ranges import module_types, recorder, run_in_spans, spans_of_modules
from benchmarks.profiling.tasks import ExaminationTask, RoundTask
from benchmarks.records.costs import pass_macs
from benchmarks.sweep.contender import build_or_skip
from benchmarks.workloads.build import configure
from benchmarks.workloads.workload import Workload

# The turns of a round: without the profiler, with it, and again in reverse, so that a drift affects both alike.
TURNS = (False, True, True, False)
# A turn with the profiler has at most this many passes, whose events are all kept until its end.
MOST_PROFILED = 50
FEWEST_PASSES = 4
# The time between two points of the memory's figure is at least this share of a pass.
STEPS = 600
TRACE_FILE = "trace.pt.trace.json"  # TensorBoard's plugin looks for names that end like this one


def measure_round(task: RoundTask) -> dict[str, Any]:
    """Return ``plain`` and ``profiled``, seconds of passes; ``costs``, seconds and calls by place; and ``launches``."""
    workload = _warm(task.case, task.seconds)
    clock = synchronised_clock(task.case.device)
    times: dict[bool, list[float]] = {False: [], True: []}
    passes: list[Costs] = []
    share = task.seconds / len(TURNS)
    for with_profiler in TURNS:
        if not with_profiler:
            took = take_turn(workload.run, clock, share, prepare=workload.prepare)
            while len(took) < FEWEST_PASSES:
                took += take_turn(workload.run, clock, 0.0, prepare=workload.prepare)
            times[False] += took
            continue
        typical = sorted(times[False])[len(times[False]) // 2]
        number = int(min(max(share / typical, FEWEST_PASSES), MOST_PROFILED))
        passes += profiled_passes(workload, number)
    times[True] = [sum(seconds for seconds, _ in costs.values()) for costs in passes]
    costs = middle_half(passes)
    return {
        "plain": times[False],
        "profiled": times[True],
        "costs": costs,
        "launches": launches(costs) if task.case.device == "cuda" else None,
    }


def launches(costs: Costs) -> float:
    """Return the number of kernels of a pass on a GPU, each of which is one call of a place."""
    return sum(calls for _, calls in costs.values())


def profiled_passes(workload: Workload, number: int) -> list[Costs]:
    """Run passes with the profiler, and return the seconds and calls of each place in each pass.

    On a GPU the seconds are those of kernels, in the places that launched them, and of the gaps between them.
    """
    cuda = workload.x.device.type == "cuda"
    finish = torch.cuda.synchronize if cuda else lambda: None
    with spans_of_modules(workload), recorder(workload.x.device.type) as recorded:
        for _ in range(number + 1):
            workload.prepare()
            run_in_spans(workload, finish)
    workload.prepare()
    kernels = kernels_of(recorded.kineto_results) if cuda else []
    found: list[Costs] = []
    for event in events_of(recorded.kineto_results)[1:]:  # the first pass under the profiler is slower
        root = placed(event)
        divided = segments(root)
        if cuda:
            places = {each.event.identity: each.place for each in root.every()}
            divided = device_segments(kernels, places, event.start, event.end)
        found.append({place: (time / 1e9, calls) for place, (time, calls) in by_place(divided).items()})
    return found


def examine(task: ExaminationTask) -> dict[str, Any]:
    """Return ``counts``, ``memory``, ``modules`` and ``macs`` of a case, as ``Profile`` has them; write the trace."""
    case = task.case
    workload = _warm(case, 0.0)
    if task.folder is not None:
        write_trace(workload, task.folder / TRACE_FILE)
    counted = trace_macs(workload.module, workload.x.detach().requires_grad_(case.layer == "conv"))
    found = counts(workload)
    return {
        "counts": found,
        "memory": follow_memory(workload, {count.operator for count in found}),
        "modules": module_types(workload),
        "macs": pass_macs(counted, generated=case.kernels == "generated", backward=workload.backward),
    }


def write_trace(workload: Workload, path: Path) -> None:
    """Write one pass as a trace that Perfetto, Chrome and TensorBoard open."""
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


def follow_memory(workload: Workload, dispatched: Container[str]) -> Memory:
    """Follow the memory through one pass: its steps, and what holds it at its peak."""
    recorded = split_memory(workload)
    with spans_of_modules(workload):
        profiler, changes = memory_changes(workload, lambda: run_in_spans(workload))
    workload.prepare()
    assert profiler.profiler is not None
    (event,) = events_of(profiler.profiler.kineto_results)
    divided = [each for each in segments(placed(event)) if each.end > each.start]
    starts = [each.start for each in divided]
    found = blocks(change for _, change in changes)
    held: Counter[tuple[str, str, str, str]] = Counter()
    for block in live_at(found, position_of_peak(found)):
        moment = changes[block.allocated][0]
        place = divided[max(bisect_right(starts, moment) - 1, 0)].place
        operator = place.operator(dispatched) if block.kind == "workspace" else ""
        held[block.kind, place.phase, place.module, operator] += block.size
    holders = tuple(Holder(*key, size) for key, size in held.most_common())
    steps: list[tuple[float, tuple[int, ...]]] = []
    sizes = dict.fromkeys(BLOCK_KINDS, 0)
    by_position: dict[int, list[tuple[str, int]]] = {}
    for block in found:
        by_position.setdefault(block.allocated, []).append((block.kind, block.size))
        if block.released is not None:
            by_position.setdefault(block.released, []).append((block.kind, -block.size))
    for position in sorted(by_position):
        for kind, size in by_position[position]:
            sizes[kind] += size
        steps.append(((changes[position][0] - event.start) / 1e9, tuple(sizes.values())))
    state = workload.optimiser.state.values() if workload.optimiser is not None else ()
    before = {
        "parameters": sum(parameter.nbytes for parameter in workload.module.parameters()),
        "input": workload.x.nbytes,
        "optimiser": sum(t.nbytes for each in state for t in each.values() if isinstance(t, torch.Tensor)),
    }
    return Memory(
        sum(holder.bytes for holder in holders), int(recorded["peak_bytes"]), before, holders, tuple(thinned(steps))
    )


def thinned(steps: list[tuple[float, tuple[int, ...]]], most: int = STEPS) -> list[tuple[float, tuple[int, ...]]]:
    """Keep at most ``most`` steps: of each group of successive ones, the one with the highest total."""
    size = math.ceil(len(steps) / most) or 1
    groups = (steps[first : first + size] for first in range(0, len(steps), size))
    return [max(group, key=lambda step: sum(step[1])) for group in groups]


def _warm(case: Case, seconds: float) -> Workload:
    """Build the workload of a case, and run passes until it is warm."""
    configure(case)
    workload = build_or_skip(case)
    sampling = Sampling(rounds=1, seconds=seconds or 1e-3, min_samples=1)
    warm_up(workload.run, synchronised_clock(case.device), sampling, prepare=workload.prepare, device=case.device)
    return workload
