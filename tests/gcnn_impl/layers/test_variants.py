"""Every variant: exact equivariance, grids, composed kernels and state."""

import copy

import pytest
import torch

from gcnn_impl import (
    CONVOLUTIONS,
    O2,
    SO2,
    FullySeparableConv2d,
    GroupConv2d,
    LiftingConv2d,
    RPlus,
    SeparableGroupConv2d,
    SO2xRPlus,
    Trivial,
    equivariance_error,
    functional,
)

EXACT_GROUPS = [SO2(4), SO2(8), SO2(12), O2(4), O2(8), SO2xRPlus(4, 3)]


def layers_and_inputs(group, dtype=torch.float32, size=11):
    """Yield name, layer and an input for every layer that exists on ``group``."""
    image = torch.randn(2, 3, size, size, dtype=dtype)
    yield "lifting", LiftingConv2d(3, 4, 5, group, padding=2, dtype=dtype), image
    x = torch.randn(2, 3, group.resolution, size, size, dtype=dtype)
    for variant, convolution in CONVOLUTIONS.items():
        if variant != "separable2d" or isinstance(group, SO2xRPlus):
            yield variant, convolution(3, 4, 5, group, padding=2, dtype=dtype), x


@pytest.mark.parametrize("group", EXACT_GROUPS, ids=repr)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_quarter_turns_and_reflections_are_exact(group, dtype, tolerance):
    for variant, layer, x in layers_and_inputs(group, dtype):
        assert equivariance_error(layer, x, group) <= tolerance, variant


@pytest.mark.parametrize("kernel_size", [1, 3, 7, 11])
@pytest.mark.parametrize("resolution", [4, 8, 16])
def test_quarter_turns_are_exact_at_every_kernel_size(kernel_size, resolution):
    # Deciding the disc by float comparison loses taps at k = 11 for |H| = 8 and 16.
    group = SO2(resolution)
    for convolution in (GroupConv2d, SeparableGroupConv2d):
        layer = convolution(2, 2, kernel_size, group, padding=kernel_size // 2)
        assert equivariance_error(layer, torch.randn(1, 2, resolution, 12, 12), group) <= 1e-5


def test_a_layer_between_two_resolutions_is_exact_on_what_they_share():
    x = torch.randn(1, 2, 8, 9, 9)
    for variant in ("full", "separable", "dseparable"):
        layer = CONVOLUTIONS[variant](2, 3, 3, SO2(8), out_group=SO2(4))
        assert equivariance_error(layer, x, SO2(8), out_group=SO2(4)) <= 1e-5


def test_stride_two_on_odd_sides_is_exact():
    layer = SeparableGroupConv2d(2, 3, 3, SO2(4), stride=2, padding=1)
    assert equivariance_error(layer, torch.randn(1, 2, 4, 9, 9), SO2(4)) <= 1e-5


@pytest.mark.parametrize("group", [SO2(5), O2(3), RPlus(4), SO2xRPlus(3, 2)], ids=repr)
def test_permuting_the_output_elements_permutes_the_output_and_nothing_else(group):
    grid = group.elements()
    permutation = torch.randperm(group.resolution)
    for variant, layer, x in layers_and_inputs(group):
        if variant == "separable2d":
            continue  # needs a product grid
        grids = () if variant == "lifting" else (grid,)
        expected = layer(x, *grids, grid)[:, :, permutation]
        torch.testing.assert_close(layer(x, *grids, grid[permutation]), expected, rtol=1e-4, atol=1e-5)


def test_discretised_grids_are_the_default():
    for group in (SO2(6), SO2xRPlus(3, 2)):
        grid = group.elements()
        for variant, layer, x in layers_and_inputs(group):
            grids = (grid,) if variant == "lifting" else (grid, grid)
            torch.testing.assert_close(layer(x), layer(x, *grids))


@pytest.mark.parametrize("group", [SO2(8), O2(4), RPlus(3), SO2xRPlus(4, 2)], ids=repr)
def test_separable_equals_full_with_the_composed_kernel(group):
    layer = SeparableGroupConv2d(3, 4, 5, group, padding=2, dtype=torch.float64)
    x = torch.randn(2, 3, group.resolution, 7, 9, dtype=torch.float64)
    composed = functional.compose_kernels(*layer.generate())
    torch.testing.assert_close(functional.group_conv2d(x, composed, bias=layer.bias, padding=2), layer(x))


def test_fully_separable_equals_full_with_the_composed_kernel():
    group = SO2xRPlus(3, 2)
    layer = FullySeparableConv2d(2, 3, 3, group, dtype=torch.float64)
    x = torch.randn(2, 2, 6, 5, 6, dtype=torch.float64)
    rotation, scale, spatial = layer.generate()
    over_group = torch.einsum("oaib,oscd->oasibd", rotation, scale).reshape(3, 6, 2, 6)
    torch.testing.assert_close(functional.group_conv2d(x, functional.compose_kernels(over_group, spatial)), layer(x))


def test_parameters_do_not_depend_on_the_group_resolution():
    for variant, convolution in CONVOLUTIONS.items():
        small, large = (SO2xRPlus(4, 2), SO2xRPlus(8, 3)) if variant == "separable2d" else (SO2(4), SO2(16))
        state = convolution(2, 3, 5, small).state_dict()
        convolution(2, 3, 5, large).load_state_dict(state)


def test_train_and_eval_share_one_state_dict_and_one_function():
    for variant, layer, x in layers_and_inputs(SO2(4)):
        twin = copy.deepcopy(layer).eval()
        keys = list(layer.state_dict())
        assert list(twin.state_dict()) == keys, variant
        with torch.no_grad():
            twin(x)  # fills the cache
            torch.testing.assert_close(twin(x), layer.train()(x))
        assert list(twin.state_dict()) == keys


def test_double_gives_what_double_precision_from_the_start_gives():
    for variant, layer, x in layers_and_inputs(SO2xRPlus(4, 3)):
        single = copy.deepcopy(layer).bfloat16().float()
        single.load_state_dict(layer.state_dict())
        torch.testing.assert_close(single(x), layer(x), rtol=0, atol=0, msg=variant)
        double = type(layer)(3, 4, 5, layer.group, padding=2, dtype=torch.float64)
        double.load_state_dict(layer.state_dict())
        torch.testing.assert_close(layer.double()(x.double()), double(x.double()), rtol=1e-13, atol=1e-13)


def test_the_trivial_group_gives_an_ordinary_convolution():
    layer = GroupConv2d(2, 3, 3, Trivial(), padding=1)
    x = torch.randn(2, 2, 1, 5, 6)
    (kernel,) = layer.generate()
    expected = torch.nn.functional.conv2d(x[:, :, 0], kernel[:, 0, :, 0], layer.bias, padding=1)
    torch.testing.assert_close(layer(x)[:, :, 0], expected)


def test_variants_are_found_by_their_names():
    names = ["full", "separable", "gseparable", "dseparable", "dgseparable", "separable2d"]
    assert [variant.name for variant in CONVOLUTIONS.values()] == list(CONVOLUTIONS) == names
