"""In inference a convolution takes in the batch norm that follows it, and computes what both compute one by one."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from gcnn_impl import (
    CONVOLUTIONS,
    O2,
    SO2,
    GroupAllCNNC,
    GroupAllCNNCConfig,
    GroupResNet,
    GroupResNetConfig,
    LiftingConv2d,
    SeparableGroupConv2d,
    SO2xRPlus,
    Trivial,
    freeze,
    unfreeze,
)
from gcnn_impl.layers import Convolution, GroupBatchNorm2d
from gcnn_impl.layers.folding import conv_norm_relu
from gcnn_impl.layers.norm import norm_relu

GROUPS = [SO2(8), O2(8), SO2xRPlus(4, 2), Trivial()]


def trained(module):
    """Give all norms of a module statistics and parameters as after training, some of the scales below zero."""
    with torch.no_grad():
        for norm in module.modules():
            if isinstance(norm, GroupBatchNorm2d):
                norm.running_mean.normal_()
                norm.running_var.uniform_(0.3, 3)
                norm.weight.normal_()
                norm.bias.normal_()
    return module.eval()


def one_by_one(module, x):
    """Return the output of a copy whose norms run by themselves, in float64: a hook keeps them apart."""
    twin = copy.deepcopy(module).double().eval()
    for norm in twin.modules():
        if isinstance(norm, GroupBatchNorm2d):
            norm.register_forward_hook(lambda *_: None)
    with torch.no_grad():
        return twin(x.double())


def layers_of(module):
    return [layer for layer in module.modules() if isinstance(layer, Convolution)]


def folds(layer):
    return layer._folded is not None


class Pair(nn.Module):
    """A convolution with its norm, the ReLU and the identity as the residual."""

    def __init__(self, conv=None, norm=None):
        super().__init__()
        self.conv = SeparableGroupConv2d(8, 8, 5, SO2(4), padding=2) if conv is None else conv
        self.norm = GroupBatchNorm2d(8) if norm is None else norm

    def forward(self, x, *grids):
        return conv_norm_relu(self.conv, self.norm, x, grids, lambda: x)


def pair_and_map(**options):
    conv = SeparableGroupConv2d(8, 8, 5, SO2(4), padding=2, **options)
    return trained(Pair(conv)), torch.randn(2, 7, 7, 4, 8).permute(0, 4, 3, 1, 2)


def network_of(kind, variant, group):
    options = {"variant": variant, "group": group, "kernel_size": 5}
    if kind == "resnet":
        return GroupResNet(GroupResNetConfig(widths=(8, 8, 12), **options)), torch.randn(2, 1, 14, 14)
    return GroupAllCNNC(GroupAllCNNCConfig(in_channels=3, widths=(6, 8), **options)), torch.randn(2, 3, 13, 13)


@pytest.mark.parametrize("kind", ["resnet", "allcnnc"])
@pytest.mark.parametrize("group", GROUPS, ids=str)
@pytest.mark.parametrize("variant", CONVOLUTIONS)
def test_networks_compute_the_same(kind, group, variant):
    if variant == "separable2d" and not isinstance(group, SO2xRPlus):
        pytest.skip("the fully separable variant is for Sim(2)")
    network, x = network_of(kind, variant, group)
    expected = one_by_one(trained(network), x)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        for y in (network(x), freeze(network)(x), network(x)):
            assert (y - expected).norm() <= 1e-5 * expected.norm()
        folded = sum(folds(layer) for layer in layers_of(network))
        # All but the 1×1 skip; all but two before a pooling and the last, which has no norm.
        assert len(layers_of(network)) - folded == {"resnet": 1, "allcnnc": 3}[kind]
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
        assert before.keys() == network.state_dict().keys()
        y = unfreeze(network)(x)
        assert (y - expected).norm() <= 1e-5 * expected.norm()


def test_a_bias_is_folded_and_followed():
    pair, x = pair_and_map(bias=True)
    freeze(pair)
    with torch.no_grad():
        pair(x)
        nn.init.normal_(pair.conv.bias)
        torch.testing.assert_close(pair(x).double(), one_by_one(pair, x), rtol=1e-5, atol=1e-5)
    assert folds(pair.conv)


@pytest.mark.parametrize(
    "change",
    [
        lambda norm: norm.running_mean.add_(1),
        lambda norm: norm.running_var.mul_(2),
        lambda norm: norm.weight.data.neg_(),
        lambda norm: norm.bias.data.add_(1),
        lambda norm: setattr(norm, "eps", 1.0),
        lambda norm: norm.load_state_dict({k: v + 1 for k, v in norm.state_dict().items()}),
        lambda norm: norm.reset_parameters(),
        lambda norm: norm.reset_running_stats(),
    ],
)
def test_a_norm_that_is_not_frozen_is_followed(change):
    pair, x = pair_and_map()
    with torch.no_grad():
        before = pair(x)
        change(pair.norm)
        after = pair(x)
    assert folds(pair.conv)
    torch.testing.assert_close(after.double(), one_by_one(pair, x), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(after, before)


def test_a_kernel_that_is_not_frozen_is_followed():
    pair, x = pair_and_map()
    with torch.no_grad():
        pair(x)
        pair.conv.spatial_kernel.net.weight_last.mul_(2)
        torch.testing.assert_close(pair(x).double(), one_by_one(pair, x), rtol=1e-5, atol=1e-5)


class TestFrozen:
    def test_norms_stay_whatever_happens_to_their_statistics(self):
        pair, x = pair_and_map()
        with torch.no_grad():
            expected = freeze(pair)(x)
            alone = pair.norm(x)
            trained(pair)
            assert torch.equal(pair(x), expected)
            assert torch.equal(pair.norm(x), alone)
            torch.testing.assert_close(unfreeze(pair)(x).double(), one_by_one(pair, x), rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize(
        "end",
        [
            lambda pair: pair.train().eval(),
            lambda pair: pair.load_state_dict(pair.state_dict()),
            lambda pair: pair.double().float(),
            copy.deepcopy,
            unfreeze,
        ],
    )
    def test_it_ends_with(self, end):
        pair, x = pair_and_map()
        with torch.no_grad():
            freeze(pair)(x)
            trained(pair)
            pair.conv.spatial_kernel.net.weight_last.mul_(2)
            ended = end(pair)
            pair = ended if isinstance(ended, Pair) else pair
            assert pair.norm._frozen is None
            assert not folds(pair.conv)
            torch.testing.assert_close(pair(x).double(), one_by_one(pair, x), rtol=1e-5, atol=1e-5)

    def test_a_copy_is_independent(self):
        pair, x = pair_and_map()
        with torch.no_grad():
            expected = freeze(pair)(x)
            trained(copy.deepcopy(pair))(x)
            assert torch.equal(pair(x), expected)


def hook_of(module):
    module.register_forward_hook(lambda *_: None)


@pytest.mark.parametrize(
    "prevent",
    [
        lambda pair: hook_of(pair.norm),
        lambda pair: hook_of(pair.conv),
        lambda pair: parametrize.register_parametrization(pair.norm, "weight", nn.Identity()),
        lambda pair: setattr(pair, "norm", GroupBatchNorm2d(8, track_running_stats=False).eval()),
        lambda pair: pair.norm.train(),
        lambda pair: pair.conv.train(),
    ],
)
def test_what_prevents_folding(prevent):
    pair, x = pair_and_map()
    prevent(pair)
    with torch.no_grad():
        y = pair(x)
        assert not folds(pair.conv)
        torch.testing.assert_close(y, norm_relu(pair.norm, pair.conv(x), lambda: x))


def test_gradients_explicit_grids_and_autocast_take_the_norm_by_itself():
    pair, x = pair_and_map()
    freeze(pair)
    expected = norm_relu(pair.norm, pair.conv(x), lambda: x)
    assert torch.equal(pair(x), expected)
    grid = SO2(4).elements()
    with torch.no_grad():
        torch.testing.assert_close(pair(x, grid, grid), expected, rtol=1e-4, atol=1e-5)
        with torch.autocast("cpu", torch.bfloat16):
            pair(x)
    assert not folds(pair.conv)


def test_errors_are_those_of_the_layers():
    pair, x = pair_and_map()
    with torch.no_grad():
        with pytest.raises(ValueError, match=r"expected a map on the group \(B, 8, 4, H, W\), not \(2, 3, 4, 7, 7\)"):
            freeze(pair)(x[:, :3])
        pair.norm = GroupBatchNorm2d(3).eval()
        with pytest.raises(RuntimeError, match="8 elements"):
            pair(x)
        lifting = freeze(LiftingConv2d(1, 8, 5, SO2(4)))
        with pytest.raises(ValueError, match=r"expected an image \(B, 1, H, W\), not \(2, 8, 4, 7, 7\)"):
            conv_norm_relu(lifting, GroupBatchNorm2d(8).eval(), x)


def test_other_convolutions_run_with_their_norms():
    conv, norm, x = nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3).eval(), torch.randn(2, 2, 5, 5)
    with torch.no_grad():
        assert torch.equal(conv_norm_relu(conv, norm, x), torch.relu(norm(conv(x))))
