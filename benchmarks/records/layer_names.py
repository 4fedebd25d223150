"""What the names of a network's layers say in records."""

from collections.abc import Mapping
from typing import Any

LAST_KERNEL_SIZE = 3  # of the paper's ResNet
POINTWISE = {"resnet": ("blocks.1.skip",), "allcnnc": ("layers.7.conv", "last")}


def layer_kernel_size(layer: str, run: Mapping[Any, Any]) -> int:
    """Return the kernel size of a convolution of a run's network, by its name; that of the run where it is not ours.

    A kernel of size 1 has one value over the plane, so it is separable and gseparable by construction.

    >>> [layer_kernel_size(name, {"network": "resnet", "kernel_size": 5}) for name in ("blocks.1.skip", "last")]
    [1, 3]
    """
    network = run.get("network", "resnet")  # older runs have no other
    if layer in POINTWISE.get(network, ()):
        return 1
    return LAST_KERNEL_SIZE if (network, layer) == ("resnet", "last") else int(run["kernel_size"])
