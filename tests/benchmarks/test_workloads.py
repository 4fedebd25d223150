"""A case becomes the module it names, with inputs that depend on the case alone, and a wrong answer is caught."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.cases import Case
from benchmarks.isolation import InvalidResult
from benchmarks.measure.correctness import check_output
from benchmarks.workloads import Workload, build
from gcnn_impl import SO2, GroupConv2d, GroupResNet, LiftingConv2d, PlainResNet, SeparableGroupConv2d

PLAIN = {"variant": "plain", "group": "trivial", "resolution": 1}
SMALL: dict[str, Any] = {"channels": 3, "batch_size": 2, "image_size": 12, "kernel_size": 3}


@pytest.mark.parametrize(
    ("fields", "kind", "in_shape", "out_shape"),
    [
        (PLAIN, nn.Conv2d, (2, 3, 12, 12), (2, 3, 12, 12)),
        ({"variant": "lifting"}, LiftingConv2d, (2, 3, 12, 12), (2, 3, 8, 12, 12)),
        ({"variant": "full"}, GroupConv2d, (2, 3, 8, 12, 12), (2, 3, 8, 12, 12)),
        ({"variant": "separable"}, SeparableGroupConv2d, (2, 3, 8, 12, 12), (2, 3, 8, 12, 12)),
        ({"layer": "resnet", **PLAIN}, PlainResNet, (2, 1, 12, 12), (2, 10)),
        ({"layer": "resnet", "variant": "full", "resolution": 2}, GroupResNet, (2, 1, 12, 12), (2, 10)),
    ],
)
@pytest.mark.parametrize("direction", ["forward", "forward_backward"])
def test_what_is_built_runs_in_both_directions(
    fields: dict[str, Any], kind: type, in_shape: tuple[int, ...], out_shape: tuple[int, ...], direction: str
) -> None:
    case = Case(**(SMALL | fields | {"direction": direction}))
    workload = build(case)
    assert type(workload.module) is kind
    assert workload.x.shape == in_shape
    assert workload.run().shape == out_shape == workload.cotangent.shape
    gradients = [parameter.grad is not None for parameter in workload.module.parameters()]
    assert all(gradients) if direction == "forward_backward" else not any(gradients)
    assert (workload.x.grad is not None) == (direction == "forward_backward" and case.layer == "conv")
    workload.prepare()
    assert all(parameter.grad is None for parameter in workload.module.parameters())
    assert workload.x.grad is None


def test_a_case_is_built_the_same_every_time_and_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first = build(Case(**SMALL))
    assert torch.rand(1) == expected
    second = build(Case(**SMALL))
    assert torch.equal(first.x, second.x)
    assert torch.equal(first.run(), second.run())


def test_inference_generates_its_kernels_once_and_training_in_every_pass() -> None:
    for direction, calls in (("forward", 1), ("forward_backward", 3)):
        workload = build(Case(**SMALL, direction=direction))
        counted: list[object] = []
        layer: Any = workload.module
        layer.spatial_kernel.register_forward_hook(lambda *_, counted=counted: counted.append(None))
        for _ in range(3):
            workload.prepare()
            workload.run()
        assert len(counted) == calls


@pytest.mark.parametrize("direction", ["forward", "forward_backward"])
def test_a_right_output_passes_and_leaves_the_module_in_its_mode(direction: str) -> None:
    workload = build(Case(**SMALL, direction=direction))
    error = check_output(workload)
    assert error is not None
    assert 0 < error < 1e-5
    assert workload.module.training == (direction == "forward_backward")


@pytest.mark.parametrize("fields", [PLAIN, {"resolution": 3}])
def test_no_error_where_no_element_is_exact(fields: dict[str, Any]) -> None:
    assert check_output(build(Case(**(SMALL | fields)))) is None


class Wrong(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def forward(self, x: Tensor) -> Tensor:
        if self.how == "shape":
            return x[..., 1:]
        if self.how == "nan":
            return x / 0
        return x.roll(1, dims=-1)  # a shift does not commute with quarter turns


@pytest.mark.parametrize(
    ("how", "message"),
    [("shape", "output has shape"), ("nan", "not finite"), ("turned", "equivariance error .*, allowed: 1e-04")],
)
def test_a_wrong_output_is_caught(how: str, message: str) -> None:
    x = torch.randn(1, 2, 4, 6, 6)
    with pytest.raises(InvalidResult, match=message):
        check_output(Workload(Wrong(how), x, torch.zeros_like(x), SO2(4), backward=False))
