"""Explained energies: 1 for a kernel of the variant, equal to numpy's SVD, independent of scale."""

import itertools

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
from gcnn_impl.redundancy import composed_kernel

GROUPS = [SO2(5), O2(3), RPlus(3), SO2xRPlus(3, 2)]


# For the kernel of each variant, the variants that explain all of its energy.
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
    # With one tap or one group element, one factor of the product is a single number, so that nothing is lost.
    one_tap, trivial = redundancy(GroupConv2d(3, 2, 1, SO2(4))), redundancy(GroupConv2d(3, 2, 5, Trivial()))
    for score in (one_tap["separable"], one_tap["gseparable"], trivial["gseparable"]):
        assert score == pytest.approx(1)
    for variant in ("dseparable", "dgseparable"):
        assert trivial[variant] == pytest.approx(trivial["separable"])


def numpy_scores(kernel):
    """Return the explained fractions of a kernel (C_o, |H_out|, C_i, |H_in|, taps), by loops and numpy's SVD."""
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


def test_networks_are_reported_by_layer():
    config = GroupResNetConfig(group=SO2(4), variant="separable", widths=(2, 3), kernel_size=3)
    scores = network_redundancy(GroupResNet(config))
    assert list(scores) == ["blocks.0.conv1", "blocks.0.conv2", "blocks.0.skip", "last"]
    assert all(score["separable"] == pytest.approx(1) for score in scores.values())
