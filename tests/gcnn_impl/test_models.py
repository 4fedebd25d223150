"""The networks: the paper's sizes, exact invariance in eval, plain twins, errors."""

import math

import pytest
import sklearn.datasets
import torch

from gcnn_impl import (
    CONVOLUTIONS,
    O2,
    SO2,
    GroupResNet,
    GroupResNetConfig,
    PlainResNet,
    PlainResNetConfig,
    RPlus,
    SO2xRPlus,
    Trivial,
    equivariance_error,
)

# The authors' network with SIREN kernels of 1 × 64, counted in their published code.
PUBLISHED_PARAMETERS = {
    "full": 716_490,
    "separable": 755_370,
    "gseparable": 1_405_322,
    "dseparable": 77_802,
    "dgseparable": 116_682,
}


@pytest.mark.parametrize(("variant", "parameters"), PUBLISHED_PARAMETERS.items())
def test_the_papers_network_has_the_published_number_of_parameters(variant, parameters):
    for resolution in (4, 16):
        net = GroupResNet(GroupResNetConfig(group=SO2(resolution), variant=variant))
        assert sum(p.numel() for p in net.parameters()) == parameters


@pytest.mark.parametrize("variant", PUBLISHED_PARAMETERS)
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


def test_the_plain_twin_has_the_same_convolutions():
    config = GroupResNetConfig(group=SO2(4), widths=(4, 6, 8), kernel_size=5)
    net, twin = GroupResNet(config), PlainResNet(config.plain_twin())

    def convolutions(module):
        return [(m.in_channels, m.out_channels, _side(m)) for m in module.modules() if hasattr(m, "kernel_size")]

    def _side(m):
        return m.kernel_size if isinstance(m.kernel_size, int) else m.kernel_size[0]

    assert convolutions(net) == convolutions(twin)
    x = torch.randn(2, 1, 16, 16)
    assert net(x).shape == twin(x).shape == (2, 10)


def digits(size=16, n=32):
    images = torch.tensor(sklearn.datasets.load_digits().images[:n], dtype=torch.float32)[:, None]
    images = torch.nn.functional.interpolate(images, size=size, mode="bilinear")
    return (images - images.mean()) / images.std()


@pytest.mark.parametrize("kernel_size", [5, 7])
@pytest.mark.parametrize("group", [Trivial(), SO2(4), SO2(16), O2(4), RPlus(4), SO2xRPlus(4, 2)], ids=repr)
@pytest.mark.parametrize("variant", CONVOLUTIONS)
def test_pre_activations_start_within_a_factor_of_two_of_unit_deviation(variant, group, kernel_size):
    if variant == "separable2d" and not isinstance(group, SO2xRPlus):
        pytest.skip("the fully separable variant is for Sim(2)")
    for images in (torch.randn(32, 1, 16, 16), digits()):
        torch.manual_seed(0)
        net = GroupResNet(GroupResNetConfig(group=group, variant=variant, widths=(16, 16, 32), kernel_size=kernel_size))
        seen: dict[str, float] = {}

        for name, module in net.named_modules():
            if hasattr(module, "generate"):
                module.register_forward_hook(lambda _, __, y, name=name, seen=seen: seen.update({name: y.std().item()}))
        with torch.no_grad():
            net(images)
        assert len(seen) == 7
        for name, std in seen.items():
            assert abs(math.log2(std)) <= 1, (name, std)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "seperable"}, "unknown variant 'seperable'; allowed: full, separable"),
        ({"widths": (8,)}, "two or more positive channel counts"),
        ({"widths": (8, 0)}, "two or more positive channel counts"),
    ],
)
def test_bad_configs_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        GroupResNetConfig(group=SO2(4), **arguments)
    if "widths" in arguments:
        with pytest.raises(ValueError, match=message):
            PlainResNetConfig(**arguments)
