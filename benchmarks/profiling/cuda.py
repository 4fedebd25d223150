"""Kernels on a GPU: the operators that launched them, and the gaps between them. Pure functions but ``kernels_of``."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.profiling.attribution import Place, Segment


@dataclass(frozen=True)
class Kernel:
    """Work of the GPU, between two times in nanoseconds; ``launched_by`` is the ``Event.identity`` of its operator."""

    name: str
    start: int
    end: int
    launched_by: int


def kernels_of(kineto_results: Any) -> list[Kernel]:
    """Return the kernels, copies and fills that torch's profiler has recorded, in order of time."""
    from torch._C._autograd import DeviceType  # late: the functions above and below need no torch

    found = [
        Kernel(each.name(), each.start_ns(), each.end_ns(), each.linked_correlation_id())
        for each in kineto_results.events()
        if each.device_type() == DeviceType.CUDA and each.duration_ns() > 0 and not each.is_user_annotation()
    ]
    return sorted(found, key=lambda kernel: kernel.start)


def device_segments(kernels: Iterable[Kernel], places: Mapping[int, Place], start: int, end: int) -> Iterator[Segment]:
    """Divide the time of a pass into kernels, each in the place that launched it, and the gaps between them.

    Where kernels overlap, the later one has only the time after the earlier one's end.

    Args:
        kernels: in order of time; those outside the pass, ``start`` to ``end``, are left out.
        places: the places of operators, by ``Event.identity``.
    """
    cursor = start
    for kernel in kernels:
        if kernel.start < start or kernel.start >= end:
            continue
        if kernel.start > cursor:
            yield Segment(Place(), cursor, kernel.start)
        outer = places.get(kernel.launched_by, Place())
        begin = max(kernel.start, cursor)
        cursor = max(min(kernel.end, end), begin)
        yield Segment(replace(outer, path=(*outer.path, kernel.name)), begin, cursor, begins=True)
    if end > cursor:
        yield Segment(Place(), cursor, end)


@dataclass(frozen=True)
class Gaps:
    """The launches of a pass, and the gaps in nanoseconds during which the GPU had no work."""

    launches: int
    idle: int
    longest: int


def gaps(found: Iterable[Segment]) -> Gaps:
    """Return the launches and gaps among the ``device_segments`` of a pass.

    >>> gaps([Segment(Place(), 0, 5), Segment(Place(path=("k",)), 5, 7, True), Segment(Place(), 7, 8)])
    Gaps(launches=1, idle=6, longest=5)
    """
    segments = list(found)
    idle = [each.end - each.start for each in segments if not each.place.path]
    return Gaps(sum(each.begins for each in segments), sum(idle), max(idle, default=0))
