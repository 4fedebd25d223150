"""Explained energies: 1 for a kernel of the variant, known for noise, equal to numpy's SVD, blind to scale."""

import itertools
import math

import numpy as np
import pytest
import torch

from gcnn_impl import (
    CONVOLUTIONS,
    O2,
    SO2,
    GroupConv2d,
    GroupResNet,
    GroupResNetConfig,
    RPlus,
    SO2xRPlus,
    Trivial,
    functional,
    network_redundancy,
    redundancy,
)
from gcnn_impl.redundancy import composed_kernel, rank_one_energy, rank_one_tensor_energy

GROUPS = [SO2(5), O2(3), RPlus(3), SO2xRPlus(3, 2)]
# Which constraints the kernels of a variant satisfy.
EXACT = {
    "full": [],
    "separable": ["separable", "gseparable"],
    "gseparable": ["gseparable"],
    "dseparable": ["dseparable"],
    "dgseparable": ["separable", "gseparable", "dseparable", "dgseparable"],
    "separable2d": ["separable", "gseparable", "separable2d"],
}


def layers(group, channels=(3, 2), kernel_size=5):
    for variant, convolution in CONVOLUTIONS.items():
        if variant != "separable2d" or isinstance(group, SO2xRPlus):
            yield variant, convolution(*channels, kernel_size, group, dtype=torch.float64)


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_the_composed_kernel_is_what_the_layer_convolves_with(group):
    x = torch.randn(2, 3, group.resolution, 6, 7, dtype=torch.float64)
    for variant, layer in layers(group):
        y = functional.group_conv2d(x, composed_kernel(layer), bias=layer.bias)
        torch.testing.assert_close(layer(x), y, msg=variant)


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_a_layer_of_a_variant_is_explained_by_it_alone(group):
    for variant, layer in layers(group):
        scores = redundancy(layer)
        exact = [key for key in EXACT[variant] if key in scores]
        for key, score in scores.items():
            if key in exact:
                assert score == pytest.approx(1, abs=1e-12), (variant, key)
            elif not (variant == "dgseparable" and key == "separable2d"):
                assert score < 0.999, (variant, key)


def test_sub_grids_and_kernels_of_one_tap_are_explained_too():
    assert redundancy(CONVOLUTIONS["separable"](3, 2, 5, SO2(8), out_group=SO2(4)))["separable"] == pytest.approx(1)
    # Without a plane, or without a group, nothing is left to separate from it.
    one_tap, trivial = redundancy(GroupConv2d(3, 2, 1, SO2(4))), redundancy(GroupConv2d(3, 2, 5, Trivial()))
    for score in (one_tap["separable"], one_tap["gseparable"], trivial["gseparable"]):
        assert score == pytest.approx(1)
    for variant in ("dseparable", "dgseparable"):
        assert trivial[variant] == pytest.approx(trivial["separable"])


def numpy_scores(kernel):
    """By numpy's SVD and explicit loops over (C_o, |H_out|, C_i, |H_in|, taps)."""
    top = {"separable": 0.0, "gseparable": 0.0, "dseparable": 0.0}
    for o, h in itertools.product(*map(range, kernel.shape[:2])):
        k = kernel[o, h]
        inputs, elements, taps = k.shape
        top["separable"] += np.linalg.svd(k.reshape(inputs * elements, taps), compute_uv=False)[0] ** 2
        top["dseparable"] += np.linalg.svd(k.reshape(inputs, elements * taps), compute_uv=False)[0] ** 2
        top["gseparable"] += sum(np.linalg.svd(k[i], compute_uv=False)[0] ** 2 for i in range(inputs))
    return {variant: energy / (kernel**2).sum() for variant, energy in top.items()}


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_matrix_scores_equal_numpy(group):
    layer = GroupConv2d(3, 4, 5, group, dtype=torch.float64)
    kernel = composed_kernel(layer).detach().numpy()
    scores = redundancy(layer)
    for variant, score in numpy_scores(kernel.reshape(*kernel.shape[:4], 25)).items():
        assert scores[variant] == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_every_score_is_ordered_by_its_constraint(group):
    scores = redundancy(GroupConv2d(4, 3, 5, group))
    assert scores["gseparable"] >= scores["separable"] >= scores["dgseparable"] > 0
    assert 1 > scores["dseparable"] >= scores["dgseparable"]
    if "separable2d" in scores:
        assert scores["separable"] >= scores["separable2d"]


def test_scores_do_not_depend_on_the_scale_of_the_kernel_nor_on_precision():
    layer = GroupConv2d(3, 4, 5, SO2(4))
    before = redundancy(layer)
    with torch.no_grad():
        layer.joint_kernel.net.weight_last.mul_(1e-4)
    after = redundancy(layer)
    assert before == pytest.approx(after, rel=1e-5)
    assert redundancy(layer.double()) == pytest.approx(after, rel=1e-4)


@pytest.mark.parametrize(("rows", "columns"), [(40, 29), (16, 200), (128, 128)])
def test_noise_has_the_largest_singular_value_of_random_matrix_theory(rows, columns):
    noise = torch.randn(20, rows, columns, dtype=torch.float64)
    fraction = rank_one_energy(noise) / noise.square().sum((-1, -2))
    expected = (math.sqrt(rows) + math.sqrt(columns)) ** 2 / (rows * columns)  # Marchenko and Pastur's edge
    assert fraction.mean().item() == pytest.approx(expected, rel=0.12)


class TestRankOneTensors:
    def test_a_product_is_found_exactly(self):
        a, b, c = (torch.randn(6, n, dtype=torch.float64) for n in (5, 4, 7))
        tensors = torch.einsum("np,nq,nr->npqr", a, b, c)
        torch.testing.assert_close(rank_one_tensor_energy(tensors), tensors.square().sum((1, 2, 3)))

    def test_a_product_is_found_under_noise(self):
        a, b, c = (torch.nn.functional.normalize(torch.randn(6, n, dtype=torch.float64)) for n in (8, 6, 20))
        signal = 10 * torch.einsum("np,nq,nr->npqr", a, b, c)
        noisy = signal + 0.01 * torch.randn_like(signal)
        torch.testing.assert_close(rank_one_tensor_energy(noisy), torch.full((6,), 100.0).double(), rtol=0.02, atol=0)

    def test_with_one_trivial_side_it_is_the_svd(self):
        matrices = torch.randn(6, 5, 7, dtype=torch.float64)
        torch.testing.assert_close(rank_one_tensor_energy(matrices[:, None], tolerance=0), rank_one_energy(matrices))

    def test_no_unfolding_explains_less(self):
        tensors = torch.randn(10, 4, 5, 6, dtype=torch.float64)
        energy = rank_one_tensor_energy(tensors)
        for mode in (1, 2, 3):
            assert torch.all(energy <= rank_one_energy(tensors.movedim(mode, 1).flatten(2)) + 1e-12)

    def test_more_iterations_never_explain_less(self):
        tensors = torch.randn(10, 4, 5, 6, dtype=torch.float64)
        energies = torch.stack([rank_one_tensor_energy(tensors, n) for n in (1, 2, 5, 50)])
        assert torch.all(energies.diff(dim=0) >= -1e-10)


def test_networks_are_reported_by_layer():
    config = GroupResNetConfig(group=SO2(4), variant="separable", widths=(2, 3), kernel_size=3)
    scores = network_redundancy(GroupResNet(config))
    assert list(scores) == ["blocks.0.conv1", "blocks.0.conv2", "blocks.0.skip", "last"]
    assert all(score["separable"] == pytest.approx(1) for score in scores.values())
