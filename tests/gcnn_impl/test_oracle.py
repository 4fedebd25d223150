"""Every layer equals the definition of its integral, evaluated by explicit sums in float64 on fresh inputs."""

from dataclasses import dataclass

import numpy as np
import oracle
import pytest
import torch

from gcnn_impl import CONVOLUTIONS, O2, SO2, LiftingConv2d, RPlus, SO2xRPlus, Trivial

GROUPS = {
    "trivial": (Trivial(), Trivial()),
    "SO2-1": (SO2(1), SO2(1)),
    "SO2-3": (SO2(3), SO2(3)),
    "SO2-4": (SO2(4), SO2(4)),
    "SO2-8-to-4": (SO2(8), SO2(4)),
    "SO2-2-to-6": (SO2(2), SO2(6)),
    "O2-2": (O2(2), O2(2)),
    "O2-4-to-3": (O2(4), O2(3)),
    "RPlus-3": (RPlus(3), RPlus(3)),
    "RPlus-2-to-4": (RPlus(2, 1.7), RPlus(4, 1.7)),
    "Sim2-4x2": (SO2xRPlus(4, 2), SO2xRPlus(4, 2)),
    "Sim2-3x2-to-2x3": (SO2xRPlus(3, 2, 2.5), SO2xRPlus(2, 3, 2.5)),
}


@dataclass(frozen=True)
class Shape:
    kernel_size: int
    stride: int
    padding: int
    size: tuple[int, int]
    channels: tuple[int, int]
    batch: int
    bias: bool


SHAPES = {
    "k3": Shape(3, 1, 1, (5, 5), (2, 3), 2, True),
    "k5-stride2-oblong-batch1": Shape(5, 2, 2, (6, 8), (3, 2), 1, False),
    "k1-stride2": Shape(1, 2, 0, (5, 4), (2, 2), 2, True),
    "k7-unpadded": Shape(7, 1, 0, (8, 7), (1, 2), 1, True),
}


def sizes(group):
    if isinstance(group, SO2xRPlus):
        return (group.rotations, group.scales)
    return {"trivial": ()}.get(group.name) or tuple(
        value for key, value in vars(group).items() if key in ("rotations", "scales")
    )


def matrices(group, grid=None):
    max_scale = getattr(group, "max_scale", 2.0)
    if grid is None:
        return oracle.elements(group.name, *sizes(group), max_scale=max_scale)
    return [group.matrix(g).numpy() for g in grid]


def expected(layer, variant, x, in_group, out_group, shape, in_grid=None, out_grid=None):
    max_scale = getattr(in_group, "max_scale", 2.0)
    lifted = variant == "lifting"
    f = x.numpy()[:, :, None] if lifted else x.numpy()
    return oracle.convolution(
        f,
        oracle.full_kernel(layer, variant),
        in_group.name,
        matrices(out_group, out_grid),
        [None] if lifted else matrices(in_group, in_grid),
        1.0 if lifted else oracle.haar_weight(in_group.name, *sizes(in_group), max_scale=max_scale),
        shape.kernel_size,
        shape.stride,
        shape.padding,
        None if layer.bias is None else layer.bias.detach().numpy(),
        max_scale,
    )


def build(variant, in_group, out_group, shape):
    geometry = {"stride": shape.stride, "padding": shape.padding, "bias": shape.bias, "dtype": torch.float64}
    if variant == "lifting":
        layer = LiftingConv2d(*shape.channels, shape.kernel_size, out_group, **geometry)
        x = torch.randn(shape.batch, shape.channels[0], *shape.size, dtype=torch.float64)
    else:
        layer = CONVOLUTIONS[variant](
            *shape.channels, shape.kernel_size, in_group, out_group=out_group, hidden_features=8, **geometry
        )
        x = torch.randn(shape.batch, shape.channels[0], in_group.resolution, *shape.size, dtype=torch.float64)
    if layer.bias is not None:
        torch.nn.init.normal_(layer.bias)
    return layer, x


def cases():
    for variant in ["lifting", *CONVOLUTIONS]:
        for group in GROUPS:
            if variant == "separable2d" and not group.startswith("Sim2"):
                continue
            for shape in SHAPES:
                yield pytest.param(variant, group, shape, id=f"{variant}-{group}-{shape}")


@pytest.mark.parametrize(("variant", "group", "shape"), list(cases()))
def test_layer_equals_its_definition(variant, group, shape, oracle_errors):
    (in_group, out_group), shape = GROUPS[group], SHAPES[shape]
    layer, x = build(variant, in_group, out_group, shape)
    actual = layer(x).detach().numpy()
    reference = expected(layer, variant, x, in_group, out_group, shape)
    assert actual.shape == reference.shape
    error = np.abs(actual - reference).max() / np.abs(reference).max()
    oracle_errors.append(error)
    assert error <= 1e-11


@pytest.mark.parametrize("variant", ["lifting", *CONVOLUTIONS])
@pytest.mark.parametrize("group", ["SO2-3", "O2-2", "RPlus-2-to-4", "Sim2-4x2"])
def test_layer_on_sampled_grids_equals_its_definition(variant, group, oracle_errors):
    if variant == "separable2d" and not group.startswith("Sim2"):
        pytest.skip("the fully separable variant is for Sim(2)")
    (in_group, out_group), shape = GROUPS[group], SHAPES["k3"]
    layer, x = build(variant, in_group, out_group, shape)
    in_grid, out_grid = in_group.sample(), out_group.sample()
    actual = (layer(x, out_grid) if variant == "lifting" else layer(x, in_grid, out_grid)).detach().numpy()
    reference = expected(layer, variant, x, in_group, out_group, shape, in_grid, out_grid)
    error = np.abs(actual - reference).max() / np.abs(reference).max()
    oracle_errors.append(error)
    assert error <= 1e-11
