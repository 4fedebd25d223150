"""Behaviour of all layers: the inference cache, and errors that say which values are allowed."""

import copy
import inspect
import io

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
)


class TestInferenceCache:
    def layer(self):
        layer = SeparableGroupConv2d(2, 2, 3, SO2(4)).eval()
        return layer, torch.randn(1, 2, 4, 5, 5)

    def generations(self, layer, monkeypatch):
        calls = []
        original = type(layer).generate
        monkeypatch.setattr(type(layer), "generate", lambda self, *g: calls.append(1) or original(self, *g))
        return calls

    def test_kernels_are_generated_once_in_inference(self, monkeypatch):
        layer, x = self.layer()
        calls = self.generations(layer, monkeypatch)
        with torch.no_grad():
            first = layer(x)
            torch.testing.assert_close(layer(x), first, rtol=0, atol=0)
        with torch.inference_mode():
            layer(x)
        assert len(calls) == 1

    def test_kernels_are_generated_in_every_training_pass(self, monkeypatch):
        layer, x = self.layer()
        calls = self.generations(layer.train(), monkeypatch)
        layer(x)
        layer(x)
        assert len(calls) == 2

    @pytest.mark.parametrize("change", ["optimiser", "load_state_dict", "in_place", "new_parameter", "double"])
    def test_the_cache_follows_the_parameters(self, change):
        layer, x = self.layer()
        with torch.no_grad():
            before = layer(x)
        last = layer.spatial_kernel.net
        if change == "optimiser":
            layer(x).sum().backward()
            torch.optim.SGD(layer.parameters(), lr=0.5).step()
        elif change == "load_state_dict":
            layer.load_state_dict(SeparableGroupConv2d(2, 2, 3, SO2(4)).state_dict())
        elif change == "in_place":
            with torch.no_grad():
                last.weight_last.mul_(2)
        elif change == "new_parameter":
            last.weight_last = torch.nn.Parameter(last.weight_last.detach() * 3)
        else:
            layer, x = layer.double(), x.double()
        with torch.no_grad():
            after = layer(x)
        fresh = copy.deepcopy(layer).train()(x).detach()
        torch.testing.assert_close(after, fresh)
        if change != "double":
            assert not torch.allclose(after, before)

    @pytest.mark.parametrize(("attribute", "value"), [("algorithm", "direct"), ("padding", 0)])
    def test_the_cache_follows_what_the_kernels_are_laid_out_for(self, attribute, value):
        layer = GroupConv2d(2, 2, 5, SO2(4), padding=2).eval()
        x = torch.randn(1, 2, 4, 8, 8)
        with torch.no_grad():
            layer(x)
            setattr(layer, attribute, value)
            torch.testing.assert_close(layer(x), copy.deepcopy(layer).train()(x))

    def test_a_copy_does_not_share_the_cache(self):
        layer, x = self.layer()
        with torch.no_grad():
            layer(x)
            twin = copy.deepcopy(layer)
            twin.spatial_kernel.net.weight_last.zero_()
            twin.spatial_kernel.net.bias_last.zero_()
            torch.testing.assert_close(twin(x), twin.bias[None, :, None, None, None].expand(1, 2, 4, 3, 3))

    def test_a_pickled_module_computes_the_same(self):
        layer, x = self.layer()
        buffer = io.BytesIO()
        torch.save(layer, buffer)
        buffer.seek(0)
        torch.testing.assert_close(torch.load(buffer, weights_only=False)(x), layer(x))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 2, 3, SO2(4)), "in_channels must be an integer of at least 1, not 0"),
        ((2, -2, 3, SO2(4)), "out_channels must be an integer of at least 1, not -2"),
        ((2, 2, 4, SO2(4)), "kernel_size must be odd.*not 4"),
        ((2, 2, 0, SO2(4)), "kernel_size must be an integer of at least 1, not 0"),
    ],
)
@pytest.mark.parametrize("convolution", [LiftingConv2d, *CONVOLUTIONS.values()])
def test_bad_arguments_are_refused(convolution, arguments, message):
    with pytest.raises(ValueError, match=message):
        convolution(*arguments)


def test_bad_geometry_and_groups_are_refused():
    with pytest.raises(ValueError, match="stride must be an integer of at least 1, not 0"):
        GroupConv2d(2, 2, 3, SO2(4), stride=0)
    with pytest.raises(ValueError, match="padding must be an integer of at least 0, not -1"):
        GroupConv2d(2, 2, 3, SO2(4), padding=-1)
    with pytest.raises(ValueError, match=r"one continuous group, not from SO2\(rotations=4\) to O2\(rotations=2\)"):
        GroupConv2d(2, 2, 3, SO2(4), out_group=O2(2))
    with pytest.raises(ValueError, match="one continuous group"):
        GroupConv2d(2, 2, 3, RPlus(2, 2.0), out_group=RPlus(2, 3.0))
    with pytest.raises(ValueError, match="needs SO2xRPlus, not"):
        FullySeparableConv2d(2, 2, 3, SO2(4))


def test_grids_of_another_shape_or_group_are_refused():
    layer, x = GroupConv2d(2, 2, 3, SO2(4)), torch.zeros(1, 2, 4, 5, 5)
    with pytest.raises(ValueError, match=r"in_elements must have the shape \(4, 1\).*not \(3, 1\)"):
        layer(x, SO2(3).elements(), SO2(4).elements())
    with pytest.raises(ValueError, match=r"out_elements must have the shape \(4, 1\).*not \(4, 2\)"):
        layer(x, SO2(4).elements(), O2(2).elements())
    with pytest.raises(ValueError, match="group must be a Group such as SO2"):
        GroupConv2d(2, 2, 3, 4)
    grid = SO2xRPlus(3, 2).elements()
    with pytest.raises(ValueError, match="not a rotation-major product"):
        FullySeparableConv2d(2, 2, 3, SO2xRPlus(3, 2))(
            torch.zeros(1, 2, 6, 5, 5), grid, grid.flip(0)[[0, 2, 1, 3, 4, 5]]
        )


def test_bad_inputs_are_refused():
    with pytest.raises(ValueError, match=r"expected an image \(B, 1, H, W\), not \(2, 3, 8, 8\)"):
        LiftingConv2d(1, 2, 3, SO2(4))(torch.zeros(2, 3, 8, 8))
    with pytest.raises(ValueError, match=r"expected a map on the group \(B, 2, 4, H, W\), not \(1, 2, 8, 5, 5\)"):
        GroupConv2d(2, 2, 3, SO2(4))(torch.zeros(1, 2, 8, 5, 5))
    with pytest.raises(ValueError, match="both grids"):
        GroupConv2d(2, 2, 3, SO2(4))(torch.zeros(1, 2, 4, 5, 5), SO2(4).elements())


def test_an_unknown_algorithm_is_refused():
    with pytest.raises(ValueError, match="unknown algorithm 'fast'; allowed: auto, direct, disc, fourier"):
        GroupConv2d(2, 2, 3, SO2(4), algorithm="fast")


def test_a_lifting_takes_no_out_group():
    with pytest.raises(TypeError, match="LiftingConv2d takes no out_group"):
        LiftingConv2d(2, 2, 3, SO2(4), out_group=SO2(4))


@pytest.mark.parametrize("convolution", [LiftingConv2d, *CONVOLUTIONS.values()])
def test_signatures_name_every_argument(convolution):
    parameters = inspect.signature(convolution).parameters
    assert list(parameters)[:4] == ["in_channels", "out_channels", "kernel_size", "group"]
    options = {name: p.default for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    assert len(options) == len(parameters) - 4
    assert options == {
        "out_group": None,
        "stride": 1,
        "padding": 0,
        "bias": True,
        "algorithm": "auto",
        "gain": 1.0,
        "hidden_features": 64,
        "omega": 10.0,
        "device": None,
        "dtype": None,
    }
