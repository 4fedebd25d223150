"""The network of a run, for images of any number of channels and classes."""

from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from benchmarks.cases.case import Case
from benchmarks.cases.training_run import TrainingRun
from benchmarks.workloads import networks


def network_case(run: TrainingRun, in_channels: int, num_classes: int) -> Case:
    """Return the case of a run's network for such images."""
    return replace(run.case(), in_channels=in_channels, num_classes=num_classes)


def kernel_options(run: TrainingRun) -> dict[str, Any]:
    """Return the options of a run's network that a case does not have."""
    return {"hidden_features": run.hidden_features, "sampled": run.sampled}


def build_network(run: TrainingRun, in_channels: int, num_classes: int, device: torch.device | str) -> nn.Module:
    """Build the network; torch's global generator draws its parameters on the CPU, the same for every device.

    Raises:
        InvalidModule: when a user's network cannot be built.
    """
    network = networks.build_network(network_case(run, in_channels, num_classes), **kernel_options(run)).to(device)
    for module in network.modules():
        if isinstance(module, _DropoutNd):
            module.p *= run.dropout
    return network.to(memory_format=torch.channels_last) if run.channels_last else network
