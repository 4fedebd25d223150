"""Follows the memory through one pass: how much of each kind there is when, and what holds it at the peak."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Container, Sequence

from torch import Tensor

from benchmarks.measure.memory import (
    BLOCK_KINDS,
    Block,
    blocks,
    live_at,
    memory_changes,
    position_of_peak,
    split_memory,
)
from benchmarks.profiling.attribution import Place, Segment, placed, segments
from benchmarks.profiling.events import events_of
from benchmarks.profiling.profile import Holder, Memory
from benchmarks.profiling.ranges import run_in_spans, spans_of_modules
from benchmarks.workloads.workload import Workload

Steps = Sequence[tuple[float, tuple[int, ...]]]
# A profile has at most this many steps of the memory.
MOST_STEPS = 600


def follow_memory(workload: Workload, dispatched: Container[str]) -> Memory:
    """Follow the memory through one pass; ``dispatched`` are the operators that torch's dispatcher hands to a device.

    A pass must have run before, as for ``split_memory``, whose peak is measured too.
    """
    recorded = split_memory(workload)
    with spans_of_modules(workload):
        profiler, changes = memory_changes(workload, lambda: run_in_spans(workload))
    workload.prepare()
    assert profiler.profiler is not None
    (event,) = events_of(profiler.profiler.kineto_results)
    divided = list(segments(placed(event)))
    found, times = blocks(change for _, change in changes), [at for at, _ in changes]
    held: Counter[tuple[str, str, str, str]] = Counter()
    for block in live_at(found, position_of_peak(found)):
        place = place_at(divided, times[block.allocated])
        operator = place.operator(dispatched) if block.kind == "workspace" else ""
        held[block.kind, place.phase, place.module, operator] += block.size
    return Memory(
        held.total(),
        int(recorded["peak_bytes"]),
        _before(workload),
        tuple(Holder(*key, size) for key, size in held.most_common()),
        tuple(thinned(steps(found, [(at - event.start) / 1e9 for at in times]))),
    )


def place_at(divided: Sequence[Segment], time: int) -> Place:
    """Return where a pass is at a time, from its segments in order of time."""
    return divided[max(bisect_right(divided, time, key=lambda segment: segment.start) - 1, 0)].place


def steps(found: Sequence[Block], times: Sequence[float]) -> Steps:
    """Return the time of each change of the memory, and the bytes of each kind after it.

    Args:
        found: the blocks of a pass.
        times: the times of the changes at which blocks are allocated and released, by position.

    >>> steps([Block(8, 0, 1, "kernels"), Block(4, 1)], [0.5, 1.0])
    [(0.5, (0, 8, 0, 0)), (1.0, (0, 0, 0, 4))]
    """
    changed: dict[int, Counter[str]] = {}
    for block in found:
        changed.setdefault(block.allocated, Counter())[block.kind] += block.size
        if block.released is not None:
            changed.setdefault(block.released, Counter())[block.kind] -= block.size
    sizes = dict.fromkeys(BLOCK_KINDS, 0)
    taken = []
    for position in sorted(changed):
        for kind, size in changed[position].items():
            sizes[kind] += size
        taken.append((times[position], tuple(sizes.values())))
    return taken


def thinned(taken: Steps, most: int = MOST_STEPS) -> Steps:
    """Keep at most ``most`` steps: of each group of successive ones, the one with the highest total."""
    size = math.ceil(len(taken) / most) or 1
    groups = (taken[first : first + size] for first in range(0, len(taken), size))
    return [max(group, key=lambda step: sum(step[1])) for group in groups]


def _before(workload: Workload) -> dict[str, int]:
    """Return the bytes of what exists before a pass."""
    state = workload.optimiser.state.values() if workload.optimiser is not None else ()
    return {
        "parameters": sum(parameter.nbytes for parameter in workload.module.parameters()),
        "input": workload.x.nbytes,
        "optimiser": sum(value.nbytes for each in state for value in each.values() if isinstance(value, Tensor)),
    }
