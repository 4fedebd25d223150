"""The network of a run, for images of any number of channels and classes."""

import torch
from torch import nn

from benchmarks.cases.training_run import TrainingRun
from benchmarks.workloads.shapes import group_of
from gcnn_impl.models import NETWORK_CLASSES, AllCNNCConfig, GroupAllCNNCConfig, GroupResNetConfig, PlainResNetConfig

NetworkConfig = PlainResNetConfig | AllCNNCConfig | GroupResNetConfig | GroupAllCNNCConfig


def network_config(run: TrainingRun, in_channels: int, num_classes: int) -> NetworkConfig:
    """Return the config of a run's network."""
    group, wide = group_of(run.case()), 2 * run.channels
    plain, grouped, widths = {
        "resnet": (PlainResNetConfig, GroupResNetConfig, (run.channels, run.channels, wide)),
        "allcnnc": (AllCNNCConfig, GroupAllCNNCConfig, (run.channels, wide)),
    }[run.network]
    shape = in_channels, num_classes, widths, run.kernel_size
    options = {"variant": run.variant, "hidden_features": run.hidden_features, "sampled": run.sampled}
    config: NetworkConfig = plain(*shape) if group is None else grouped(*shape, group=group, **options)
    return config


def build_network(run: TrainingRun, in_channels: int, num_classes: int, device: torch.device | str) -> nn.Module:
    """Build the network; torch's global generator draws its parameters on the CPU, the same for every device."""
    config = network_config(run, in_channels, num_classes)
    network = NETWORK_CLASSES[type(config)](config).to(device)
    return network.to(memory_format=torch.channels_last) if run.channels_last else network
