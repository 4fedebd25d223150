"""The base class of the networks, their pooling, and the gains of their initialisation."""

from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

from gcnn_impl import functional
from gcnn_impl.checks import check_dtype, check_kind

# Initial gains 1/√E[f²] for the input of a convolution: a rectified standard normal has E[f²] = 1/2, the rectified
# maximum of four (a pooling window) about 1.55. Dropping channels with probability p multiplies E[f²] by 1/(1 − p).
RELU_GAIN = 2**0.5
POOLED_GAIN = 1.55**-0.5

ConfigT = TypeVar("ConfigT")


class Network(nn.Module, Generic[ConfigT]):
    """Base class of the networks, (B, C, H, W) → (B, num_classes); a subclass says which layers it has.

    The config says everything about a network but its weights; ``device`` and ``dtype`` are those of the parameters.

    Raises:
        ValueError: for anything but a config of this network, or a dtype that is not a floating-point one.
    """

    takes: ClassVar[type]  # the class of the network's configs

    def __init__(
        self, config: ConfigT, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> None:
        super().__init__()
        check_kind("config", config, self.takes, f"a {self.takes.__name__}")
        check_dtype(dtype)
        self.config = config
        self._add_layers(device=device, dtype=dtype)

    def _add_layers(self, **factory: Any) -> None:
        """Create the layers, with torch's ``device`` and ``dtype``."""
        raise NotImplementedError


def max_pool(x: Tensor) -> Tensor:
    """Take 2×2 spatial maxima of a map on the group or of an ordinary map, by the same operation."""
    return functional.spatial_max_pool(x) if x.dim() == 5 else functional.spatial_max_pool(x[:, :, None])[:, :, 0]
