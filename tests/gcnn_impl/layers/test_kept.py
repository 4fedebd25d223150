"""Kernels are kept in inference only as long as they are those that would be generated, or as the user froze them."""

import copy

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.utils import prune

from gcnn_impl import CONVOLUTIONS, SO2, GroupResNet, GroupResNetConfig, SeparableGroupConv2d, freeze, unfreeze


def layer_and_input():
    return SeparableGroupConv2d(2, 2, 3, SO2(4)).eval(), torch.randn(1, 2, 4, 5, 5)


def generated(layer, x):
    """Return the output with kernels that are generated now."""
    with torch.no_grad():
        return copy.deepcopy(layer).train()(x)


def fused(kind):
    def change(layer, x):
        layer(x).square().sum().backward()
        kind(layer.parameters(), lr=0.1, fused=True).step()

    return change


def halve_data(layer, x):
    for parameter in layer.parameters():
        parameter.data.copy_(parameter * 0.5)


def replace_data(layer, x):
    net = layer.group_kernel.net
    net.weight_last.data = net.weight_last.data * 2


def write_through_numpy(layer, x):
    layer.spatial_kernel.net.weight_last.detach().numpy()[:] = 1


def swap_signs(layer, x):
    net = layer.spatial_kernel.net
    nn.utils.vector_to_parameters(-nn.utils.parameters_to_vector(net.parameters()), net.parameters())


def average(layer, x):
    averaged = torch.optim.swa_utils.AveragedModel(layer)
    averaged.update_parameters(SeparableGroupConv2d(2, 2, 3, SO2(4)))
    layer.load_state_dict(averaged.module.state_dict())


def change_omega(layer, x):
    layer.group_kernel.net.omega = 3.0


def change_weights_of_points(layer, x):
    layer.group_kernel.weights.data.mul_(2)


def hook(layer, x):
    layer.spatial_kernel.net.register_forward_hook(lambda module, inputs, output: output * 2)


CHANGES = [
    *(fused(kind) for kind in (torch.optim.AdamW, torch.optim.Adam, torch.optim.SGD)),
    *(halve_data, replace_data, write_through_numpy, swap_signs, average, change_omega, change_weights_of_points, hook),
]


@pytest.mark.parametrize("change", CHANGES)
def test_kernels_follow_whatever_they_are_generated_from(change):
    layer, x = layer_and_input()
    layer.algorithm = "disc"  # the weights of points are used by the operators in C and by common_weight in PyTorch
    if change is change_weights_of_points:
        layer.algorithm = "auto"
    with torch.no_grad():
        before = layer(x)
    change(layer, x)
    with torch.no_grad():
        after = layer(x)
    twin = copy.deepcopy(layer)
    if change is change_weights_of_points:
        twin.group_kernel.weights.copy_(layer.group_kernel.weights)
        torch.testing.assert_close(after, twin(x).detach())
        return
    torch.testing.assert_close(after, generated(layer, x))
    assert not torch.allclose(after, before)


def test_a_masked_parameter_is_followed():
    layer, x = layer_and_input()
    net = layer.spatial_kernel.net
    prune.l1_unstructured(net, "weight_last", amount=0.5)
    with torch.no_grad():
        layer(x)
        net.weight_last_mask.zero_()
        torch.testing.assert_close(layer(x), generated(layer, x))


def test_kernels_of_a_class_of_another_package_are_not_kept():
    class Noisy(SeparableGroupConv2d):
        def generate(self, *grids):
            return tuple(kernel * torch.rand(()) for kernel in super().generate(*grids))

    layer, x = Noisy(2, 2, 3, SO2(4)).eval(), torch.randn(1, 2, 4, 5, 5)
    with torch.no_grad():
        assert not torch.equal(layer(x), layer(x))


class TestFreeze:
    def test_frozen_kernels_stay_whatever_happens_to_the_parameters(self):
        layer, x = layer_and_input()
        expected = layer(x).detach()
        with torch.no_grad():
            assert layer.freeze() is layer
            halve_data(layer, x)
            torch.testing.assert_close(layer(x), expected)
            torch.testing.assert_close(layer.eval()(x), expected)
            torch.testing.assert_close(layer.unfreeze()(x), generated(layer, x))

    @pytest.mark.parametrize(
        "end",
        [
            lambda layer: layer.train().eval(),
            lambda layer: layer.load_state_dict({k: v * 0.5 for k, v in layer.state_dict().items()}),
            lambda layer: layer.double().float(),
            lambda layer: layer.reset_parameters(),
            copy.deepcopy,
            unfreeze,
        ],
    )
    def test_it_ends_with(self, end):
        layer, x = layer_and_input()
        freeze(layer)
        halve_data(layer, x)
        ended = end(layer)
        layer = ended if isinstance(ended, SeparableGroupConv2d) else layer
        with torch.no_grad():
            torch.testing.assert_close(layer(x), generated(layer, x))

    def test_gradients_and_explicit_grids_generate_kernels(self):
        layer, x = layer_and_input()
        freeze(layer)
        layer(x).sum().backward()
        assert all(parameter.grad is not None for parameter in layer.parameters())
        grid = SO2(4).elements()
        halve_data(layer, x)
        with torch.no_grad():
            torch.testing.assert_close(layer(x, grid, grid), generated(layer, x))

    def test_all_layers_of_a_network_are_frozen_and_compute_the_same(self):
        network = GroupResNet(GroupResNetConfig(widths=(4, 6), kernel_size=3, group=SO2(4)))
        x = torch.randn(2, 1, 9, 9)
        with torch.no_grad():
            expected = network.eval()(x)
            assert freeze(network.train()) is network
            assert not network.training
            torch.testing.assert_close(network(x), expected)
        layers = [module for module in network.modules() if type(module) in CONVOLUTIONS.values()]
        assert layers
        assert all(layer._frozen is not None for layer in layers)


def test_kernels_without_values_are_neither_kept_nor_compared():
    layer, x = layer_and_input()
    with torch.no_grad():
        expected = layer(x)
        for _ in range(2):
            with FakeTensorMode(allow_non_fake_inputs=True) as mode:
                layer(mode.from_tensor(x))
                layer(mode.from_tensor(x))
            assert torch.equal(layer(x), expected)
            layer.unfreeze()
