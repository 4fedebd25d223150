"""Passes of a workload in this process, without and with the profiler in turns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

import torch

from benchmarks.measure.clock import synchronised_clock, take_turn
from benchmarks.measure.l2_cache import emptying
from benchmarks.profiling.attribution import by_place, placed, segments
from benchmarks.profiling.cuda import Gaps, device_segments, gaps, kernels_of
from benchmarks.profiling.events import events_of
from benchmarks.profiling.profile import Costs
from benchmarks.profiling.ranges import recorder, run_in_spans, spans_of_modules
from benchmarks.workloads.workload import Workload

# The turns: without the profiler, with it, and again in reverse, so that a drift affects both alike.
TURNS = (False, True, True, False)
# A turn with the profiler has at most this many passes, whose events are all kept until its end.
MOST_PROFILED = 50
FEWEST_PASSES = 4


@dataclass
class Passes:
    """Passes of one process.

    Args:
        plain: seconds of the passes without the profiler.
        costs: seconds and calls of each place, in the passes with the profiler.
        gaps: on CUDA, the gaps between the kernels of these passes.
    """

    plain: list[float] = field(default_factory=list)
    costs: list[Costs] = field(default_factory=list)
    gaps: list[Gaps] = field(default_factory=list)

    def __iadd__(self, other: "Passes") -> "Passes":
        """Add the passes of another turn."""
        self.plain += other.plain
        self.costs += other.costs
        self.gaps += other.gaps
        return self

    @property
    def profiled(self) -> list[float]:
        """The seconds of each pass with the profiler."""
        return [sum(seconds for seconds, _ in costs.values()) for costs in self.costs]


def take_passes(workload: Workload, seconds: float, fewest: int = FEWEST_PASSES) -> Passes:
    """Take passes for ``seconds``, ``fewest`` in each turn at least. The workload must be warm."""
    device = workload.x.device.type
    clock, prepare = synchronised_clock(device), emptying(workload.prepare, device)
    found, share = Passes(), seconds / len(TURNS)
    for with_profiler in TURNS:
        if with_profiler:
            number = int(min(max(share / median(found.plain), fewest), MOST_PROFILED))
            costs, idle = profiled_passes(workload, number)
            found.costs += costs
            found.gaps += idle
            continue
        taken = take_turn(workload.run, clock, share, prepare=prepare)
        while len(taken) < fewest:
            taken += take_turn(workload.run, clock, 0.0, prepare=prepare)
        found.plain += taken
    return found


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
