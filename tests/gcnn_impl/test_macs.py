"""The closed forms of the MACs are compared with two counters and with published numbers."""

import pytest
import torch
from fvcore.nn import FlopCountAnalysis
from torch.utils.flop_counter import FlopCounterMode

from gcnn_impl import (
    CONVOLUTIONS,
    O2,
    SO2,
    AllCNNCConfig,
    GroupAllCNNCConfig,
    GroupResNetConfig,
    LiftingConv2d,
    PlainResNetConfig,
    RPlus,
    SO2xRPlus,
    build,
    count_macs,
    freeze,
    generation_macs,
    layer_macs,
    module_macs,
)

# MMAC per sample of the authors' network for |H| = 4, 8, 16, from their published code.
PUBLISHED = {
    "full": (1757, 7018, 28052),
    "separable": (63.5, 217, 794),
    "gseparable": (1757, 7018, 28052),
    "dseparable": (71, 250, 937),
    "dgseparable": (31, 65, 141),
}


@pytest.mark.parametrize(("variant", "published"), PUBLISHED.items())
def test_the_papers_network_has_the_published_macs(variant, published):
    for rotations, mmacs in zip((4, 8, 16), published, strict=True):
        config = GroupResNetConfig(group=SO2(rotations), variant=variant)
        assert count_macs(config, 28) / 1e6 == pytest.approx(mmacs, rel=0.01)


def counter_macs(function, *args):
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        function(*args)
    return counter.get_total_flops() // 2


def fvcore_macs(module, x):
    analysis = FlopCountAnalysis(module, x).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    with torch.no_grad():
        counts = analysis.by_operator()
    return int(sum(counts[operator] for operator in ("conv", "linear", "addmm", "matmul")))  # without norms


def direct(module):
    """Set a module to eval mode and its layers to the direct algorithm; return the module."""
    for m in module.modules():
        if hasattr(m, "generate"):
            m.algorithm = "direct"
    return module.eval()


def layers():
    """Yield name and layer for all layers, with |H_in| ≠ |H_out| where possible, a stride, and padding below k // 2."""
    yield "lifting", LiftingConv2d(2, 3, 5, RPlus(3), stride=2, padding=1)
    for variant, convolution in CONVOLUTIONS.items():
        groups = (SO2xRPlus(2, 3), SO2xRPlus(3, 2)) if variant == "separable2d" else (RPlus(3), RPlus(2))
        yield variant, convolution(2, 3, 5, groups[0], out_group=groups[1], stride=2, padding=1)


@pytest.mark.parametrize(("variant", "layer"), [pytest.param(*case, id=case[0]) for case in layers()])
def test_closed_form_equals_fvcore_and_flop_counter(variant, layer):
    direct(layer)
    shape = (2, 7, 9) if variant == "lifting" else (2, layer.group.resolution, 7, 9)
    x = torch.randn(3, *shape)
    layer.freeze()  # the generation of kernels is counted separately
    expected = module_macs(layer, x)
    assert expected == counter_macs(layer, x) == fvcore_macs(layer, x)
    assert generation_macs(layer) == counter_macs(layer.generate)


@pytest.mark.parametrize("group", [SO2(8), O2(4), SO2xRPlus(4, 2)], ids=repr)
def test_generation_evaluates_distinct_arguments_only(group):
    for variant, convolution in CONVOLUTIONS.items():
        if variant != "separable2d" or isinstance(group, SO2xRPlus):
            layer = convolution(2, 3, 5, group)
            assert generation_macs(layer) == counter_macs(layer.generate), variant


@pytest.mark.parametrize("config", [PlainResNetConfig(widths=(4, 6), kernel_size=5), AllCNNCConfig(widths=(4, 6))])
def test_plain_networks_have_the_counted_macs(config):
    net = build(config).eval()
    x = torch.randn(1, config.in_channels, 15, 15)
    assert count_macs(config, 15) == counter_macs(net, x) == fvcore_macs(net, x)


def test_counting_leaves_a_group_network_in_its_state():
    config = GroupAllCNNCConfig(widths=(4, 6), group=RPlus(2), variant="full")
    net = build(config).train()
    net.layers[0].norm.eval()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    macs = module_macs(net, torch.randn(1, 3, 12, 12))
    assert net.training
    assert not net.layers[0].norm.training
    assert not any(m._forward_hooks for m in net.modules())
    torch.testing.assert_close(net.state_dict(), before, rtol=0, atol=0)
    freeze(direct(net))
    assert macs == counter_macs(net, torch.randn(1, 3, 12, 12)) == count_macs(config, 12)


def test_a_layer_has_the_macs_of_its_module_and_other_modules_have_none():
    for _, layer in layers():
        x = torch.randn(3, 2, *([] if isinstance(layer, LiftingConv2d) else [layer.group.resolution]), 7, 9)
        assert layer_macs(layer, tuple(x.shape), tuple(layer(x).shape)) == module_macs(layer, x)
    assert layer_macs(torch.nn.ReLU(), (2, 3), (2, 3)) == 0
