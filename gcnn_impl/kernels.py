"""Kernels on sampled group elements: the points where they are evaluated, their weights, and the nets.

A kernel is a function on the plane, on H, or on both (Knigge et al. 2022, equations 4 to 9):

    k(h⁻¹(x' − x)),   k(h⁻¹h'),   k(h⁻¹(x' − x), h⁻¹h')

so its arguments are h⁻¹u for the taps u of the kernel grid and h⁻¹h' for pairs of output and input elements h, h'.
On a discretised grid many of those arguments coincide: a cyclic group has only |H| relative elements, and a quarter
turn permutes the taps. ``distinct_points`` finds the distinct arguments for any group, and the net is evaluated once
for each of them. Equal arguments therefore give bitwise equal values, which makes quarter turns exact.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from gcnn_impl import native
from gcnn_impl.checks import check_integer, check_odd
from gcnn_impl.gpu import siren as gpu_siren
from gcnn_impl.groups import Group
from gcnn_impl.kernel_nets import SIREN, siren_at_places
from gcnn_impl.native import operators
from gcnn_impl.watching import runs_forward_alone

# Correlation E[f f'] / E[f²] that the initialisation assumes between the features at two places of a kernel. Rectified
# features have a positive mean (0.32 for Gaussians) and images are smooth.
FEATURE_CORRELATION = 0.4
# Number of a kernel's C_o·C_i channel pairs from which the initialisation estimates the variance.
CHANNEL_PAIRS = 1024
# Coordinates that agree to this many decimals are the same point (float64 rounding stays below 1e-14).
POINT_DECIMALS = 9


class KernelPoints:
    """The distinct points at which a kernel is evaluated, and the point that each place of the kernel takes.

    A place is an output element with an input element, a tap or both: the kernel has one value there per channel pair.

    Attributes:
        coordinates: points given to the kernel net, shape (N, d).
        weights: quadrature weight × window × |det h|⁻¹ of each point, shape (N,).
        index: the number of each place's point, or N where the kernel is zero; shape (|H_out|, [|H_in|,] [k·k]).
        common_weight: the weight that all points share, as in every group without dilations; None if weights differ.
        has_zeros: whether some place of the kernel is zero.
    """

    def __init__(self, coordinates: Tensor, weights: Tensor, index: Tensor) -> None:
        self.coordinates, self.weights, self.index = coordinates, weights, index
        # No cached properties: on Python 3.11, torch.compile cannot enter their lock.
        self.common_weight = weights[0].item() if bool((weights == weights[0]).all()) else None
        self.has_zeros = bool((index == len(weights)).any())

    def counts(self) -> Tensor:
        """Count how often the kernel of each output element takes each point, shape (|H_out|, N)."""
        index = self.index.flatten(1)
        counts = torch.zeros(len(index), len(self.weights) + 1, dtype=self.weights.dtype)
        return counts.scatter_add_(1, index, torch.ones_like(index, dtype=counts.dtype))[:, :-1]


def disc_taps(kernel_size: int) -> Tensor:
    """Return whether each tap of a k × k grid lies in the disc i² + j² ≤ r², shape (k·k,).

    The comparison uses integers: in floats, rounding would decide about the taps at exactly the radius.

    >>> disc_taps(3).view(3, 3).int()
    tensor([[0, 1, 0],
            [1, 1, 1],
            [0, 1, 0]], dtype=torch.int32)
    """
    r = (check_odd("kernel_size", kernel_size) - 1) // 2
    i = torch.arange(-r, r + 1)
    return ((i[:, None] ** 2 + i[None, :] ** 2) <= r * r).flatten()


def disc_tip_taps(kernel_size: int) -> Tensor:
    """Return the indices of the taps that can lie in the disc: the inner (k − 2)² square, then the four tips.

    The tips, in the order top, bottom, left, right, are the only taps of the disc in the outermost rows and columns.
    """
    k, r = kernel_size, kernel_size // 2
    grid = torch.arange(k * k).reshape(k, k)
    tips = torch.stack([grid[0, r], grid[-1, r], grid[r, 0], grid[r, -1]])
    return torch.cat([grid[1:-1, 1:-1].flatten(), tips])


def tap_positions(kernel_size: int) -> Tensor:
    """Return the positions (x, y) of the taps, y pointing up, in [-1, 1]; shape (k·k, 2). A single tap sits at 0."""
    r = (kernel_size - 1) // 2
    i = torch.arange(-r, r + 1, dtype=torch.float64) / max(r, 1)
    y, x = torch.meshgrid(-i, i, indexing="ij")
    return torch.stack([x, y], dim=-1).reshape(-1, 2)


def _spatial(group: Group, out_elements: Tensor, kernel_size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return h⁻¹u, its weight and whether the tap is kept, for every output element and tap: (|H_out|, k·k, …)."""
    inverse = group.matrix(group.inverse(out_elements))
    points = torch.einsum("hab,tb->hta", inverse, tap_positions(kernel_size) * group.extent)  # (|H_out|, k·k, 2)
    weights = group.spatial_window(points) / group.determinant(out_elements)[:, None]
    keep = disc_taps(kernel_size) if group.rotates else torch.ones(kernel_size**2, dtype=torch.bool)
    return points, weights, keep.expand(len(points), -1)


def _relative(group: Group, out_elements: Tensor, in_elements: Tensor) -> tuple[Tensor, Tensor]:
    """Return coordinates and weight of h⁻¹h' for every pair: (|H_out|, |H_in|, dim) and (|H_out|, |H_in|)."""
    relative = group.relative(out_elements, in_elements)
    # These are the weights of the *input* grid. Sampled grids are equispaced: their length determines the weights.
    haar = group.haar_weights().sum() / len(in_elements)
    return group.coordinates(relative), group.group_window(relative) * haar


def distinct_points(coordinates: Tensor, weights: Tensor, keep: Tensor) -> KernelPoints:
    """Return the distinct points of a kernel's places; the kernel is zero at the places where ``keep`` is false."""
    rows = torch.cat([coordinates, weights[..., None]], dim=-1)[keep].numpy()
    key = np.round(rows, POINT_DECIMALS) + 0.0  # no negative zero
    _, first, inverse = np.unique(key, axis=0, return_index=True, return_inverse=True)
    index = torch.full(keep.shape, len(first), dtype=torch.long)
    index[keep] = torch.from_numpy(inverse.reshape(-1))
    distinct = torch.from_numpy(rows[first])
    return KernelPoints(distinct[:, :-1], distinct[:, -1], index)


def spatial_points(group: Group, kernel_size: int, out_elements: Tensor) -> KernelPoints:
    """Return the distinct arguments of a kernel over the plane, k(h⁻¹u), for h (|H_out|, dim); index (|H_out|, k·k)."""
    return distinct_points(*_spatial(group, out_elements, kernel_size))


def group_points(group: Group, out_elements: Tensor, in_elements: Tensor) -> KernelPoints:
    """Return the distinct arguments of a kernel over H, k(h⁻¹h'), for h (|H_out|, dim) and h' (|H_in|, dim).

    >>> from gcnn_impl import SO2
    >>> len(group_points(SO2(8), SO2(8).elements(), SO2(8).elements()).weights)  # 64 pairs, 8 distinct arguments
    8
    """
    coordinates, weights = _relative(group, out_elements, in_elements)
    return distinct_points(coordinates, weights, torch.ones_like(weights, dtype=torch.bool))


def joint_points(group: Group, kernel_size: int, out_elements: Tensor, in_elements: Tensor) -> KernelPoints:
    """Return the distinct arguments of a kernel over R² ⋊ H, k(h⁻¹u, h⁻¹h'), for h (|H_out|, dim), h' (|H_in|, dim)."""
    points, spatial_weights, keep = _spatial(group, out_elements, kernel_size)
    relative, group_weights = _relative(group, out_elements, in_elements)
    shape = (*group_weights.shape, kernel_size**2)
    pairs = relative[:, :, None].expand(*shape, -1), points[:, None].expand(*shape, -1)
    coordinates = torch.cat(pairs, dim=-1)  # (|H_out|, |H_in|, k·k, dim + 2)
    weights = group_weights[:, :, None] * spatial_weights[:, None]
    return distinct_points(coordinates, weights, keep[:, None].expand(shape))


class ContinuousKernel(nn.Module):
    """A SIREN evaluated on ``KernelPoints``: one factor of a kernel.

    For every group, variant and resolution, the output at initialisation has the variance gain², if the input has
    E[f²] = 1 and the correlation ρ (``FEATURE_CORRELATION``). That is, the mean over channels and output elements of
    C_i · ((1 − ρ) Σ_t k(t)² + ρ (Σ_t k(t))²) is gain²; t runs over all places of one output element.

    Args:
        locate: function from sampled grids of group elements to ``KernelPoints``.
        grids: the discretised grids, given to ``locate``.
        out_channels, in_channels: channels of the factor; a depthwise factor has ``in_channels=1``.
        fan_in_channels: number of channels C_i in the variance above; by default ``in_channels``. It is 1 where another
            factor of the same kernel already counts the channels.
        gain: standard deviation of the output at initialisation for such an input.
        net: other arguments of the ``SIREN``: ``hidden_features``, ``omega``, ``device``, ``dtype``.
    """

    coordinates: Tensor
    weights: Tensor
    index: Tensor

    def __init__(
        self,
        locate: Callable[..., KernelPoints],
        grids: tuple[Tensor, ...],
        out_channels: int,
        in_channels: int,
        *,
        fan_in_channels: int | None = None,
        gain: float = 1.0,
        **net: Any,
    ) -> None:
        super().__init__()
        self.out_channels = out_channels = check_integer("out_channels", out_channels, 1)
        self.in_channels = in_channels = check_integer("in_channels", in_channels, 1)
        self._fan_in_channels = in_channels if fan_in_channels is None else fan_in_channels
        self._gain = gain
        self._locate, self._points = locate, locate(*grids)
        self.net = SIREN(self._points.coordinates.shape[-1], out_channels * in_channels, **net)
        for name in ("coordinates", "weights", "index"):
            self.register_buffer(name, None, persistent=False)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw the parameters anew, and rebuild the buffers (which ``to_empty`` leaves uninitialised)."""
        self._place_points()
        self.net.reset_parameters()
        counts = self._points.counts().to(self.coordinates)
        # All pairs are alike, and generating all of them takes seconds.
        some = self.net.weight_last[:CHANNEL_PAIRS].to(self.coordinates)
        values = self.net.features(self.coordinates) @ some.t() * self.weights[:, None]  # (N, pairs)
        energy = (counts @ values.square()).mean()  # Σ_t k(t)²
        total = (counts @ values).square().mean()  # (Σ_t k(t))²
        variance = self._fan_in_channels * torch.lerp(energy, total, FEATURE_CORRELATION)
        self.net.weight_last.mul_(self._gain / variance.sqrt())

    def _place_points(self) -> None:
        """Convert the points from float64 to the device and the dtype of the parameters, at least float32."""
        device, dtype = self.net.bias_last.device, torch.promote_types(self.net.bias_last.dtype, torch.float32)
        self.coordinates = self._points.coordinates.to(device, dtype)
        self.weights = self._points.weights.to(device, dtype)
        self.index = self._points.index.to(device)

    def _apply(self, *args: Any, **kwargs: Any) -> Self:
        super()._apply(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._place_points()  # from float64 again: ``double()`` after ``float()`` would keep the rounded points
        return self

    def forward(
        self, *grids: Tensor, taps: Tensor | None = None, first: int | None = None, by_operator: bool = False
    ) -> Tensor:
        """Return the kernel values, shape (*index, C_o, C_i), on the discretised grids or on the given ones.

        They have the dtype of the parameters. Parameters in half precision are converted to float32 before the values
        are computed, because half precision is too coarse for sines.

        Args:
            grids: grids of group elements for ``locate``; by default the discretised ones.
            taps: the wanted taps in the wanted order, indices into the last axis of the index; by default all taps.
            first: how many output elements are wanted, the first ones of the grid; by default all.
            by_operator: whether an operator of ``gpu`` or ``native`` may be used. Their values lie in memory as
                (|H_out|, C_o, [k·k,] [|H_in|,] C_i), the layout that the convolutions need.
        """
        points = self._points
        coordinates, weights, index = self.coordinates, self.weights, self.index
        if grids:
            points = self._locate(*(grid.detach().to("cpu", torch.float64) for grid in grids))
            coordinates, weights = points.coordinates.to(coordinates), points.weights.to(weights)
            index = points.index.to(index.device)
        index = index[:first]
        if by_operator and self.is_plain():
            values = self._by_operator(coordinates, weights, index, taps)
            if values is not None:
                return values.to(self.net.bias_last.dtype)
        if taps is not None:
            index = index.index_select(-1, taps)
        if points.common_weight is None:
            values = self.net(coordinates) * weights[:, None]  # (N, C_o·C_i)
        else:
            values = self.net(coordinates, points.common_weight)
        if points.has_zeros:
            values = pad(values, (0, 0, 0, 1))  # index N is a tap that is zero
        values = values.index_select(0, index.flatten())
        return values.view(*index.shape, self.out_channels, self.in_channels).to(self.net.bias_last.dtype)

    def is_plain(self) -> bool:
        """Return whether the values depend on the net's own parameters alone: it has no hooks and no other class."""
        return type(self.net) is SIREN and runs_forward_alone(self.net)

    def _by_operator(self, coordinates: Tensor, weights: Tensor, index: Tensor, taps: Tensor | None) -> Tensor | None:
        """Return the values of an operator in Triton or in C, or None where neither takes these tensors."""
        omega, channels, parameters = self.net.omega, self.out_channels, self.net.tensors()
        if gpu_siren.takes(coordinates, weights, parameters):
            values = gpu_siren.siren(coordinates, weights, index, taps, omega, channels, parameters)
        elif native.takes(coordinates, weights, *parameters):
            chosen = index if taps is None else index.index_select(-1, taps)
            places = (chosen.mT if chosen.dim() == 3 else chosen).flatten(1).contiguous()  # (|H_out|, T)
            reference = partial(siren_at_places, coordinates, weights, index, taps, omega, channels)
            values = operators.siren(coordinates, weights, places, omega, channels, parameters, reference)
        else:
            return None
        values = values.transpose(1, 2)  # (|H_out|, T, C_o, C_i)
        if index.dim() == 2:
            return values
        return values.unflatten(1, (-1, index.shape[1])).transpose(1, 2)  # (|H_out|, |H_in|, k·k, C_o, C_i)
