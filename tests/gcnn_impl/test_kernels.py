"""Kernels are evaluated once at every distinct argument inside the disc, and give unit variance at initialisation."""

import math

import pytest
import torch

from gcnn_impl import CONVOLUTIONS, O2, SO2, RPlus, SO2xRPlus, Trivial
from gcnn_impl.kernels import disc_taps, group_points, joint_points, spatial_points


@pytest.mark.parametrize(("kernel_size", "taps"), [(1, 1), (3, 5), (5, 13), (7, 29), (9, 49), (11, 81), (13, 113)])
def test_the_disc_holds_the_lattice_points_of_its_radius(kernel_size, taps):
    # Gauss's circle problem: 1, 5, 13, 29, 49, 81, 113 lattice points for r = 0 … 6.
    assert int(disc_taps(kernel_size).sum()) == taps


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 8, 16])
def test_a_cyclic_group_has_as_many_relative_elements_as_elements(n):
    elements = SO2(n).elements()
    assert len(group_points(SO2(n), elements, elements).weights) == n


@pytest.mark.parametrize("n", [4, 8, 12, 16])
@pytest.mark.parametrize("kernel_size", [3, 5, 7])
def test_three_quarters_of_the_rotated_grids_are_permutations_of_the_first_quarter(n, kernel_size):
    taps = int(disc_taps(kernel_size).sum())
    points = spatial_points(SO2(n), kernel_size, SO2(n).elements())
    assert len(points.weights) <= (n // 4) * (taps - 1) + 1  # the centre is one point for all angles


def test_distinct_points_reproduce_every_place_of_the_kernel():
    group = SO2xRPlus(4, 2)
    elements = group.elements()
    points = joint_points(group, 5, elements, elements)
    relative = group.coordinates(group.relative(elements, elements))
    placed = points.coordinates[points.index.clamp_max(len(points.weights) - 1)]
    inside = points.index < len(points.weights)
    difference = (placed[..., :2] - relative[:, :, None]).abs().amax(-1)
    assert float(difference[inside].max()) < 1e-8
    assert inside[0, 0].sum() == disc_taps(5).sum()


GROUPS = [Trivial(), SO2(1), SO2(8), SO2(16), O2(4), RPlus(4), SO2xRPlus(4, 3)]


@pytest.mark.parametrize("variant", CONVOLUTIONS)
@pytest.mark.parametrize("group", GROUPS, ids=repr)
@pytest.mark.parametrize("kernel_size", [1, 5])
def test_layers_give_unit_variance_for_correlated_unit_inputs(variant, group, kernel_size):
    if variant == "separable2d" and not isinstance(group, SO2xRPlus):
        pytest.skip("the fully separable variant is for Sim(2)")
    torch.manual_seed(0)
    channels = 24
    layer = CONVOLUTIONS[variant](channels, channels, kernel_size, group)
    shape = (64, channels, group.resolution, kernel_size, kernel_size)
    # E[f f'] = 0.4 between any two places of a channel; channels are independent.
    x = 0.4**0.5 * torch.randn(*shape[:2], 1, 1, 1) + 0.6**0.5 * torch.randn(shape)
    with torch.no_grad():
        std = layer(x).std().item()
    assert abs(math.log2(std)) <= 1, std  # within a factor of two
