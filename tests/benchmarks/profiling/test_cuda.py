"""Kernels on a GPU, from made-up events."""

from types import SimpleNamespace

from torch._C._autograd import DeviceType

from benchmarks.profiling.attribution import Place, by_place
from benchmarks.profiling.cuda import Gaps, Kernel, device_segments, gaps, kernels_of

CONVOLUTION = Place("forward", "conv", ("aten::convolution",))
KERNELS = [Kernel("before", 0, 5, 1), Kernel("sgemm", 20, 50, 1), Kernel("copy", 45, 60, 1), Kernel("fill", 70, 80, 9)]


def test_kernels_and_gaps_cover_the_pass() -> None:
    found = list(device_segments(KERNELS, {1: CONVOLUTION}, 10, 100))
    assert [each.start for each in found] == [10, *(each.end for each in found[:-1])]
    assert found[-1].end == 100


def test_a_kernel_belongs_to_the_operator_that_launched_it() -> None:
    times = by_place(device_segments(KERNELS, {1: CONVOLUTION}, 10, 100))
    sgemm = Place("forward", "conv", ("aten::convolution", "sgemm"))
    assert times[sgemm] == (30, 1)
    assert sgemm.operator({"aten::convolution"}) == "aten::convolution"
    assert times[Place("", "", ("fill",))] == (10, 1)


def test_overlapping_kernels_are_counted_once() -> None:
    times = by_place(device_segments(KERNELS, {1: CONVOLUTION}, 10, 100))
    assert times[Place("forward", "conv", ("aten::convolution", "copy"))] == (10, 1)
    assert sum(time for time, _ in times.values()) == 90


def test_gaps_are_the_time_without_a_kernel() -> None:
    assert gaps(device_segments(KERNELS, {}, 10, 100)) == Gaps(launches=3, idle=10 + 10 + 20, longest=20)
    assert gaps(device_segments([], {}, 10, 100)) == Gaps(launches=0, idle=90, longest=90)


def test_kernels_are_what_ran_on_the_gpu_in_order_of_time() -> None:
    def event(name: str, device: DeviceType, start: int, end: int, *, annotation: bool = False) -> SimpleNamespace:
        return SimpleNamespace(
            name=lambda: name,
            device_type=lambda: device,
            start_ns=lambda: start,
            end_ns=lambda: end,
            duration_ns=lambda: end - start,
            linked_correlation_id=lambda: 7,
            is_user_annotation=lambda: annotation,
        )

    found = [
        event("fill", DeviceType.CUDA, 30, 40),
        event("sgemm", DeviceType.CUDA, 10, 20),
        event("aten::mm", DeviceType.CPU, 1, 5),
        event("profiled pass", DeviceType.CUDA, 0, 50, annotation=True),
        event("empty", DeviceType.CUDA, 45, 45),
    ]
    assert kernels_of(SimpleNamespace(events=lambda: found)) == [Kernel("sgemm", 10, 20, 7), Kernel("fill", 30, 40, 7)]
