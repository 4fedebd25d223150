"""A case becomes its module, with inputs that depend on the case alone, and a wrong output is caught."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.cases.case import Case
from benchmarks.measure.correctness import check_output
from benchmarks.records.outcome import InvalidResult
from benchmarks.workloads.build import build_workload, convolution_macs
from benchmarks.workloads.workload import Workload
from gcnn_impl import (
    CONVOLUTIONS,
    SO2,
    GroupConv2d,
    GroupResNet,
    LiftingConv2d,
    PlainResNet,
    SeparableGroupConv2d,
)
from gcnn_impl.layers import Convolution

PLAIN = {"variant": "plain", "group": "trivial", "resolution": 1}
SIM2 = {"group": "SO2xRPlus", "scales": 2}
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
def test_a_built_workload_runs_in_both_directions(
    fields: dict[str, Any], kind: type, in_shape: tuple[int, ...], out_shape: tuple[int, ...], direction: str
) -> None:
    case = Case(**(SMALL | fields | {"direction": direction}))
    workload = build_workload(case)
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
    first = build_workload(Case(**SMALL))
    assert torch.rand(1) == expected
    second = build_workload(Case(**SMALL))
    assert torch.equal(first.x, second.x)
    assert torch.equal(first.run(), second.run())


@pytest.mark.parametrize("variant", CONVOLUTIONS)
@pytest.mark.parametrize("grid", [{"group": "SO2"}, {"group": "O2"}, {"group": "RPlus", "scales": 8}, SIM2])
def test_every_variant_runs_on_each_of_its_groups(variant: str, grid: dict[str, Any]) -> None:
    if variant == "separable2d" and grid is not SIM2:
        pytest.skip("separable2d is for Sim(2) alone")
    workload = build_workload(Case(**SMALL, variant=variant, **grid))
    assert workload.run().shape == (2, 3, 8, 12, 12)
    assert type(workload.module) is CONVOLUTIONS[variant]
    check_output(workload)


@pytest.mark.parametrize(
    ("fields", "calls"),
    [
        ({}, 0),  # they are generated when the workload is built
        ({"kernels": "generated"}, 3),
        ({"direction": "forward_backward"}, 3),
        ({"direction": "training_step"}, 3),
    ],
)
def test_kernels_are_generated_in_no_pass_or_in_every_pass(fields: dict[str, Any], calls: int) -> None:
    workload = build_workload(Case(**SMALL, **fields))
    counted: list[object] = []
    layer: Any = workload.module
    layer.spatial_kernel.register_forward_hook(lambda *_: counted.append(None))
    for _ in range(3):
        workload.prepare()
        workload.run()
    assert len(counted) == calls


@pytest.mark.parametrize("layer", ["conv", "resnet"])
def test_passes_that_generate_kernels_keep_neither_kernels_nor_copies_of_parameters(layer: str) -> None:
    workload = build_workload(Case(**SMALL, layer=layer, kernels="generated"))
    check_output(workload)
    workload.run()
    modules = list(workload.module.modules())
    layers = [module for module in modules if isinstance(module, Convolution)]
    assert layers
    assert all(each._kept is None and each._frozen is None for each in layers)
    assert not any(module.training for module in modules if isinstance(module, nn.BatchNorm2d | nn.Dropout3d))


def test_only_a_training_step_changes_the_parameters() -> None:
    for direction, moves in (("forward_backward", False), ("training_step", True)):
        workload = build_workload(Case(**SMALL, direction=direction))
        before = [parameter.detach().clone() for parameter in workload.module.parameters()]
        workload.run()
        after = workload.module.parameters()
        assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True)) == moves


@pytest.mark.parametrize("layer", ["conv", "resnet"])
def test_bfloat16_is_autocast_in_both_directions(layer: str) -> None:
    workload = build_workload(Case(**SMALL, layer=layer, dtype="bfloat16", direction="forward_backward"))
    assert workload.run().dtype == torch.bfloat16 == workload.cotangent.dtype
    assert {parameter.dtype for parameter in workload.module.parameters()} == {torch.float32}


def test_a_compiled_module_computes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def compile_eagerly(module: nn.Module) -> nn.Module:
        return torch._dynamo.optimize("eager")(module)

    monkeypatch.setattr(torch, "compile", compile_eagerly)
    compiled, eager = (
        build_workload(Case(**SMALL, execution="compiled")),
        build_workload(Case(**SMALL, kernels="generated")),
    )
    assert compiled.call is not None
    torch.testing.assert_close(compiled.run(), eager.run())


def test_fixed_weights_are_not_checked_for_equivariance() -> None:
    assert build_workload(Case(**SMALL, implementation="torch")).group is None


def test_the_macs_of_a_case_are_counted_without_computing_it() -> None:
    assert convolution_macs(Case(**{**SMALL, **PLAIN})) == 2 * 3 * 3 * 9 * 12 * 12


@pytest.mark.parametrize("direction", ["forward", "forward_backward"])
def test_a_right_output_passes_and_leaves_the_module_in_its_mode(direction: str) -> None:
    workload = build_workload(Case(**SMALL, direction=direction))
    error = check_output(workload)
    assert error is not None
    assert 0 < error < 1e-5
    assert workload.module.training == (direction == "forward_backward")


@pytest.mark.parametrize("fields", [PLAIN, {"resolution": 3}])
def test_there_is_no_equivariance_error_if_no_element_is_exact(fields: dict[str, Any]) -> None:
    assert check_output(build_workload(Case(**(SMALL | fields)))) is None


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
    [("shape", "output has shape"), ("nan", "not finite"), ("shifted", "equivariance error .*, allowed: 1e-04")],
)
def test_a_wrong_output_is_caught(how: str, message: str) -> None:
    x = torch.randn(1, 2, 4, 6, 6)
    with pytest.raises(InvalidResult, match=message):
        check_output(Workload(Wrong(how), x, torch.zeros_like(x), SO2(4), backward=False))


def test_a_frozen_module_has_the_time_of_its_freezing_and_every_module_that_of_its_construction() -> None:
    frozen, following = (build_workload(Case(**SMALL, kernels=kernels)) for kernels in ("cached", "generated"))
    assert frozen.construction_seconds > 0
    assert following.construction_seconds > 0
    assert frozen.freezing_seconds > 1e-4 > following.freezing_seconds
