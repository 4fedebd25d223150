"""Peak memory of passes with known buffers, and the parts of the peak."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import linear

from benchmarks.cases.case import Case
from benchmarks.measure.memory import BLOCK_KINDS, highest_running_sum, parts_at_peak, peak_memory, split_memory
from benchmarks.workloads.build import build_workload
from benchmarks.workloads.workload import Workload

MIB = 2**20
TOLERANCE = 0.02


def peak(run: Callable[[], object], prepare: Callable[[], object] = lambda: None) -> int:
    measured = peak_memory(run, "cpu", prepare=prepare)
    assert measured["method"] == "torch.profiler running sum"
    return int(measured["peak_bytes"])


def mebibytes(count: float) -> Tensor:
    return torch.zeros(int(count * MIB) // 4)


class _Scratch(torch.autograd.Function):
    """Keeps 2 MiB for backward, and allocates 6 MiB more during backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(mebibytes(2))
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        mebibytes(6)
        return gradient


def two_results() -> Tensor:
    return (X + 1) * 2


def released_in_between() -> Tensor:
    for _ in range(5):
        y = X + 1
        del y
    return X + 1


def half_precision() -> Tensor:
    return X.bfloat16()


def concatenation() -> Tensor:
    return torch.cat([X, X, X])


def matrix_product() -> Tensor:
    return ROWS @ ROWS.t()  # (1024, 1024)


def in_place() -> Tensor:
    return (X + 1).sin_().mul_(2)


def many_small_ones() -> list[Tensor]:
    return [torch.zeros(1024) for _ in range(2048)]  # 4 KiB each


def forward_and_backward() -> Tensor:
    y = linear(ROWS, WEIGHT)  # 1024 × 512
    y.backward(torch.ones_like(y))
    return y


def saved_for_backward() -> Tensor:
    y = PARAMETER.sin().sin().sin()  # sines keep their inputs, which include two results; the third result is returned
    y.sum().backward()  # the gradient is one number, expanded; then the cosine and the product of both
    return y


def scratch_in_backward() -> Tensor:
    y = _Scratch.apply(PARAMETER)
    y.backward(COTANGENT)
    return y


X, COTANGENT = mebibytes(4), mebibytes(4)
PARAMETER = mebibytes(4).requires_grad_()
ROWS, WEIGHT = torch.zeros(1024, 1024), torch.zeros(512, 1024, requires_grad=True)
KNOWN: dict[Callable[[], object], float] = {  # MiB
    two_results: 8,
    released_in_between: 4,
    half_precision: 2,
    concatenation: 12,
    matrix_product: 4,
    in_place: 4,
    many_small_ones: 8,
    forward_and_backward: 2 + 2 + 2,  # output, its gradient, the weight's gradient
    saved_for_backward: 3 * 4 + 2 * 4,
    scratch_in_backward: 2 + 6,
}


def error(run: Callable[[], object]) -> float:
    """Return the relative error of the measured peak."""

    def prepare() -> None:
        PARAMETER.grad = WEIGHT.grad = None

    return peak(run, prepare) / (KNOWN[run] * MIB) - 1


@pytest.mark.parametrize("run", KNOWN, ids=lambda run: run.__name__)
def test_known_buffers(run: Callable[[], object]) -> None:
    assert abs(error(run)) <= TOLERANCE


def test_the_largest_error_on_known_buffers() -> None:
    errors = {run.__name__: error(run) for run in KNOWN}
    worst = max(errors, key=lambda name: abs(errors[name]))
    print(f"largest error on {len(errors)} passes with known buffers: {errors[worst]:+.4%} ({worst})")  # pytest -rP
    assert abs(errors[worst]) <= TOLERANCE


@pytest.mark.parametrize("seed", range(3))
def test_a_random_order_of_allocations_and_releases(seed: int) -> None:
    rng = random.Random(seed)
    steps = [(rng.random() < 0.6, rng.randint(1, 64) * 64) for _ in range(200)]  # KiB
    held, total, truth = [], 0, 0
    for allocates, size in steps:
        if allocates:
            held.append(size)
            total += size
        elif held:
            total -= held.pop(0)
        truth = max(truth, total)

    def run() -> None:
        tensors: list[Tensor] = []
        for allocates, size in steps:
            if allocates:
                tensors.append(torch.empty(size * 256))
            elif tensors:
                tensors.pop(0)

    assert peak(run) == pytest.approx(truth * 1024, rel=TOLERANCE)


def test_the_running_sum() -> None:
    assert highest_running_sum([5, 7, -5, 2, -9]) == 12
    assert highest_running_sum([-5, 3]) == 0
    assert highest_running_sum([]) == 0


def test_memory_from_before_the_pass_does_not_count() -> None:
    assert peak(lambda: X.add_(0)) < 0.01 * MIB


def test_the_first_kind_of_a_block_counts_even_after_the_peak_and_addresses_are_used_again() -> None:
    changes = [(1, 8), (2, 4), (1, "activations"), (1, "kernels"), (3, "kernels"), (2, -4), (2, 3), (2, "kernels")]
    assert parts_at_peak(changes) == {"parameters": 0, "kernels": 0, "activations": 8, "workspace": 4}
    # The pass releases two bytes that were allocated before the pass.
    assert parts_at_peak([(7, -2), (1, 8)]) == {"parameters": 0, "kernels": 0, "activations": 0, "workspace": 6}


def test_the_parts_of_a_pass_with_known_buffers() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(1024, 512, bias=False), torch.nn.Sigmoid(), torch.nn.Sigmoid())
    x = torch.zeros(2048, 1024)
    workload = Workload(module, x, torch.zeros(2048, 512), None, backward=True)
    parts = split_memory(workload)
    # The peak is in the linear layer's backward, which makes the weight's gradient. Each sigmoid has saved its result
    # of 4 MiB for backward; the last result is also the output.
    assert {kind: parts[f"{kind}_bytes"] for kind in ("kernels", "activations")} == {
        "kernels": 0,
        "activations": pytest.approx(8 * MIB, rel=TOLERANCE),
    }


@pytest.mark.parametrize("direction", ["forward", "forward_backward"])
@pytest.mark.parametrize("layer", ["conv", "resnet"])
def test_the_parts_add_up_to_the_same_peak_every_time(layer: str, direction: str) -> None:
    case = Case(layer=layer, direction=direction, channels=4, batch_size=2, image_size=12, resolution=4)
    workload = build_workload(case)
    workload.run()
    splits = [split_memory(workload) for _ in range(3)]
    assert splits[0] == splits[1] == splits[2]
    parts = {kind: int(splits[0][f"{kind}_bytes"]) for kind in BLOCK_KINDS}
    assert sum(parts.values()) == splits[0]["peak_bytes"] == peak(workload.run, workload.prepare)
    assert min(parts.values()) >= 0
    assert (parts["activations"] > 0) == (direction == "forward_backward")
    assert (parts["kernels"] > 0) == (direction == "forward_backward")  # cached in inference, from before the pass
    assert not any("kernels" in vars(module) for module in workload.module.modules())


def test_kernels_that_are_generated_and_released_in_turn_are_not_added_up() -> None:
    class Twice(torch.nn.Module):
        """Makes a kernel of 4 MiB, releases it, makes another one, and returns 1 MiB."""

        def kernels(self) -> tuple[Tensor, ...]:
            return (mebibytes(4),)

        def forward(self, x: Tensor) -> Tensor:
            for _ in range(2):
                (kernel,) = self.kernels()
                y = x + kernel[: len(x)]
                del kernel
            return y

    parts = split_memory(Workload(Twice(), mebibytes(1), mebibytes(1), None, backward=False))
    assert parts["kernels_bytes"] == pytest.approx(4 * MIB, rel=TOLERANCE)
    assert parts["peak_bytes"] == pytest.approx(6 * MIB, rel=TOLERANCE)  # the first output is replaced at the end
