"""Peak memory of passes whose buffers are known."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from benchmarks.cases import Case
from benchmarks.measure.memory import highest_running_sum, peak_memory
from benchmarks.workloads import build

MIB = 2**20


def peak(run: object, prepare: object = lambda: None) -> int:
    measured = peak_memory(run, "cpu", prepare=prepare)  # type: ignore[arg-type]
    assert measured["method"] == "torch.profiler running sum"
    return int(measured["peak_bytes"])


def test_the_running_sum() -> None:
    assert highest_running_sum([5, 7, -5, 2, -9]) == 12
    assert highest_running_sum([-5, 3]) == 0
    assert highest_running_sum([]) == 0


def test_two_elementwise_results_of_64_mib_are_128_mib() -> None:
    x = torch.zeros(16 * MIB)  # 64 MiB
    assert peak(lambda: (x + 1) * 2) == pytest.approx(128 * MIB, rel=0.02)


def test_what_is_released_in_between_does_not_count() -> None:
    x = torch.zeros(4 * MIB)

    def run() -> Tensor:
        for _ in range(5):
            y = x + 1
            del y
        return x + 1

    assert peak(run) == pytest.approx(16 * MIB, rel=0.02)


def test_in_place_costs_nothing_and_what_was_there_before_does_not_count() -> None:
    x = torch.zeros(4 * MIB)
    assert peak(lambda: x.add_(1)) < 0.01 * MIB


def test_the_gradients_of_a_pass_count_although_they_were_there_before() -> None:
    weight = torch.zeros(4 * MIB, requires_grad=True)
    cotangent = torch.zeros(4 * MIB)

    def prepare() -> None:
        weight.grad = None

    def run() -> None:
        (weight * 2).backward(cotangent)

    run()
    # Forward: the product, 16 MiB. Backward: the gradient, 16 MiB, while the product is still there or not.
    first, second = peak(run, prepare), peak(run, prepare)
    assert first == second
    assert 16 * MIB <= first <= 1.02 * 32 * MIB


def test_buffers_that_an_operator_makes_inside_of_itself_count() -> None:
    x, weight = torch.zeros(1, 16, 512, 512), torch.zeros(16, 16, 3, 3)  # 16 MiB
    y = conv2d(x, weight, padding=1)
    out = y.numel() * y.element_size()
    assert out * 0.98 <= peak(lambda: conv2d(x, weight, padding=1)) <= 3.02 * out  # one copy of the input at most


def test_a_workload_has_the_same_peak_every_time() -> None:
    workload = build(Case(channels=4, batch_size=2, image_size=12, direction="forward_backward"))
    workload.run()
    peaks = {peak(workload.run, workload.prepare) for _ in range(3)}
    assert len(peaks) == 1
    assert peaks.pop() > 4 * 2 * 8 * 12 * 12 * 4  # more than its output
