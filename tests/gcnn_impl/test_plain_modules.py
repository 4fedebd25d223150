"""Outputs are ordinary tensors and layers ordinary modules, the same with the operators in C and without them."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize, prune

from gcnn_impl import (
    CONVOLUTIONS,
    SO2,
    GroupResNet,
    GroupResNetConfig,
    LiftingConv2d,
    SeparableGroupConv2d,
    SO2xRPlus,
    assert_equivariant,
    equivariance_error,
)
from gcnn_impl.native import build

VARIANTS = ["lifting", *CONVOLUTIONS]


@pytest.fixture(params=["operators", "PyTorch"], autouse=True)
def _operators(request, monkeypatch):
    if request.param == "PyTorch":
        monkeypatch.setattr(build, "_loaded", "a test turned them off")


def layer_and_input(variant, **options):
    group = SO2xRPlus(4, 2) if variant == "separable2d" else SO2(4)
    options = {"padding": 1, "hidden_features": 8, **options}
    if variant == "lifting":
        return LiftingConv2d(2, 2, 3, group, **options), torch.randn(2, 2, 6, 5)
    return CONVOLUTIONS[variant](2, 2, 3, group, **options), torch.randn(2, 2, group.resolution, 6, 5)


@pytest.mark.parametrize("variant", VARIANTS)
class TestOutputs:
    def test_can_be_changed_in_place(self, variant):
        layer, x = layer_and_input(variant)
        layer(x).relu_().sum().backward()
        expected = [parameter.grad.clone() for parameter in layer.parameters()]
        layer.zero_grad()
        nn.Sequential(layer, nn.ReLU(inplace=True))(x).sum().backward()
        torch.testing.assert_close([parameter.grad for parameter in layer.parameters()], expected)
        y = layer(x)
        y += torch.ones_like(y, requires_grad=True)
        y.sum().backward()

    def test_can_be_changed_in_place_after_inference_with_what_has_a_gradient(self, variant):
        layer, x = layer_and_input(variant)
        with torch.no_grad():
            y = layer.eval()(x)
        scale = torch.ones((), requires_grad=True)
        y *= scale
        y.sum().backward()
        assert scale.grad is not None

    @pytest.mark.parametrize("algorithm", ["auto", "direct", "disc", "fourier"])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_of_an_empty_batch_are_empty(self, variant, algorithm, dtype):
        layer, x = layer_and_input(variant, dtype=dtype)
        layer.algorithm = algorithm
        y = layer(x.to(dtype)[:0].requires_grad_())
        assert y.shape == (0, *layer(x.to(dtype)).shape[1:])
        y.sum().backward()
        assert all(not parameter.grad.any() for parameter in layer.parameters())


class TestKernelNets:
    def test_hooks_are_called_and_change_what_they_change(self):
        layer, x = layer_and_input("separable")
        seen = []
        layer.group_kernel.net.register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
        layer.spatial_kernel.net.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape))
        for _ in range(2):
            layer(x).sum().backward()
        assert len(seen) == 4
        with torch.no_grad():
            layer.eval()(x)
            layer(x)
        assert len(seen) == 8
        layer.spatial_kernel.net.register_forward_hook(lambda module, inputs, output: output * 0)
        torch.testing.assert_close(layer(x), torch.zeros_like(layer(x)))

    def test_global_hooks_are_called(self):
        layer, x = layer_and_input("separable")
        seen = []
        with nn.modules.module.register_module_forward_hook(lambda module, *_: seen.append(type(module).__name__)):
            layer(x)
        assert seen.count("SIREN") == 2

    def test_pruning_and_its_removal(self):
        layer, x = layer_and_input("separable")
        net = layer.spatial_kernel.net
        prune.l1_unstructured(net, "weight_last", amount=0.5)
        for _ in range(2):
            layer(x).square().sum().backward()
        assert not net.weight_last_orig.grad[net.weight_last_mask == 0].any()
        assert net.weight_last_orig.grad.any()
        expected = layer(x)
        prune.remove(net, "weight_last")
        torch.testing.assert_close(layer(x), expected)

    def test_parametrisations(self):
        layer, x = layer_and_input("full")
        net = layer.joint_kernel.net
        expected = layer(x) * 2 - layer.bias[:, None, None, None]

        class Double(nn.Module):
            def forward(self, weight):
                return weight * 2

        for name in ("weight_last", "bias_last"):
            parametrize.register_parametrization(net, name, Double())
        torch.testing.assert_close(layer(x), expected)
        layer(x).sum().backward()
        assert net.parametrizations.weight_last.original.grad.any()
        with torch.no_grad():
            torch.testing.assert_close(layer.eval()(x), expected)

    def test_parameters_in_any_layout(self):
        layer, x = layer_and_input("separable")
        expected = layer(x).detach()
        for parameter in layer.parameters():
            parameter.data = torch.stack([parameter.data, parameter.data], dim=-1)[..., 0]
        torch.testing.assert_close(layer(x).detach(), expected)
        with torch.no_grad():
            torch.testing.assert_close(layer.eval()(x), expected)


def replica(module):
    """Return a replica as ``nn.DataParallel`` makes it: attributes instead of parameters."""
    copied = module._replicate_for_data_parallel()
    for name, child in module._modules.items():
        if child is not None:
            copied._modules[name] = replica(child)
    for name, parameter in module._parameters.items():
        setattr(copied, name, None if parameter is None else parameter * 1)
    return copied


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("frozen", [False, True])
def test_a_replica_computes_the_same_and_has_gradients(variant, frozen):
    layer, x = layer_and_input(variant)
    if frozen:
        layer.freeze()
    copied = replica(layer)
    y = copied(x)
    torch.testing.assert_close(y, layer(x))
    y.sum().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())
    with torch.no_grad():
        copied.eval()(x)
        copied.bias.mul_(0)
        torch.testing.assert_close(copied(x), layer(x) - layer.bias.view(-1, *[1] * (y.dim() - 2)))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("variant", VARIANTS)
def test_kernels_of_half_precision_are_computed_in_single_precision(variant, dtype):
    layer, x = layer_and_input(variant)
    half = copy.deepcopy(layer).to(dtype)
    single = copy.deepcopy(half).float()
    expected = tuple(kernel.to(dtype) for kernel in single.kernels())
    rounding = 2 * torch.finfo(dtype).eps if variant == "gseparable" else 0  # a product of two rounded factors
    torch.testing.assert_close(half.kernels(), expected, rtol=rounding, atol=0)
    y = half(x.to(dtype))
    assert y.dtype == dtype
    y.sum().backward()
    assert {parameter.grad.dtype for parameter in half.parameters()} == {dtype}
    made = type(layer)(2, 2, 3, layer.group, dtype=dtype)
    assert all(parameter.isfinite().all() for parameter in made.parameters())


class TestOblongImages:
    def test_layers_and_networks_are_equivariant_on_them(self):
        layer = SeparableGroupConv2d(2, 3, 3, SO2(4), padding=1)
        assert equivariance_error(layer, torch.randn(1, 2, 4, 5, 9), SO2(4)) <= 1e-5
        network = GroupResNet(GroupResNetConfig(widths=(4, 6), kernel_size=3, group=SO2(4))).eval()
        assert equivariance_error(network, torch.randn(2, 1, 9, 13), SO2(4)) <= 1e-4

    def test_a_module_that_makes_them_square_is_refused(self):
        pool = nn.AdaptiveAvgPool2d((4, 6))
        with pytest.raises(ValueError, match="to .*, and the transformed output has the shape"):
            equivariance_error(pool, torch.randn(1, 1, 8, 8), SO2(4))


def test_an_error_on_an_even_side_with_stride_two_says_why():
    layer = SeparableGroupConv2d(2, 3, 3, SO2(4), stride=2, padding=1)
    assert_equivariant(layer, torch.randn(1, 2, 4, 9, 9), SO2(4))
    with pytest.raises(
        AssertionError, match="a stride of 2 on a side of 8 does not commute with quarter turns: .*, so try odd"
    ):
        assert_equivariant(layer, torch.randn(1, 2, 4, 8, 8), SO2(4))
    strided = SeparableGroupConv2d(2, 3, 3, SO2(4), stride=3, padding=1)
    assert_equivariant(strided, torch.randn(1, 2, 4, 7, 10), SO2(4))
    with pytest.raises(AssertionError, match=r"a stride of 3 on a side of 9 .*: it must divide 9 \+ 2·1 − 3 \("):
        assert_equivariant(strided, torch.randn(1, 2, 4, 9, 9), SO2(4))
    with pytest.raises(AssertionError, match="a stride of 2 on a side of 4"):
        assert_equivariant(
            nn.Sequential(nn.Identity(), nn.MaxPool2d(3, 2)), torch.arange(16.0).view(1, 1, 4, 4), SO2(4)
        )
    with pytest.raises(AssertionError) as caught:
        assert_equivariant(nn.Conv2d(1, 1, 3), torch.randn(1, 1, 8, 8), SO2(4))
    assert "stride" not in str(caught.value)
