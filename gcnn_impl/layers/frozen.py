"""Freezing the kernels and norms of a network, for inference at the least latency and in CUDA graphs."""

from typing import TypeVar

from torch import nn

from gcnn_impl.checks import check_kind
from gcnn_impl.layers.base import Convolution
from gcnn_impl.layers.norm import GroupBatchNorm2d

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def freeze(module: ModuleT) -> ModuleT:
    """Keep the present kernels and norms of all layers in a module for inference, whatever happens to the parameters.

    A frozen layer uses them without any check where no gradients are recorded, on the discretised grids: in a CUDA
    graph too. The batch norms of maps on the group keep their statistics and parameters. ``train()``,
    ``load_state_dict``, a change of device or dtype, and ``unfreeze`` end this, and copies of a frozen layer are not
    frozen. Gradients and explicit grids generate kernels as ever. Code that ``torch.compile`` compiles and programs
    that ``torch.export`` exports contain frozen kernels; those of layers that are not frozen they generate in every
    pass.

    Returns:
        The module itself, in eval mode.

    >>> import torch
    >>> from gcnn_impl import SO2, LiftingConv2d
    >>> layer = freeze(LiftingConv2d(1, 4, 5, SO2(4)))
    >>> with torch.no_grad():
    ...     layer(torch.zeros(1, 1, 9, 9)).shape
    torch.Size([1, 4, 4, 5, 5])
    """
    check_kind("module", module, nn.Module, "an nn.Module")
    module.eval()
    for layer in module.modules():
        if isinstance(layer, Convolution | GroupBatchNorm2d):
            layer.freeze()
    return module


def unfreeze(module: ModuleT) -> ModuleT:
    """Undo ``freeze``: let all layers in a module follow their parameters again; return the module itself."""
    check_kind("module", module, nn.Module, "an nn.Module")
    for layer in module.modules():
        if isinstance(layer, Convolution | GroupBatchNorm2d):
            layer.unfreeze()
    return module
