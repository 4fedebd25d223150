"""The energy (squared norm) that the best rank-1 approximation of a matrix or a tensor explains."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

ITERATIONS = 1000  # upper limit of the alternating optimisation; random kernels need about 30


def rank_one_energy(matrices: Tensor) -> Tensor:
    """Return the energy of the best rank-1 approximation, the largest squared singular value, (..., m, n) → (...).

    >>> rank_one_energy(torch.diag(torch.tensor([3.0, 2.0])))
    tensor(9.)
    """
    if matrices.shape[-2] > matrices.shape[-1]:
        matrices = matrices.mT
    return torch.linalg.eigvalsh(matrices @ matrices.mT)[..., -1]


def rank_one_tensor_energy(tensors: Tensor, iterations: int = ITERATIONS, tolerance: float = 1e-7) -> Tensor:
    """Return the energy of the best a ⊗ b ⊗ c that alternating optimisation finds, (n, p, q, r) → (n,).

    The optimisation starts from the HOSVD. The energy is a lower bound: to find the best rank-1 tensor is NP-hard.

    Args:
        iterations: upper limit of the iterations.
        tolerance: the optimisation stops when an iteration raises the summed energy by less than this fraction.
    """
    unfoldings = (tensors.movedim(mode, 1).flatten(2) for mode in (2, 3))
    b, c = (torch.linalg.eigh(m @ m.mT).eigenvectors[..., -1] for m in unfoldings)
    energy = tensors.new_zeros(len(tensors))
    for _ in range(iterations):
        over_c = torch.einsum("npqr,nr->npq", tensors, c)
        a = _unit(torch.einsum("npq,nq->np", over_c, b))
        b = _unit(torch.einsum("npq,np->nq", over_c, a))
        c = torch.einsum("npqr,np,nq->nr", tensors, a, b)
        before, energy = energy, c.square().sum(-1)  # the energy never falls
        if (energy - before).sum() <= tolerance * energy.sum():
            break
        c = _unit(c)
    return energy


def _unit(vectors: Tensor) -> Tensor:
    return normalize(vectors, dim=-1, eps=1e-300)
