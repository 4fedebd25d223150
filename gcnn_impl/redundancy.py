"""How separable the kernels of a layer are: the energy that the best separable approximation of each variant explains.

A variant restricts the kernel k_oi(x, h) to products. At one output element of H, the best product is the best rank-1
approximation of an unfolding; for ``separable`` and each o, this is the matrix with rows (i, h) and columns x. The best
product explains a fraction in (0, 1] of the energy (squared norm), which is 1 for a kernel of the variant itself. Each
variant has its own ``explained_energy``. Knigge et al. 2022 motivate their separable kernels by such an analysis.

Kernels are those of a forward pass: with quadrature weights, windows and |det h|⁻¹, without the taps outside the disc.
Every output element h takes the kernel at its own arguments, h⁻¹x and h⁻¹h'. The approximation is therefore made for
each output element separately, and the energies are summed over the output elements. The best rank-1 tensor has no
closed form: for variants of three factors, alternating optimisation finds a lower bound of the energy (``low_rank``).
"""

import torch
from torch import Tensor, nn

from gcnn_impl.checks import check_kind
from gcnn_impl.kernels import disc_taps
from gcnn_impl.layers import CONVOLUTIONS, GroupToGroupConv2d
from gcnn_impl.low_rank import ITERATIONS as ITERATIONS
from gcnn_impl.low_rank import rank_one_energy as rank_one_energy
from gcnn_impl.low_rank import rank_one_tensor_energy as rank_one_tensor_energy


def composed_kernel(layer: GroupToGroupConv2d) -> Tensor:
    """Return the kernel k_oi(x, h) with which the layer convolves, shape (C_o, |H_out|, C_i, |H_in|, k, k)."""
    return layer.composed_kernel()


@torch.no_grad()
def redundancy(layer: GroupToGroupConv2d) -> dict[str, float]:
    """Return, for each variant, the fraction of the energy of a layer's kernel that the variant can explain.

    Raises:
        ValueError: for a module of another class.

    >>> from gcnn_impl import GroupConv2d, SO2
    >>> list(redundancy(GroupConv2d(2, 3, 5, SO2(4))))
    ['separable', 'gseparable', 'dseparable', 'dgseparable']
    """
    if not isinstance(layer, GroupToGroupConv2d):
        raise ValueError(f"layer must be a GroupToGroupConv2d such as GroupConv2d, not {type(layer).__name__}")
    kernel = layer.composed_kernel().double().flatten(4)  # (C_o, |H_out|, C_i, |H_in|, k·k)
    if layer.group.rotates:
        kernel = kernel[..., disc_taps(layer.kernel_size).to(kernel.device)]
    kernel = kernel.flatten(0, 1)  # (n, i, h, x): one n for each output channel and element
    total = kernel.square().sum()
    energies = {name: variant.explained_energy(kernel, layer.group) for name, variant in CONVOLUTIONS.items()}
    return {name: float(energy.sum() / total) for name, energy in energies.items() if energy is not None}


def network_redundancy(network: nn.Module) -> dict[str, dict[str, float]]:
    """Return the ``redundancy`` of every group-to-group convolution of a network, by the name of the layer."""
    check_kind("network", network, nn.Module, "an nn.Module")
    layers = network.named_modules()
    return {name: redundancy(layer) for name, layer in layers if isinstance(layer, GroupToGroupConv2d)}
