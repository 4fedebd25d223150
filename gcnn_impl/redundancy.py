"""How separable the kernels of a layer are: the energy that the best separable approximation of each variant explains.

A variant restricts the kernel k_oi(x, h) to products. Seen at one output element of H, the best such product is a best
rank-1 approximation of an unfolding, and the energy (squared norm) it explains is a number in (0, 1], 1 for a kernel of
the variant itself (Knigge et al. 2022 motivate their separable kernels by such an analysis):

================  ==============================  ===========================================================
``separable``     k^H_oi(h) · k^{R²}_o(x)         for each o, the matrix (i, h) × x
``gseparable``    k^H_oi(h) · k^{R²}_oi(x)        for each (o, i), the matrix h × x
``dseparable``    w_oi · k_o(x, h)                for each o, the matrix i × (h, x)
``dgseparable``   w_oi · k^H_o(h) · k^{R²}_o(x)   for each o, the tensor i × h × x
``separable2d``   k^Θ_oi(θ) · k^S_o(s) · k_o(x)   for each o, the tensor (i, θ) × s × x; on Sim(2) alone
================  ==============================  ===========================================================

Kernels are taken as a forward uses them: quadrature weights, windows and |det h|⁻¹ included, taps outside the disc left
out. Every output element sees the kernel at taps of its own (in its own frame h⁻¹x and relative to its own h⁻¹h'), so
each is approximated by itself and the energies are summed over all of them. A best rank-1 tensor has no closed form:
for the last two the energy is what alternating optimisation finds, a lower bound.
"""

import torch
from torch import Tensor, nn

from gcnn_impl import functional
from gcnn_impl.groups import SO2xRPlus
from gcnn_impl.kernels import disc_taps
from gcnn_impl.layers import (
    DepthwiseGroupSeparableConv2d,
    DepthwiseSeparableConv2d,
    FullySeparableConv2d,
    GroupToGroupConv2d,
    SeparableGroupConv2d,
)

ITERATIONS = 1000  # at most, of the alternating optimisation; random kernels take about 30


def composed_kernel(layer: GroupToGroupConv2d) -> Tensor:
    """The kernel k_oi(x, h) that the layer convolves with, shape (C_o, |H_out|, C_i, |H_in|, k, k)."""
    kernels = layer.generate()
    if isinstance(layer, SeparableGroupConv2d):
        return functional.compose_kernels(*kernels)
    if isinstance(layer, DepthwiseSeparableConv2d):
        return layer.channel_weight[:, None, :, None, None, None] * kernels[0]
    if isinstance(layer, DepthwiseGroupSeparableConv2d):
        over_group = layer.channel_weight[:, None, :, None] * kernels[0]  # (C_o, |H_out|, C_i, |H_in|)
        return functional.compose_kernels(over_group, kernels[1])
    if isinstance(layer, FullySeparableConv2d):
        rotation, scale, spatial = kernels
        over_group = torch.einsum("oaib,oscd->oasibd", rotation, scale)
        return functional.compose_kernels(over_group.flatten(4, 5).flatten(1, 2), spatial)
    return kernels[0]


def rank_one_energy(matrices: Tensor) -> Tensor:
    """Energy of the best rank-1 approximation, the largest squared singular value; (..., m, n) → (...)."""
    if matrices.shape[-2] > matrices.shape[-1]:
        matrices = matrices.mT
    return torch.linalg.eigvalsh(matrices @ matrices.mT)[..., -1]


def rank_one_tensor_energy(tensors: Tensor, iterations: int = ITERATIONS, tolerance: float = 1e-7) -> Tensor:
    """Energy of the best a ⊗ b ⊗ c that alternating optimisation finds from the HOSVD; (n, p, q, r) → (n,).

    A lower bound: the best rank-1 approximation of a tensor is NP-hard. Stops when an iteration adds less than
    ``tolerance`` of the sum.
    """
    _, b, c = (_leading_vector(tensors.movedim(mode, 1).flatten(2)) for mode in (1, 2, 3))
    energy = tensors.new_zeros(len(tensors))
    for _ in range(iterations):
        over_c = torch.einsum("npqr,nr->npq", tensors, c)
        a = _unit(torch.einsum("npq,nq->np", over_c, b))
        b = _unit(torch.einsum("npq,np->nq", over_c, a))
        c = torch.einsum("npqr,np,nq->nr", tensors, a, b)
        before, energy = energy, c.square().sum(-1)  # never falls
        if (energy - before).sum() <= tolerance * energy.sum():
            break
        c = _unit(c)
    return energy


def _leading_vector(matrices: Tensor) -> Tensor:
    return torch.linalg.eigh(matrices @ matrices.mT).eigenvectors[..., -1]


def _unit(vectors: Tensor) -> Tensor:
    return nn.functional.normalize(vectors, dim=-1, eps=1e-300)


@torch.no_grad()
def redundancy(layer: GroupToGroupConv2d) -> dict[str, float]:
    """Fraction of the energy of a layer's kernel that each variant can explain, 1 when the kernel is of that variant.

    >>> from gcnn_impl import GroupConv2d, SO2
    >>> list(redundancy(GroupConv2d(2, 3, 5, SO2(4))))
    ['separable', 'gseparable', 'dseparable', 'dgseparable']
    """
    kernel = composed_kernel(layer).double().flatten(4)  # (C_o, |H_out|, C_i, |H_in|, k·k)
    if layer.group.rotates:
        kernel = kernel[..., disc_taps(layer.kernel_size).to(kernel.device)]
    kernel = kernel.flatten(0, 1)  # (n, i, h, x): one n for each output channel and element
    energies = {
        "separable": rank_one_energy(kernel.flatten(1, 2)),
        "gseparable": rank_one_energy(kernel),
        "dseparable": rank_one_energy(kernel.flatten(2)),
        "dgseparable": rank_one_tensor_energy(kernel),
    }
    if isinstance(layer.group, SO2xRPlus):
        product = kernel.unflatten(2, (layer.group.rotations, layer.group.scales)).flatten(1, 2)  # (n, i·θ, s, x)
        energies["separable2d"] = rank_one_tensor_energy(product)
    total = kernel.square().sum()
    return {variant: float(energy.sum() / total) for variant, energy in energies.items()}


def network_redundancy(network: nn.Module) -> dict[str, dict[str, float]]:
    """``redundancy`` of every group-to-group convolution of a network, by the name of the layer."""
    layers = network.named_modules()
    return {name: redundancy(layer) for name, layer in layers if isinstance(layer, GroupToGroupConv2d)}
