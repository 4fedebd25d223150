"""The paper's sizes, and networks of equal cost."""

import dataclasses

import pytest

from gcnn_impl import (
    SO2,
    GroupAllCNNCConfig,
    GroupResNet,
    GroupResNetConfig,
    count_macs,
    count_parameters,
    width_for_macs,
    width_for_parameters,
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


CONFIGS = {
    "resnet": GroupResNetConfig(in_channels=3, widths=(4, 6, 8), kernel_size=5, group=SO2(4)),
    "allcnnc": GroupAllCNNCConfig(widths=(4, 6), group=SO2(4)),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("plain", [True, False])
def test_width_solvers_come_nearest_to_the_target(config, plain):
    start = config.plain_twin() if plain else config

    def check(found, cost, target):
        assert type(found) is type(start)
        width, largest = max(found.widths), max(start.widths)
        for other in (max(width - 1, 1), width + 1):
            widths = tuple(max(1, round(w * other / largest)) for w in start.widths)
            assert abs(cost(found) - target) <= abs(cost(dataclasses.replace(start, widths=widths)) - target)

    for target in (1, 50_000):
        check(width_for_parameters(start, target), count_parameters, target)
    check(width_for_macs(start, 1_000_000, 12), lambda c: count_macs(c, 12), 1_000_000)


def test_equal_budgets_are_met_within_a_few_percent():
    group_net = GroupResNetConfig(group=SO2(8))
    parameters, macs = count_parameters(group_net), count_macs(group_net, 28)
    by_parameters = width_for_parameters(group_net.plain_twin(), parameters)
    by_macs = width_for_macs(group_net.plain_twin(), macs, 28)
    assert abs(count_parameters(by_parameters) / parameters - 1) < 0.05
    assert abs(count_macs(by_macs, 28) / macs - 1) < 0.05
    assert by_parameters.widths != by_macs.widths
    with pytest.raises(ValueError, match="target must be at least 1, not 0"):
        width_for_parameters(group_net, 0)
