"""``equivariance_error`` finds modules that are not equivariant, and its off-grid errors fall with resolution."""

import pytest
import torch

from gcnn_impl import (
    O2,
    SO2,
    GroupResNet,
    GroupResNetConfig,
    LiftingConv2d,
    PlainResNet,
    PlainResNetConfig,
    RPlus,
    SeparableGroupConv2d,
    SO2xRPlus,
    assert_equivariant,
    equivariance_error,
    layer_errors,
)
from gcnn_impl.equivariance import exact_elements, group_permutation, transform, transform_image
from gcnn_impl.functional import project
from gcnn_impl.groups import rotation_matrix


def test_a_quarter_turn_is_counter_clockwise():
    x = torch.randn(2, 5, 5)
    quarter = rotation_matrix(torch.tensor(torch.pi / 2, dtype=torch.float64))
    torch.testing.assert_close(transform_image(x, quarter), torch.rot90(x, 1, (-2, -1)), rtol=0, atol=0)
    torch.testing.assert_close(transform_image(x, quarter.T), torch.rot90(x, -1, (-2, -1)), rtol=0, atol=0)


def test_a_quarter_turn_of_a_map_turns_the_plane_and_moves_the_axis_of_the_group():
    x, group = torch.randn(2, 3, 4, 5, 6), SO2(4)
    y, known = transform(x, group, group.elements()[1])
    torch.testing.assert_close(y, torch.rot90(x.roll(1, 2), 1, (-2, -1)), rtol=0, atol=0)  # as in docs/own-layer.md
    assert known.all()


def test_reflections_act_on_rows_and_columns():
    x = torch.randn(4, 6)
    flip_y, flip_x = (torch.diag(torch.tensor(d, dtype=torch.float64)) for d in ([1.0, -1.0], [-1.0, 1.0]))
    torch.testing.assert_close(transform_image(x, flip_y), x.flip(-2), rtol=0, atol=0)
    torch.testing.assert_close(transform_image(x, flip_x), x.flip(-1), rtol=0, atol=0)


@pytest.mark.parametrize("group", [O2(4), O2(8)], ids=repr)
def test_exact_transforms_are_an_action(group):
    x, exact = torch.randn(1, 1, 4, 4), exact_elements(group)
    for g in exact:
        for h in exact:
            twice = transform_image(transform_image(x, group.matrix(h)), group.matrix(g))
            once = transform_image(x, group.matrix(group.compose(g, h)))
            torch.testing.assert_close(once, twice, rtol=0, atol=0)


def test_interpolation_agrees_with_permutation_at_quarter_turns():
    x = torch.randn(1, 1, 7, 7)
    almost = rotation_matrix(torch.tensor(torch.pi / 2 + 1e-6, dtype=torch.float64))
    torch.testing.assert_close(transform_image(x, almost), torch.rot90(x, 1, (-2, -1)), rtol=1e-3, atol=1e-3)


def test_a_quarter_turn_of_an_oblong_image_is_an_oblong_image():
    x = torch.randn(2, 4, 6)
    turned = transform_image(x, rotation_matrix(torch.tensor(torch.pi / 2, dtype=torch.float64)))
    torch.testing.assert_close(turned, torch.rot90(x, 1, (-2, -1)), rtol=0, atol=0)


def test_exact_elements_are_the_symmetries_of_the_square_on_the_grid():
    counts = {SO2(1): 0, SO2(2): 1, SO2(3): 0, SO2(6): 1, SO2(8): 3, O2(1): 1, O2(4): 7, O2(8): 7, RPlus(4): 0}
    assert {group: len(exact_elements(group)) for group in counts} == counts
    assert len(exact_elements(SO2xRPlus(4, 3))) == 3


def test_a_scale_step_shifts_the_grid_and_drops_its_end():
    group = RPlus(4)
    assert group_permutation(group, group.elements()[1]).tolist() == [-1, 0, 1, 2]
    assert group_permutation(group, torch.tensor([0.01], dtype=torch.float64)).tolist() == [-1] * 4


def test_modules_that_are_not_equivariant_are_found():
    group, x = SO2(4), torch.randn(1, 1, 8, 8)

    class FirstAngleTwice(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lift = LiftingConv2d(1, 2, 3, group, padding=1)

        def forward(self, x):
            return self.lift(x)[:, :, [0, 0, 2, 3]]

    assert equivariance_error(FirstAngleTwice(), x, group) > 0.1
    with pytest.raises(AssertionError, match="exceeds the tolerance 1e-05"):
        assert_equivariant(FirstAngleTwice(), x, group)
    assert_equivariant(FirstAngleTwice().lift, x, group)
    plain = PlainResNet(PlainResNetConfig(widths=(4, 4), kernel_size=3)).eval()
    assert equivariance_error(plain, torch.randn(2, 1, 12, 12), group) > 0.01


def test_nan_is_never_equivariant():
    class Nan(torch.nn.Module):
        def forward(self, x):
            return x * float("nan")

    with pytest.raises(AssertionError):
        assert_equivariant(Nan(), torch.ones(1, 1, 4, 4), SO2(4))


def test_an_output_of_zeros_is_no_evidence():
    class Zero(torch.nn.Module):
        def forward(self, x):
            return x * 0

    with pytest.raises(AssertionError):
        assert_equivariant(Zero(), torch.ones(1, 1, 4, 4), SO2(4))


def test_comparing_nothing_is_refused():
    x = torch.randn(1, 1, 4, 8, 8)
    with pytest.raises(ValueError, match="nothing of the output can be compared"):
        equivariance_error(torch.nn.Identity(), x, SO2(4), elements=torch.tensor([[0.3]], dtype=torch.float64))
    with pytest.raises(ValueError, match="a border of 4 leaves no pixel"):
        equivariance_error(torch.nn.Identity(), x, SO2(4), border=4)


class Returns(torch.nn.Module):
    """Returns one thing, whatever the input."""

    def __init__(self, thing):
        super().__init__()
        self.thing = thing

    def forward(self, x):
        return self.thing


@pytest.mark.parametrize("function", [equivariance_error, assert_equivariant])
@pytest.mark.parametrize(
    ("shape", "output", "message"),
    [
        ((2, 3, 4, 6, 6), torch.ones(2, 3), "^x has 4 elements on axis 2; the group has 8$"),
        ((2, 3, 16, 6, 6), torch.ones(2, 3), "^x has 16 elements on axis 2; the group has 8$"),
        ((2, 3, 8, 6, 6), torch.ones(2, 3, 4, 6, 6), "^the output has 4 elements on axis 2; the group has 8$"),
        ((3, 6, 6), torch.ones(2, 3), r"^x must be a tensor \(B, C\), \(B, C, H, W\) or .*, not \(3, 6, 6\)$"),
        ((2, 3, 6, 6), torch.ones(2, 8, 8), "^the output must be a tensor .*, not "),
        ((2, 3, 6, 6), (torch.ones(2, 3), 1), "^the output must be a tensor .*, not "),
    ],
)
def test_tensors_with_the_axes_of_something_else_are_refused(function, shape, output, message):
    with pytest.raises(ValueError, match=message):
        function(Returns(output), torch.ones(shape), SO2(8))


def test_the_output_has_the_elements_of_its_own_group():
    x, output = torch.ones(2, 3, 8, 6, 6), torch.ones(2, 3, 4, 6, 6)
    assert equivariance_error(Returns(output), x, SO2(8), out_group=SO2(4)) == 0


def test_a_group_without_exact_elements_needs_explicit_elements():
    with pytest.raises(ValueError, match="say which elements to try"):
        equivariance_error(torch.nn.Identity(), torch.ones(1, 1, 4, 4), RPlus(2))


def smooth_images(size, n=4):
    """Return band-limited blobs that vanish at the border, the same at every size."""
    generator = torch.Generator().manual_seed(0)
    grid = torch.linspace(-1, 1, size, dtype=torch.float64)
    y, x = torch.meshgrid(-grid, grid, indexing="ij")
    centres = (torch.rand(n, 4, 2, generator=generator, dtype=torch.float64) - 0.5) * 0.5
    blobs = torch.exp(-((x - centres[..., :1, None]) ** 2 + (y - centres[..., 1:, None]) ** 2) / 0.04)
    return blobs.sum(1, keepdim=True)


def test_off_grid_rotation_error_of_invariant_features_falls_with_group_resolution():
    class Invariant(torch.nn.Module):
        def __init__(self, group):
            super().__init__()
            self.lift = LiftingConv2d(1, 8, 9, group, padding=4, dtype=torch.float64)
            self.conv = SeparableGroupConv2d(8, 8, 9, group, padding=4, dtype=torch.float64)

        def forward(self, x):
            return project(self.conv(torch.relu(self.lift(x))))

    angles = torch.linspace(0.1, 1.5, 8, dtype=torch.float64)[:, None]
    images, errors = smooth_images(29), []
    for resolution in (2, 6, 18):
        torch.manual_seed(0)
        group = SO2(resolution)
        errors.append(equivariance_error(Invariant(group), images, group, elements=angles))
    assert errors[2] < errors[1] < errors[0], errors


def test_off_grid_rotation_error_of_a_lifting_falls_with_image_resolution():
    group, errors = SO2(12), []
    for size in (17, 33, 65):
        torch.manual_seed(0)
        kernel_size = size // 4 | 1  # covers the same part of the image at every size
        layer = LiftingConv2d(1, 4, kernel_size, group, padding=kernel_size // 2, bias=False).double()
        images = smooth_images(size)
        errors.append(equivariance_error(layer, images, group, elements=group.elements()[1:2], border=size // 8))
    assert errors[2] < errors[1] < errors[0], errors


def test_scaling_error_falls_with_image_resolution():
    group, errors = RPlus(4), []
    for size in (17, 33, 65):
        torch.manual_seed(0)
        kernel_size = size // 4 | 1
        layer = LiftingConv2d(1, 4, kernel_size, group, padding=kernel_size // 2, bias=False).double()
        images = smooth_images(size)
        errors.append(equivariance_error(layer, images, group, elements=group.elements()[1:2], border=size // 8))
    assert errors[2] < errors[1] < errors[0], errors


class TestLayerErrors:
    """Where a network loses equivariance: the error of every map on the group."""

    def network(self):
        return GroupResNet(GroupResNetConfig(group=SO2(8), widths=(4, 8), kernel_size=5)).eval()

    def test_quarter_turns_are_exact_in_every_layer(self):
        errors = layer_errors(self.network(), torch.randn(2, 1, 16, 16), SO2(8), exact_elements(SO2(8)))
        assert {"lifting", "blocks.0", "blocks.0.conv1", "norms.0", "last", "last_norm"} <= errors.keys()
        assert "classifier" not in errors
        assert all(error < 1e-5 for error in errors.values())

    def test_other_rotations_are_exact_in_no_layer(self):
        x, eighths = smooth_images(33).float(), SO2(8).elements()[1::2]
        errors = layer_errors(self.network(), x, SO2(8), eighths, border=6)
        assert all(error > 1e-2 for error in errors.values())
        assert next(iter(errors)) == "lifting"

    def test_the_layer_that_breaks_equivariance_is_found(self):
        network = self.network()
        network.blocks[0].conv2.register_forward_hook(lambda module, inputs, y: y.roll(1, dims=-1))
        errors = layer_errors(network, torch.randn(2, 1, 16, 16), SO2(8), exact_elements(SO2(8)))
        assert errors["blocks.0.norm1"] < 1e-5
        assert min(errors[name] for name in ("blocks.0.conv2", "blocks.0.norm2", "last")) > 1e-2

    def test_a_module_that_runs_several_times_comes_where_it_runs_last(self):
        errors = layer_errors(self.network(), torch.randn(2, 1, 16, 16), SO2(8), exact_elements(SO2(8)))
        assert list(errors)[-1] == "dropout"  # the network's dropout follows every convolution

    def test_the_error_of_one_layer_is_its_equivariance_error(self):
        layer, x = LiftingConv2d(1, 3, 5, SO2(8), padding=2), smooth_images(33).float()
        eighths = SO2(8).elements()[1::2]
        found = layer_errors(torch.nn.Sequential(layer), x, SO2(8), eighths)["0"]
        assert found == pytest.approx(equivariance_error(layer, x, SO2(8), elements=eighths))

    @pytest.mark.parametrize("shape", [(1, 2), (0, 1)])
    def test_elements_of_another_group_and_no_elements_are_refused(self, shape):
        with pytest.raises(ValueError, match="elements must have the shape"):
            layer_errors(self.network(), torch.randn(1, 1, 16, 16), SO2(8), torch.zeros(shape))

    def test_images_without_a_batch_are_refused(self):
        with pytest.raises(ValueError, match="^x must be a tensor"):
            layer_errors(self.network(), torch.randn(1, 16, 16), SO2(8), exact_elements(SO2(8)))
