"""The kernel sizes that names of layers stand for are those of the networks."""

import pytest

from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.layer_names import layer_kernel_size
from benchmarks.training.networks import build_network
from gcnn_impl.layers import GroupToGroupConv2d


@pytest.mark.parametrize("kernel_size", [5, 7])
@pytest.mark.parametrize("network", ["resnet", "allcnnc"])
def test_a_layer_has_the_kernel_size_that_its_name_says(network, kernel_size):
    run = TrainingRun(network=network, variant="full", kernel_size=kernel_size)
    modules = build_network(run, 1, 10, "cpu").named_modules()
    sizes = {name: layer.kernel_size for name, layer in modules if isinstance(layer, GroupToGroupConv2d)}
    assert {name: layer_kernel_size(name, run.fields()) for name in sizes} == sizes
    assert 1 in sizes.values()


def test_layers_of_other_networks_have_the_kernel_size_of_the_run():
    assert layer_kernel_size("last", {"network": "mine:factory", "kernel_size": 7}) == 7
