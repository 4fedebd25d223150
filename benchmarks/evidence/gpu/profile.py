"""The part "profile": the kernels of a pass, the time between them, and the pass's share of the roofline."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch._C._autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from benchmarks.cases.case import Case
from benchmarks.evidence.gpu.cells import FORMATS, layers
from benchmarks.evidence.gpu.job import Job
from benchmarks.evidence.traffic import floor_bytes
from benchmarks.measure.clock import device_seconds, synchronised_clock, take_turn
from benchmarks.measure.macs import trace_macs
from benchmarks.measure.roofline import ceilings, moved_bytes
from benchmarks.records.costs import pass_macs
from benchmarks.statistics.roofline import roofline
from benchmarks.statistics.summary import summarise
from benchmarks.workloads.build import build_workload, configure
from benchmarks.workloads.workload import Workload
from gcnn_impl.layers.base import Convolution

VARIANTS = ("separable", "full")
WARM_UP_PASSES, PROFILED_PASSES, TIMED_PASSES = 3, 5, 20
TOP = 5  # kernels that are named


@dataclass(frozen=True)
class Span:
    """A kernel on the device; on a processor, an operator that calls no other. Times are in seconds."""

    name: str
    begin: float
    end: float


def run(job: Job) -> None:
    """Measure the ceilings of each format, then profile the layers of the base point."""
    cases = layers(job.device, job.scale)
    limits: dict[str, dict[str, float]] = {}
    for dtype in ("float32", *FORMATS[job.device]):
        limits[dtype] = ceilings(job.device, cases[0].threads, dtype)
        job.note(ceiling=dtype, **limits[dtype])
    for case in cases:
        if case.variant not in VARIANTS or case.execution != "eager":
            continue
        if job.left() < 1:
            job.note(left_out=case.label, reason="no time left")
            continue
        job.note(case=case.label, variant=case.variant, direction=case.direction, **profiled(case, limits[case.dtype]))


def profiled(case: Case, limits: dict[str, float]) -> dict[str, Any]:
    """Return what a profile of a case's passes shows; the times are seconds of a pass."""
    configure(case)
    workload = build_workload(case)
    clock = synchronised_clock(case.device)
    for _ in range(WARM_UP_PASSES):
        take_turn(workload.run, clock, 0.0, prepare=workload.prepare)
    wall = summarise(take_turn(workload.run, clock, 0.5, prepare=workload.prepare, most=TIMED_PASSES))["median"]
    spans = recorded(workload, case.device)
    busy = busy_seconds(spans) / PROFILED_PASSES
    backward = case.direction != "forward"
    macs = pass_macs(trace_macs(workload.module, workload.x), generated=case.kernels == "generated", backward=backward)
    assert isinstance(workload.module, Convolution)
    moved = moved_bytes(workload)
    floor = floor_bytes(workload.module, workload.x, workload.cotangent, training=backward)
    found = {
        "wall_seconds": wall,
        "busy_seconds": busy,
        "idle_share": max(0.0, 1 - busy / wall),
        "launches": len(spans) / PROFILED_PASSES,
        "moved_bytes": moved,
        "floor_bytes": floor,
        "floor_share_of_memory": floor / limits["memory_ceiling"] / busy if busy else None,
        "roofline": roofline(macs, moved, busy, limits) if busy and macs is not None else None,
        "top": top_kernels(spans),
    }
    if case.device == "cuda":
        times = device_seconds(workload.run, prepare=workload.prepare, passes=TIMED_PASSES, wall_seconds=wall)
        found["device_seconds"] = summarise(times)["median"]
    return found


def recorded(workload: Workload, device: str) -> list[Span]:
    """Return the kernels of ``PROFILED_PASSES`` passes."""
    cuda = device == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    with profile(activities=activities, acc_events=True) as found:
        for _ in range(PROFILED_PASSES):
            workload.prepare()
            workload.run()
        if cuda:
            torch.cuda.synchronize()
    kind = DeviceType.CUDA if cuda else DeviceType.CPU
    events = [event for event in found.events() or () if event.device_type == kind and not event.cpu_children]
    return [Span(event.name, event.time_range.start / 1e6, event.time_range.end / 1e6) for event in events]


def busy_seconds(spans: Sequence[Span]) -> float:
    """Return the time during which at least one of the spans was active.

    >>> busy_seconds([Span("a", 0.0, 2.0), Span("b", 1.0, 3.0), Span("c", 5.0, 6.0)])
    4.0
    """
    busy, until = 0.0, float("-inf")
    for span in sorted(spans, key=lambda span: span.begin):
        busy += max(0.0, span.end - max(span.begin, until))
        until = max(until, span.end)
    return busy


def top_kernels(spans: Sequence[Span]) -> list[dict[str, Any]]:
    """Return the kernels that take most of the time: name, share of the time of all kernels, launches in a pass."""
    by_name: dict[str, list[float]] = defaultdict(list)
    for span in spans:
        by_name[span.name].append(span.end - span.begin)
    total = sum(map(sum, by_name.values())) or 1.0
    ranked = sorted(by_name.items(), key=lambda item: -sum(item[1]))[:TOP]
    return [
        {"name": name[:80], "share": round(sum(times) / total, 3), "launches": len(times) / PROFILED_PASSES}
        for name, times in ranked
    ]
