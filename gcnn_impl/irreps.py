"""The Fourier transform over a finite group H, in which a convolution over H multiplies small blocks.

A convolution over H alone, y_o(h) = Σ_i Σ_h' f_i(h') k_oi(h⁻¹h'), commutes with the action of H. Maps on H are
therefore expanded in matrix elements ρ_bc(h) of the real irreducible representations ρ of H (Serre, Linear
Representations of Finite Groups, 1977, part I). In this basis the convolution multiplies each irreducible part by the
block

    k̂_oi(ρ)_bc = Σ_u k_oi(u) ρ_bc(u),

of 1 × 1 or 2 × 2 numbers for every pair of channels, instead of |H| × |H|: for |H| = 8 rotations, 14
multiply–accumulates instead of 64. The transforms take 2·|H|² for every channel.

On rotations and scales, H = K × S, only the rotations K are transformed: a map on H with C channels is a map on K with
S·C channels, and so is a kernel.
"""

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from gcnn_impl.groups import O2, SO2, Group, SO2xRPlus

# The transform is faster than a dense product from this many elements of K and from this many maps |H|·C on: measured
# on two cores of an AMD EPYC (docs/performance.md).
FEWEST_ELEMENTS, FEWEST_MAPS = 4, 128


@dataclass(frozen=True, eq=False)
class Irreps:
    """The irreducible parts of the maps on a finite group K, for grids of |K| elements and S scales of each.

    Args:
        basis: orthonormal; component r of the value at element h is basis[r, h]; shape (|K|, |K|), float64.
        elements: the matrix elements ρ_bc(u), one (b, c) per row: those of the representations of size 1, then four
            (in the order cb: 00, 01, 10, 11) of each of size 2; shape (n, |K|), float64.
        weights: factor of each matrix element in the inverse transform of a kernel, shape (n,), float64.
        lines: the number of representations of size 1.
        blocks: first component, size, and first row of ``elements``, for every irreducible part.
        relative: the number of the element h⁻¹h', shape (|K|, |K|).
        scales: S; 1 where the grid has no scales.
        tables: the basis and its transpose in float32, and the blocks, as the operator in C reads them.
    """

    basis: Tensor
    elements: Tensor
    weights: Tensor
    lines: int
    blocks: tuple[tuple[int, int, int], ...]
    relative: Tensor
    scales: int
    tables: tuple[Tensor, Tensor, Tensor]

    @property
    def order(self) -> int:
        """|K|."""
        return len(self.basis)

    @property
    def resolution(self) -> int:
        """|H| = |K|·S."""
        return self.order * self.scales

    @property
    def values(self) -> int:
        """The number of values of a kernel's spectrum for each pair of channels of a map on H."""
        return len(self.elements) * self.scales**2

    def spectrum(self, kernel: Tensor) -> Tensor:
        """Return the blocks of a kernel, shape (n·S·C_i·S·C_o,); a block is (size·S·C_i, size·S·C_o).

        Args:
            kernel: its values at the output elements of all scales at the identity of K, shape (S, |H|, C_o, C_i).
        """
        values = kernel.unflatten(1, (self.order, self.scales)).permute(1, 2, 4, 0, 3)  # (|K|, S, C_i, S, C_o)
        values = values.flatten(3).flatten(1, 2)  # (|K|, S·C_i, S·C_o)
        spectrum = torch.einsum("nu,uio->nio", self.elements.to(values), values)
        squares = spectrum[self.lines :].unflatten(0, (-1, 2, 2)).transpose(2, 3)
        return torch.cat([spectrum[: self.lines].flatten(), squares.flatten()])

    def kernel(self, spectrum: Tensor, in_channels: int, out_channels: int) -> Tensor:
        """Return the kernel of a spectrum, shape (C_o, |H|, C_i, |H|): the values k_oi(h⁻¹h')."""
        wide_in, wide_out = self.scales * in_channels, self.scales * out_channels
        lines, squares = spectrum.view(len(self.elements), -1).tensor_split([self.lines])
        squares = squares.reshape(-1, 2, wide_in, 2, wide_out).transpose(2, 3)
        values = torch.cat([lines.view(-1, wide_in, wide_out), squares.flatten(0, 2)])  # (n, S·C_i, S·C_o)
        kernel = torch.einsum("nu,nio->oiu", (self.elements * self.weights[:, None]).to(values), values)
        kernel = kernel[:, :, self.relative.to(kernel.device)]  # (S·C_o, S·C_i, |K|, |K|)
        kernel = kernel.unflatten(1, (self.scales, in_channels)).unflatten(0, (self.scales, out_channels))
        return kernel.permute(1, 4, 0, 3, 5, 2).flatten(4).flatten(1, 2)  # (C_o, |K|·S, C_i, |K|·S)


def irreps_that_pay(group: Group, in_channels: int, out_channels: int) -> Irreps | None:
    """Return the irreducible parts if convolving over H by them should be faster than a dense product; else None."""
    if type(group) not in (SO2, O2, SO2xRPlus):  # a subclass may place its elements differently
        return None
    irreps, pairs = irreps_of(group), group.resolution**2 * in_channels * out_channels  # of maps
    return irreps if irreps is not None and irreps.order >= FEWEST_ELEMENTS and pairs >= FEWEST_MAPS**2 else None


@functools.lru_cache(maxsize=64)
def irreps_of(group: Group) -> Irreps | None:
    """Return the irreducible parts of the maps on a discretised grid; None if no part of the grid has a table."""
    finite, scales = (group.rotation, group.scales) if isinstance(group, SO2xRPlus) else (group, 1)
    representations = finite.representations()
    if representations is None:
        return None
    order = finite.resolution
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
    whole = torch.cat(basis)
    tables = whole.float(), whole.t().float().contiguous(), torch.tensor(blocks, dtype=torch.int64)
    found = whole, torch.cat(elements), torch.cat(weights), lines, tuple(blocks)
    return Irreps(*found, _relative_numbers(finite), scales, tables)


def _relative_numbers(group: Group) -> Tensor:
    """Return the number of h⁻¹h' in the grid for each pair of its elements, shape (|H|, |H|)."""
    elements = group.elements()
    wanted = group.matrix(group.relative(elements, elements)).flatten(2)  # (|H|, |H|, 4)
    return torch.cdist(wanted, group.matrix(elements).flatten(1).expand(len(elements), -1, -1)).argmin(-1)
