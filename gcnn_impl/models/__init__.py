"""The networks that are compared: group ResNet and All-CNN-C with their plain twins, as configs and thin modules.

A config says everything about a network (``configs``), ``build`` makes the network, and ``sizes`` finds networks of
equal cost. The layers live in ``layers``; training and data sets live outside of ``gcnn_impl``.
"""

from gcnn_impl.layers import CONVOLUTIONS
from gcnn_impl.models.allcnnc import AllCNNC, GroupAllCNNC
from gcnn_impl.models.base import POOLED_GAIN, RELU_GAIN, Network
from gcnn_impl.models.configs import (
    AllCNNCConfig,
    GroupAllCNNCConfig,
    GroupOptions,
    GroupResNetConfig,
    PlainResNetConfig,
)
from gcnn_impl.models.resnet import Classifier, GroupResNet, PlainResNet
from gcnn_impl.models.sizes import (
    NETWORKS,
    Config,
    build,
    count_macs,
    count_parameters,
    width_for_macs,
    width_for_parameters,
)

__all__ = [
    "CONVOLUTIONS",
    "NETWORKS",
    "POOLED_GAIN",
    "RELU_GAIN",
    "AllCNNC",
    "AllCNNCConfig",
    "Classifier",
    "Config",
    "GroupAllCNNC",
    "GroupAllCNNCConfig",
    "GroupOptions",
    "GroupResNet",
    "GroupResNetConfig",
    "Network",
    "PlainResNet",
    "PlainResNetConfig",
    "build",
    "count_macs",
    "count_parameters",
    "width_for_macs",
    "width_for_parameters",
]
