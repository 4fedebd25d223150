"""The Fourier transform over a finite group H, in which a convolution over H multiplies small blocks.

A convolution over H alone, y_o(h) = Σ_i Σ_h' f_i(h') k_oi(h⁻¹h'), commutes with the action of H. Maps on H are
therefore expanded in matrix elements ρ_bc(h) of the real irreducible representations ρ of H (Serre, Linear
Representations of Finite Groups, 1977, part I). In this basis the convolution multiplies each irreducible part by the
block

    k̂_oi(ρ)_bc = Σ_u k_oi(u) ρ_bc(u),

of 1 × 1 or 2 × 2 numbers for every pair of channels, instead of |H| × |H|: for |H| = 8 rotations, 14
multiply–accumulates instead of 64. The transforms take 2·|H|² for every channel.
"""

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from gcnn_impl.groups import Group

# One representation: its matrices, shape (|H|, d, d), and the number of times that maps on H contain it.
Representation = tuple[Tensor, int]


@dataclass(frozen=True, eq=False)
class Irreps:
    """The irreducible parts of the maps on a finite group.

    Args:
        basis: orthonormal; component r of the value at element h is basis[r, h]; shape (|H|, |H|), float64.
        elements: the matrix elements ρ_bc(u), one (b, c) per row: those of the representations of size 1, then four
            (in the order cb: 00, 01, 10, 11) of each of size 2; shape (n, |H|), float64.
        weights: factor of each matrix element in the inverse transform of a kernel, shape (n,), float64.
        lines: the number of representations of size 1.
        blocks: first component, size, and first row of ``elements``, for every irreducible part.
        relative: the number of the element h⁻¹h', shape (|H|, |H|).
    """

    basis: Tensor
    elements: Tensor
    weights: Tensor
    lines: int
    blocks: tuple[tuple[int, int, int], ...]
    relative: Tensor

    @property
    def resolution(self) -> int:
        """|H|."""
        return len(self.basis)

    @property
    def values(self) -> int:
        """The number of values of a kernel's spectrum for each pair of channels."""
        return len(self.elements)

    @property
    def macs(self) -> int:
        """Multiply–accumulates of the blocks for each pair of channels; a dense product takes |H|²."""
        return sum(size * size for _, size, _ in self.blocks)

    def spectrum(self, kernel: Tensor) -> Tensor:
        """Return the blocks of a kernel, (|H|, C_i, C_o) → (values·C_i·C_o,); a block is (size·C_i, size·C_o)."""
        _, in_channels, out_channels = kernel.shape
        values = self.elements.to(kernel) @ kernel.flatten(1)  # (values, C_i·C_o)
        squares = values[self.lines :].view(-1, 2, 2, in_channels, out_channels).transpose(2, 3)
        return torch.cat([values[: self.lines].flatten(), squares.flatten()])

    def kernel(self, spectrum: Tensor, in_channels: int, out_channels: int) -> Tensor:
        """Return the kernel of a spectrum, (values·C_i·C_o,) → (C_o, |H|, C_i, |H|): the values k_oi(h⁻¹h')."""
        lines, squares = spectrum.split([self.lines * in_channels * out_channels, self._squares(spectrum)])
        squares = squares.view(-1, 2, in_channels, 2, out_channels).transpose(2, 3)
        values = torch.cat([lines.view(-1, in_channels, out_channels), squares.flatten(0, 2)])  # (values, C_i, C_o)
        kernel = torch.einsum("nu,nio->oiu", (self.elements * self.weights[:, None]).to(values), values)
        return kernel[:, :, self.relative.to(kernel.device)].transpose(1, 2)  # (C_o, |H|, C_i, |H|)

    def mix(self, x: Tensor, spectrum: Tensor, out_channels: int) -> Tensor:
        """Convolve over H, (B, C_i, |H|, H, W) and the spectrum of a kernel → (B, C_o, |H|, H, W)."""
        in_channels, basis = x.shape[1], self.basis.to(x)
        pairs, parts = in_channels * out_channels, torch.einsum("rh,bihyx->biryx", basis, x)
        mixed = []
        for first, size, place in self.blocks:
            block = spectrum[place * pairs : (place + size * size) * pairs].view(size, in_channels, size, out_channels)
            mixed.append(torch.einsum("ciro,bicyx->boryx", block, parts[:, :, first : first + size]))
        return torch.einsum("rh,boryx->bohyx", basis, torch.cat(mixed, dim=2))

    def _squares(self, spectrum: Tensor) -> int:
        """Return how many values of a spectrum belong to representations of size 2."""
        return len(spectrum) * (self.values - self.lines) // self.values


@functools.lru_cache(maxsize=64)
def irreps_of(group: Group) -> Irreps | None:
    """Return the irreducible parts of the maps on a discretised grid; None if the grid is no group or has no table."""
    representations = group.representations()
    if representations is None:
        return None
    order = group.resolution
    basis: list[Tensor] = []
    elements: list[Tensor] = []
    weights: list[Tensor] = []
    blocks: list[tuple[int, int, int]] = []
    for matrices, copies in sorted(representations, key=lambda each: each[0].shape[-1]):
        size = matrices.shape[-1]
        place = sum(len(rows) for rows in elements)
        for copy in range(copies):
            blocks.append((sum(len(rows) for rows in basis), size, place))
            basis.append(matrices[:, copy].T * (size / order) ** 0.5)  # (d, |H|): the components ρ_ab for one a
        elements.append(matrices.permute(2, 1, 0).flatten(0, 1))  # (c·b, |H|)
        weights.append(torch.full((size * size,), copies / order, dtype=torch.float64))
    lines = sum(matrices.shape[-1] == 1 for matrices, _ in representations)
    table = torch.cat(basis), torch.cat(elements), torch.cat(weights), lines, tuple(blocks)
    return Irreps(*table, _relative_numbers(group))


def _relative_numbers(group: Group) -> Tensor:
    """Return the number of h⁻¹h' in the grid for each pair of its elements, shape (|H|, |H|)."""
    elements = group.elements()
    wanted = group.matrix(group.relative(elements, elements)).flatten(2)  # (|H|, |H|, 4)
    return torch.cdist(wanted, group.matrix(elements).flatten(1).expand(len(elements), -1, -1)).argmin(-1)
