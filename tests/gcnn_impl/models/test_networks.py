"""The networks: exact invariance, sampled grids, dropout, plain counterparts, unit deviations at initialisation."""

import dataclasses
import math

import pytest
import sklearn.datasets
import torch

from gcnn_impl import (
    CONVOLUTIONS,
    O2,
    SO2,
    AllCNNC,
    AllCNNCConfig,
    GroupAllCNNC,
    GroupAllCNNCConfig,
    GroupResNet,
    GroupResNetConfig,
    RPlus,
    SO2xRPlus,
    Trivial,
    build,
    count_parameters,
    equivariance_error,
)


@pytest.mark.parametrize("variant", [v for v in CONVOLUTIONS if v != "separable2d"])
@pytest.mark.parametrize("group", [SO2(4), SO2(8), O2(4)], ids=repr)
@pytest.mark.parametrize("size", [16, 19, 28])
def test_networks_are_invariant_to_quarter_turns(variant, group, size):
    net = GroupResNet(GroupResNetConfig(group=group, variant=variant, widths=(4, 4, 8), kernel_size=5)).eval()
    assert equivariance_error(net, torch.randn(2, 1, size, size), group) <= 1e-5


def test_a_sim2_network_is_invariant_to_quarter_turns():
    group = SO2xRPlus(4, 2)
    for variant in ("full", "separable", "separable2d"):
        net = GroupResNet(GroupResNetConfig(group=group, variant=variant, widths=(4, 4), kernel_size=5)).eval()
        assert equivariance_error(net, torch.randn(2, 1, 16, 16), group) <= 1e-5


@pytest.mark.parametrize("variant", CONVOLUTIONS)
@pytest.mark.parametrize("group", [SO2(4), O2(4), SO2xRPlus(4, 2)], ids=repr)
def test_all_cnn_c_is_invariant_to_quarter_turns(variant, group):
    if variant == "separable2d" and not isinstance(group, SO2xRPlus):
        pytest.skip("the fully separable variant is for Sim(2)")
    # In narrower networks, all nine ReLUs in a row may be dead.
    net = GroupAllCNNC(GroupAllCNNCConfig(widths=(8, 12), group=group, variant=variant)).eval()
    for size in (16, 19):
        assert equivariance_error(net, torch.randn(2, 3, size, size), group) <= 1e-5


CONFIGS = {
    "resnet": GroupResNetConfig(in_channels=3, widths=(4, 6, 8), kernel_size=5, group=SO2(4)),
    "allcnnc": GroupAllCNNCConfig(widths=(4, 6), group=SO2(4)),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_the_plain_twin_has_the_same_convolutions(config):
    net, twin = build(config), build(config.plain_twin())

    def convolutions(module):
        return [(m.in_channels, m.out_channels, _side(m)) for m in module.modules() if hasattr(m, "kernel_size")]

    def _side(m):
        return m.kernel_size if isinstance(m.kernel_size, int) else m.kernel_size[0]

    assert convolutions(net) == convolutions(twin)
    x = torch.randn(2, 3, 16, 16)
    assert net(x).shape == twin(x).shape == (2, 10)


def test_all_cnn_c_has_the_published_layers():
    twin = AllCNNC(AllCNNCConfig())
    shapes = [(m.in_channels, m.out_channels, m.kernel_size[0]) for m in twin.modules() if hasattr(m, "kernel_size")]
    widths = [3, 96, 96, 96, 192, 192, 192, 192, 192, 10]
    assert shapes == list(zip(widths[:-1], widths[1:], [5] * 7 + [1] * 2, strict=True))
    # Springenberg et al. give about 1.3 million parameters for 3 × 3 kernels throughout (their 7th has no padding).
    assert 1.2e6 < count_parameters(AllCNNCConfig(kernel_size=3)) < 1.4e6


class Seeded(torch.nn.Module):
    """A network that draws the same random grid and drops the same channels in every forward."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        torch.manual_seed(1)
        return self.net(x)


class TestSampledGrids:
    @pytest.fixture(params=CONFIGS.values(), ids=CONFIGS)
    def config(self, request):
        random = [f.name for f in dataclasses.fields(request.param) if "dropout" in f.name]
        return dataclasses.replace(request.param, sampled=True, **dict.fromkeys(random, 0.0))

    def test_each_training_pass_draws_one_grid_for_the_whole_network(self, config, monkeypatch):
        net, x, grids = build(config).train(), torch.randn(2, 3, 12, 12), []
        original = SO2.sample
        monkeypatch.setattr(SO2, "sample", lambda self, *args: grids.append(original(self, *args)) or grids[-1])
        seen = []
        for module in net.modules():
            if hasattr(module, "generate"):
                module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1:]))
        first, second = net(x), net(x)
        assert len(grids) == 2
        assert not torch.equal(*grids)
        assert not torch.allclose(first, second)
        layers = len(seen) // 2
        for grid, inputs in zip(grids, (seen[:layers], seen[layers:]), strict=True):
            assert len(inputs[0]) == 1
            assert all(len(given) == 2 for given in inputs[1:])
            assert all(g is grid for given in inputs for g in given)

    def test_evaluation_is_that_of_the_discretised_network(self, config):
        net, x = build(config).eval(), torch.randn(2, 3, 12, 12)
        fixed = build(dataclasses.replace(config, sampled=False)).eval()
        fixed.load_state_dict(net.state_dict())
        with torch.no_grad():
            torch.testing.assert_close(net(x), net(x), rtol=0, atol=0)
            torch.testing.assert_close(net(x), fixed(x))

    def test_training_on_one_grid_is_invariant_to_quarter_turns(self, config):
        net = Seeded(build(config).train().double())
        assert equivariance_error(net, torch.randn(2, 3, 12, 12, dtype=torch.float64), SO2(4)) <= 1e-12


@pytest.mark.parametrize(
    "config",
    [
        GroupResNetConfig(in_channels=3, widths=(8, 8), kernel_size=3, channel_dropout=0.5, group=O2(4)),
        GroupAllCNNCConfig(widths=(8, 8), kernel_size=3, group=O2(4)),
    ],
    ids=CONFIGS,
)
def test_dropout_drops_whole_channels_and_keeps_invariance(config):
    net, x = build(config).train().double(), torch.randn(4, 3, 12, 12, dtype=torch.float64)
    dropped = []

    def look(module, inputs, output):
        alive = (output != 0).flatten(2).any(-1)[:, :, None, None, None]
        torch.testing.assert_close(output, inputs[0] * alive / (1 - module.p))
        dropped.append((~alive).double().mean().item())

    handles = [m.register_forward_hook(look) for m in net.modules() if isinstance(m, torch.nn.Dropout3d) and m.p]
    net(x)
    assert len(dropped) == 3
    assert 0.1 < sum(dropped) / 3 < 0.8
    for handle in handles:
        handle.remove()
    assert equivariance_error(Seeded(net), x, O2(4)) <= 1e-12


def digits(size=16, n=32):
    images = torch.tensor(sklearn.datasets.load_digits().images[:n], dtype=torch.float32)[:, None]
    images = torch.nn.functional.interpolate(images, size=size, mode="bilinear")
    return (images - images.mean()) / images.std()


def assert_near_unit_deviations(config, images, layers):
    """Assert that all ``layers`` group convolutions have outputs with standard deviations between 1/2 and 2."""
    torch.manual_seed(0)
    net, seen = build(config), {}
    for name, module in net.named_modules():
        if hasattr(module, "generate"):
            module.register_forward_hook(lambda _, __, y, name=name: seen.update({name: y.std().item()}))
    with torch.no_grad():
        net(images)
    assert len(seen) == layers
    for name, std in seen.items():
        assert abs(math.log2(std)) <= 1, (name, std)


@pytest.mark.parametrize("kernel_size", [5, 7])
@pytest.mark.parametrize("group", [Trivial(), SO2(4), SO2(16), O2(4), RPlus(4), SO2xRPlus(4, 2)], ids=repr)
@pytest.mark.parametrize("variant", CONVOLUTIONS)
def test_pre_activations_start_within_a_factor_of_two_of_unit_deviation(variant, group, kernel_size):
    if variant == "separable2d" and not isinstance(group, SO2xRPlus):
        pytest.skip("the fully separable variant is for Sim(2)")
    for images in (torch.randn(32, 1, 16, 16), digits()):
        config = GroupResNetConfig(group=group, variant=variant, widths=(16, 16, 32), kernel_size=kernel_size)
        assert_near_unit_deviations(config, images, layers=7)


@pytest.mark.parametrize("group", [Trivial(), SO2(4), SO2(16), O2(4), RPlus(4), SO2xRPlus(4, 2)], ids=repr)
@pytest.mark.parametrize("variant", CONVOLUTIONS)
def test_pre_activations_of_all_cnn_c_start_within_a_factor_of_two_of_unit_deviation(variant, group):
    if variant == "separable2d" and not isinstance(group, SO2xRPlus):
        pytest.skip("the fully separable variant is for Sim(2)")
    for images in (torch.randn(8, 1, 24, 24), digits(24, 8)):
        config = GroupAllCNNCConfig(in_channels=1, widths=(16, 32), group=group, variant=variant)
        assert_near_unit_deviations(config, images, layers=9)
