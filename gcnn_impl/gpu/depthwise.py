"""The depthwise convolution over the taps of the disc, as an operator in Triton with gradients of any order.

Images are maps on the group as (B, H, W, M), M = |H|·C, contiguous; weights are (k, k, M), contiguous. The convolution
is bilinear, so the gradients of its gradients are the same three operators again. Each operator is one kernel, none
waits for the device, and all sums have a fixed order: a pass repeated gives the same bits.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from gcnn_impl.gpu.launching import KEYS, ceil_div, check, on_device_of, sum_dtype
from gcnn_impl.gpu.switch import takes
from gcnn_impl.gradients import is_differentiated, pytorch_gradients
from gcnn_impl.registration import operator

LANES = 32  # threads of a warp; each has one map
# Sums of the output that a thread keeps in registers, k columns of a few rows. With 32 of them, ptxas (CUDA 13, sm_90)
# finds registers for everything up to 49 taps in float32: 128 forward, 227 backward at k = 7 in the disc. Kernels of
# more taps are right but spill.
SUMS = 32
ROWS = 4
# Columns below which an image is not divided further: each division reads k − 1 columns again.
LEAST_COLUMNS = 7
# Warps that run at once on an H100 of 132 multiprocessors when each thread takes the 255 registers that it may.
WARPS = 132 * 8
TILE, SUM_BLOCK = 32, 64  # rows and maps that are added at once

Taps = tuple[tuple[int, int, int], ...]


@functools.lru_cache
def taps_of(size: int, disc: bool, flip: bool) -> Taps:
    """Return (row, column, row of the weight) of the taps in the disc, or of all taps; flipped, of the transpose.

    >>> taps_of(3, disc=True, flip=True)
    ((0, 1, 7), (1, 0, 5), (1, 1, 4), (1, 2, 3), (2, 1, 1))
    """
    r, last = size // 2, size * size - 1
    places = [(i, j) for i in range(size) for j in range(size) if not disc or (i - r) ** 2 + (j - r) ** 2 <= r * r]
    return tuple((i, j, last - i * size - j if flip else i * size + j) for i, j in places)


@dataclass(frozen=True)
class Tiling:
    """How the output of a kernel is divided: into parts of ``rows`` × ``columns`` pixels, and blocks of maps.

    Attributes:
        warps: of a program, which has a block of ``LANES * warps`` maps.
        blocks, parts: their numbers.
    """

    warps: int
    rows: int
    columns: int
    blocks: int
    parts: int


def tiling(shape: Sequence[int], size: int) -> Tiling:
    """Return a division of the output (B, H, W, M): whole rows, or parts of rows where these are too few."""
    batch, height, width, maps = shape
    warps = min((4, 2, 1), key=lambda count: ceil_div(maps, LANES * count) * count)  # the fewest threads without a map
    blocks, rows = ceil_div(maps, LANES * warps), max(1, min(ROWS, height, SUMS // size))
    bands = batch * ceil_div(height, rows)
    wanted = max(1, min(WARPS // (bands * blocks * warps), width // LEAST_COLUMNS))
    columns = ceil_div(width, wanted)
    return Tiling(warps, rows, columns, blocks, bands * ceil_div(width, columns))


def partial_rows(tiles: Tiling) -> int:
    """Return the number of programs per block of maps that share the gradient of a weight; each writes a row."""
    return max(1, min(tiles.parts, WARPS // (tiles.blocks * tiles.warps)))


def _shape_of_result(images: Tensor, size: int, padding: int) -> tuple[int, int, int, int]:
    batch, height, width, maps = images.shape
    grown = 2 * padding - size + 1
    return batch, height + grown, width + grown, maps


def _empty_result(images: Tensor, weight: Tensor, bias: Tensor | None, padding: int, *_: Any) -> Tensor:
    return images.new_empty(_shape_of_result(images, len(weight), padding))


def _fit(images: Tensor, weight: Tensor, padding: int) -> bool:
    """Return whether a weight (k, k, M) can be moved over images (B, H, W, M) with this padding."""
    size = len(weight)
    fits = images.dim() == 4 and weight.shape == (size, size, images.shape[-1]) and size % 2 == 1
    return fits and 0 <= padding < size <= min(images.shape[1:3]) + 2 * padding


@operator(
    "depthwise_triton(Tensor images, Tensor weight, Tensor? bias, int padding, bool disc, bool flip) -> Tensor",
    *KEYS,
    fake=_empty_result,
)
def _convolve(images: Tensor, weight: Tensor, bias: Tensor | None, padding: int, disc: bool, flip: bool) -> Tensor:
    """Convolve images (B, H, W, M) → (B, H', W', M); ``flip`` turns the weight by 180°."""
    of_channels = bias is None or (bias.dim() == 1 and images.shape[-1] % len(bias) == 0)
    check(of_channels and _fit(images, weight, padding), images, weight, bias)
    y = _empty_result(images, weight, bias, padding)
    launch_convolve(images, weight, bias, y, padding, taps_of(len(weight), disc, flip))
    return y


def launch_convolve(images: Tensor, weight: Tensor, bias: Tensor | None, y: Tensor, padding: int, taps: Taps) -> None:
    """Write all of y, (B, H', W', M)."""
    from triton import language as tl

    from gcnn_impl.gpu import depthwise_kernels

    (_, height, width, _), size = images.shape, len(weight)
    tiles = tiling(y.shape, size)
    channels = y.shape[-1] if bias is None else len(bias)
    with on_device_of(images):
        depthwise_kernels.convolve[(tiles.parts * tiles.blocks,)](
            *(images, weight, weight if bias is None else bias, y),
            *(height, width, *y.shape[1:], channels, tiles.columns),
            HAS_BIAS=bias is not None,
            **{"PADDING": padding, "TAPS": taps, "SIZE": size, "ROWS": tiles.rows, "BLOCK": LANES * tiles.warps},
            SUM=tl.float64 if y.dtype == torch.float64 else tl.float32,
            num_warps=tiles.warps,
            enable_fp_fusion=True,
        )


def _empty_gradients(
    gradient: Tensor, images: Tensor, weight: Tensor, padding: int, disc: bool, flip: bool, of_x: bool, of_bias: bool
) -> tuple[Tensor, Tensor]:
    size, maps = len(weight), images.shape[-1]
    rows = partial_rows(tiling(images.shape, size))
    values = len(taps_of(size, disc, not flip)) + of_bias
    partial = images.new_empty(rows, values, maps, dtype=sum_dtype(images.dtype))
    return images.new_empty(images.shape if of_x else (0,)), partial


@operator(
    "depthwise_backward_triton(Tensor gradient, Tensor images, Tensor weight, int padding, bool disc, bool flip,"
    " bool of_x, bool of_bias) -> (Tensor, Tensor)",
    *KEYS,
    fake=_empty_gradients,
)
def _backward(
    gradient: Tensor, images: Tensor, weight: Tensor, padding: int, disc: bool, flip: bool, of_x: bool, of_bias: bool
) -> tuple[Tensor, Tensor]:
    """Return the gradient of the images, empty unless ``of_x``, and the summands of those of weight and bias.

    The summands have the shape (programs, T + of_bias, M).
    """
    fits = _fit(images, weight, padding) and gradient.shape == _shape_of_result(images, len(weight), padding)
    check(fits, gradient, images, weight)
    found, partial = _empty_gradients(gradient, images, weight, padding, disc, flip, of_x, of_bias)
    taps = taps_of(len(weight), disc, not flip)
    launch_backward(gradient, images, weight, found, partial, padding, taps)
    return found, partial


def launch_backward(
    gradient: Tensor, images: Tensor, weight: Tensor, of_x: Tensor, partial: Tensor, padding: int, taps: Taps
) -> None:
    """Write all of ``of_x``, unless that has no elements, and all of ``partial``; ``taps`` are the transpose's."""
    from triton import language as tl

    from gcnn_impl.gpu import depthwise_kernels

    size, wants_x = len(weight), of_x.dim() > 1
    tiles = tiling(images.shape, size)
    with on_device_of(images):
        depthwise_kernels.backward[(len(partial) * tiles.blocks,)](
            *(gradient, images, weight, of_x if wants_x else images, partial),
            *(*images.shape[1:3], *gradient.shape[1:], tiles.columns, tiles.parts),
            OF_X=wants_x,
            OF_BIAS=partial.shape[1] > len(taps),
            **{"PADDING": size - 1 - padding, "TAPS": taps, "SIZE": size},
            **{"ROWS": tiles.rows, "BLOCK": LANES * tiles.warps},
            SUM=tl.float64 if partial.dtype == torch.float64 else tl.float32,
            num_warps=tiles.warps,
            enable_fp_fusion=True,
        )


def _empty_sums(partial: Tensor, weight: Tensor, disc: bool, flip: bool, channels: int) -> tuple[Tensor, Tensor]:
    return torch.empty_like(weight), weight.new_empty(channels)


@operator(
    "depthwise_add_triton(Tensor partial, Tensor weight, bool disc, bool flip, int channels) -> (Tensor, Tensor)",
    *KEYS,
    fake=_empty_sums,
)
def _add(partial: Tensor, weight: Tensor, disc: bool, flip: bool, channels: int) -> tuple[Tensor, Tensor]:
    """Add the summands that ``_backward`` returns: the gradients of the weight, (k, k, M), and of a bias, (channels,).

    Only the shape and the dtype of ``weight`` are read. Outside the taps its gradient is zero.
    """
    size, taps = len(weight), taps_of(len(weight), disc, not flip)
    maps = partial.shape[-1]
    fits = partial.dim() == 3 and partial.shape[1] == len(taps) + (channels > 0) and weight.shape == (size, size, maps)
    check(fits and channels >= 0 and (channels == 0 or maps % channels == 0), partial)
    check(partial.dtype == sum_dtype(weight.dtype) and partial.device == weight.device, weight)
    of_weight, of_bias = _empty_sums(partial, weight, disc, flip, channels)
    launch_add(partial, of_weight, of_bias, taps)
    return of_weight, of_bias


def launch_add(partial: Tensor, of_weight: Tensor, of_bias: Tensor, taps: Taps) -> None:
    """Write all of ``of_weight``, and all of ``of_bias`` if ``partial`` has its summands."""
    from triton import language as tl

    from gcnn_impl.gpu import depthwise_kernels

    (programs, values, maps), size = partial.shape, len(of_weight)
    has_bias = values > len(taps)
    with on_device_of(partial):
        depthwise_kernels.add_partial[(size * size + has_bias, ceil_div(maps, SUM_BLOCK))](
            *(partial, of_weight, of_bias if has_bias else of_weight, programs, maps, len(of_bias)),
            OF_BIAS=has_bias,
            **{"TAPS": taps, "SIZE": size, "TILE": TILE, "BLOCK": SUM_BLOCK},
            SUM=tl.float64 if partial.dtype == torch.float64 else tl.float32,
            enable_fp_fusion=True,
        )


def _in_pytorch(images: Tensor, weight: Tensor, bias: Tensor | None, padding: int, disc: bool, flip: bool) -> Tensor:
    size, maps = len(weight), images.shape[-1]
    if disc:
        inside = weight.new_zeros(size * size)
        inside[[tap[2] for tap in taps_of(size, disc, flip)]] = 1
        weight = weight * inside.view(size, size, 1)
    kernel = (weight.flip(0, 1) if flip else weight).permute(2, 0, 1)[:, None]  # (M, 1, k, k)
    bias = None if bias is None else bias.repeat(maps // len(bias))
    return conv2d(images.permute(0, 3, 1, 2), kernel, bias, padding=padding, groups=maps).permute(0, 2, 3, 1)


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, images, weight, bias, padding, disc, flip):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(images, weight, bias)
        ctx.options = padding, disc, flip
        return _convolve(images, weight, bias, padding, disc, flip)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        (images, weight, bias), (padding, disc, flip) = ctx.saved_tensors, ctx.options
        if not takes(gradient):
            reference = functools.partial(_in_pytorch, padding=padding, disc=disc, flip=flip)
            return *pytorch_gradients(reference, (images, weight, bias), gradient), None, None, None
        wants_x, wants_weight, wants_bias, *_ = ctx.needs_input_grad
        gradient = gradient.contiguous()
        of_x = of_weight = of_bias = None
        if wants_weight or wants_bias:
            channels = len(bias) if wants_bias else 0
            of_x, of_weight, of_bias = _gradients(gradient, images, weight, padding, disc, flip, wants_x, channels)
        elif wants_x:
            of_x = depthwise(gradient, weight, None, len(weight) - 1 - padding, disc, not flip)
        return of_x, of_weight if wants_weight else None, of_bias, None, None, None


class _Gradients(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gradient, images, weight, padding, disc, flip, of_x, channels):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(gradient, images, weight)
        ctx.options, ctx.of_x = (padding, disc, flip), of_x
        return _computed_gradients(gradient, images, weight, padding, disc, flip, of_x, channels)

    @staticmethod
    def backward(ctx, for_x, for_weight, for_bias):  # type: ignore[no-untyped-def]
        (gradient, images, weight), (padding, disc, flip) = ctx.saved_tensors, ctx.options
        for_weight = for_weight.contiguous()
        of_gradient = depthwise(images, for_weight, for_bias, *ctx.options)
        if ctx.of_x:
            for_x = for_x.contiguous()
            of_gradient = of_gradient + depthwise(for_x, weight, None, *ctx.options)
            of_x, of_weight, _ = _gradients(gradient, for_x, for_weight, padding, disc, flip, True, 0)
        else:
            of_x, of_weight = depthwise(gradient, for_weight, None, len(weight) - 1 - padding, disc, not flip), None
        return of_gradient, of_x, of_weight, None, None, None, None, None


def _computed_gradients(
    gradient: Tensor, images: Tensor, weight: Tensor, padding: int, disc: bool, flip: bool, of_x: bool, channels: int
) -> tuple[Tensor | None, Tensor, Tensor | None]:
    found, partial = _backward(gradient, images, weight, padding, disc, flip, of_x, channels > 0)
    of_weight, of_bias = _add(partial, weight, disc, flip, channels)
    return found if of_x else None, of_weight, of_bias if channels else None


def _gradients(
    gradient: Tensor, images: Tensor, weight: Tensor, padding: int, disc: bool, flip: bool, of_x: bool, channels: int
) -> tuple[Tensor | None, Tensor, Tensor | None]:
    """Return the gradients of images, if ``of_x``, of weight, and of a bias of ``channels`` values unless that is 0."""
    call = _Gradients.apply if is_differentiated(gradient, images, weight) else _computed_gradients
    return call(gradient, images, weight, padding, disc, flip, of_x, channels)


def depthwise(
    images: Tensor, weight: Tensor, bias: Tensor | None, padding: int, disc: bool, flip: bool = False
) -> Tensor:
    """Convolve each map alone with stride 1, y[p] = bias + Σ_t w[t] x[p + t − padding].

    A caller must first check all tensors with ``takes``.

    Args:
        images: shape (B, H, W, M), contiguous; the result has the shape (B, H', W', M), contiguous.
        weight: shape (k, k, M), contiguous, k odd.
        bias: shape (C,); map m has the value of channel m % C.
        padding: pixels on each side, fewer than k.
        disc: whether only the taps in the disc i² + j² ≤ (k // 2)² count; the gradient of the others is zero.
        flip: whether to turn the weight by 180°.
    """
    call = _Depthwise.apply if is_differentiated(images, weight, bias) else _convolve
    return call(images, weight, bias, padding, disc, flip)
