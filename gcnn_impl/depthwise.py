"""Depthwise convolution over the taps of a disc, in C where ``native`` has it, else with a weight gradient in strips.

Training a separable layer spends most of its time in the weight gradient of the depthwise convolution: oneDNN has a
fast one only for kernels up to three columns wide. So the k × k gradient is put together from strips of at most three
columns, each only as high as the disc where the kernel is zero outside it. Forward and input gradient are torch's own.

The operators in C leave out the taps outside the disc in all three passes, take the bias along, and read each map once.
Gradients of gradients are PyTorch's.
"""

import functools
import math
from ctypes import byref, c_long

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from gcnn_impl import native

FAST_WIDTH = 3


def column_strips(kernel_size: int) -> list[tuple[int, int]]:
    """First column and width of the strips: threes, and twos at the sides where the width leaves a rest.

    A single column would be a 1 × 1 convolution at the tips of the disc, which torch gives to a slow path.

    >>> column_strips(7)
    [(0, 2), (2, 3), (5, 2)]
    """
    twos = -kernel_size % FAST_WIDTH  # 2·twos ≡ k (mod 3)
    threes = (kernel_size - 2 * twos) // FAST_WIDTH
    widths = [2] * (twos > 0) + [FAST_WIDTH] * threes + [2] * (twos > 1)
    return [(sum(widths[:i]), width) for i, width in enumerate(widths)]


def disc_height(kernel_size: int, start: int, width: int) -> int:
    """Largest row offset |i| with i² + j² ≤ r² among the columns of a strip."""
    r = kernel_size // 2
    return max(math.isqrt(r * r - (column - r) ** 2) for column in range(start, start + width))


def _widen(x: Tensor, left: int, right: int) -> Tensor:
    """Columns of zeros added at the sides, or columns taken away where negative.

    ``pad`` does the same, but refuses to take away more columns than there are: here the rest comes off the zeros of
    the other side, as a narrow image under a wide kernel needs it.
    """
    x = x.permute(0, 2, 3, 1)  # (B, H, W, C), where ``cat`` leaves the layout as it is
    batch, height, width, channels = x.shape
    kept = x[:, :, max(-left, 0) : max(width - max(-right, 0), 0)]
    zeros = [max(side + min(width + other, 0), 0) for side, other in [(left, right), (right, left)]]
    before, after = (x.new_zeros(batch, height, side, channels) for side in zeros)
    return torch.cat([before, kept, after], dim=2).permute(0, 3, 1, 2)


def _weight_gradient(x: Tensor, gradient: Tensor, kernel_size: int, stride: int, padding: int, disc: bool) -> Tensor:
    """∂L/∂w of a depthwise convolution, (B, C, H, W) and (B, C, H', W') → (C, 1, k, k); zero outside the disc."""
    channels, r = x.shape[1], kernel_size // 2
    columns = []
    for start, width in column_strips(kernel_size):
        height = disc_height(kernel_size, start, width) if disc else r
        left, right, vertical = padding - start, padding - (kernel_size - start - width), padding - (r - height)
        if left == right and left >= 0 and vertical >= 0:
            shifted, strip_padding = x, [vertical, left]
        elif vertical >= 0:
            shifted, strip_padding = _widen(x, left, right), [vertical, 0]
        else:  # rows are taken away, as the strip is lower than the kernel
            shifted, strip_padding = _widen(x[:, :, -vertical:vertical], left, right), [0, 0]
        weight = x.new_empty(channels, 1, 2 * height + 1, width)  # only its shape is read
        mask = [False, True, False]
        _, strip, _ = torch.ops.aten.convolution_backward(
            gradient, shifted, weight, None, [stride] * 2, strip_padding, [1, 1], False, [0, 0], channels, mask
        )
        columns.append(pad(strip, (0, 0, r - height, r - height)))
    return torch.cat(columns, dim=-1)


def _input_gradient(x: Tensor, weight: Tensor, gradient: Tensor, stride: int, padding: int) -> Tensor:
    kernel_size = weight.shape[-1]
    if stride == 1 and padding < kernel_size:  # a forward convolution, which is a little faster
        return conv2d(gradient, weight.flip(-1, -2), padding=kernel_size - 1 - padding, groups=len(weight))
    geometry = [[stride] * 2, [padding] * 2, [1, 1], False, [0, 0], len(weight)]
    return torch.ops.aten.convolution_backward(gradient, x, weight, None, *geometry, [True, False, False])[0]


class _DepthwiseConv2d(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, disc: bool) -> Tensor:
        return conv2d(x, weight, bias, stride, padding, groups=len(weight))

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
        x, weight, _, ctx.stride, ctx.padding, ctx.disc = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        x, weight = ctx.saved_tensors
        grad_x = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_x = _input_gradient(x, weight, gradient, ctx.stride, ctx.padding)
        if ctx.needs_input_grad[1]:
            grad_weight = _weight_gradient(x, gradient, weight.shape[-1], ctx.stride, ctx.padding, ctx.disc)
        if ctx.needs_input_grad[2]:
            grad_bias = gradient.sum((0, 2, 3))
        return grad_x, grad_weight, grad_bias, None, None, None


@functools.lru_cache(maxsize=256)
def _native_memory(*sizes: int) -> tuple[int, int]:
    """Floats of scratch and of partial sums that ``native.c`` wants for (B, H, W, C, k, padding, threads)."""
    floats = (c_long * 2)()
    library = native.library()
    assert library is not None
    library.gcnn_depthwise_memory(*sizes, byref(floats))
    return floats[0], floats[1]


def _native_forward(x: Tensor, weight: Tensor, bias: Tensor | None, padding: int, disc: bool, flip: bool) -> Tensor:
    batch, channels, height, width = x.shape
    kernel_size, library = weight.shape[-1], native.library()
    assert library is not None
    x, weight = x.contiguous(memory_format=torch.channels_last), weight.contiguous()
    sizes = batch, height, width, channels, kernel_size, padding
    threads = torch.get_num_threads()
    scratch = x.new_empty(_native_memory(*sizes, threads)[0])
    grown = 2 * padding - kernel_size + 1
    y = x.new_empty(batch, height + grown, width + grown, channels)
    bias_address = None if bias is None else bias.contiguous().data_ptr()
    addresses = x.data_ptr(), weight.data_ptr(), bias_address, y.data_ptr(), scratch.data_ptr()
    library.gcnn_depthwise(*addresses, *sizes, disc, flip, threads)
    return y.permute(0, 3, 1, 2)


def _native_weight_gradient(
    x: Tensor, gradient: Tensor, kernel_size: int, padding: int, disc: bool
) -> tuple[Tensor, Tensor]:
    batch, channels, height, width = x.shape
    library = native.library()
    assert library is not None
    x = x.contiguous(memory_format=torch.channels_last)
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    sizes = batch, height, width, channels, kernel_size, padding
    threads = torch.get_num_threads()
    scratch, partial = (x.new_empty(floats) for floats in _native_memory(*sizes, threads))
    grad_weight, grad_bias = x.new_empty(channels, 1, kernel_size, kernel_size), x.new_empty(channels)
    tensors = x, gradient, grad_weight, grad_bias, scratch, partial
    library.gcnn_depthwise_weight(*(t.data_ptr() for t in tensors), *sizes, disc, threads)
    return grad_weight, grad_bias


# What a profiler or a dispatch mode sees.
_operators = torch.library.Library("gcnn_impl", "FRAGMENT")
_operators.define(
    "depthwise_conv2d(Tensor x, Tensor weight, Tensor? bias, int padding, bool disc, bool flip) -> Tensor"
)
_operators.define(
    "depthwise_conv2d_weight(Tensor x, Tensor gradient, int kernel_size, int padding, bool disc) -> (Tensor, Tensor)"
)
_operators.impl("depthwise_conv2d", _native_forward, "CPU")
_operators.impl("depthwise_conv2d_weight", _native_weight_gradient, "CPU")


class _NativeDepthwiseConv2d(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, padding, disc) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x, weight)
        ctx.padding, ctx.disc = padding, disc
        forward = torch.ops.gcnn_impl.depthwise_conv2d if native.is_watched() else _native_forward
        return forward(x, weight, bias, padding, disc, False)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        x, weight = ctx.saved_tensors
        wants_x, wants_weight, wants_bias, *_ = ctx.needs_input_grad
        kernel_size, padding, disc = weight.shape[-1], ctx.padding, ctx.disc
        grad_x = grad_weight = grad_bias = None
        in_c = not torch.is_grad_enabled() and native.takes(x, weight, gradient)
        operators = torch.ops.gcnn_impl if native.is_watched() else None
        if in_c and (wants_weight or wants_bias):
            of_weight = operators.depthwise_conv2d_weight if operators else _native_weight_gradient
            grad_weight, grad_bias = of_weight(x, gradient, kernel_size, padding, disc)
        elif wants_weight:
            grad_weight = _weight_gradient(x, gradient, kernel_size, 1, padding, disc)
        if in_c and wants_x and padding < kernel_size:
            forward = operators.depthwise_conv2d if operators else _native_forward
            grad_x = forward(gradient, weight, None, kernel_size - 1 - padding, disc, True)
        elif wants_x:
            grad_x = _input_gradient(x, weight, gradient, 1, padding)
        if wants_bias and grad_bias is None:
            grad_bias = gradient.sum((0, 2, 3))
        return grad_x, grad_weight if wants_weight else None, grad_bias if wants_bias else None, None, None


def depthwise_conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    disc: bool = False,
    in_c: bool = True,
) -> Tensor:
    """``conv2d`` with one filter per channel and fast gradients on channels-last data.

    Args:
        x: shape (B, C, H, W), best channels-last.
        weight: shape (C, 1, k, k), k odd.
        bias: shape (C,).
        disc: the weight is zero outside the disc i² + j² ≤ r², and its gradient is not wanted there (it is given as
            zero in some places).
        in_c: whether the operators of ``native`` may be taken.

    Returns:
        Shape (B, C, H', W').
    """
    device, kernel_size = x.device.type, weight.shape[-1]
    if device != "meta" and torch.is_autocast_enabled(device):  # as for conv2d, so that backward sees one dtype
        dtype = torch.get_autocast_dtype(device)
        x, weight, bias = x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
    fits = min(x.shape[-2:]) + 2 * padding >= kernel_size
    if in_c and stride == 1 and kernel_size > 1 and fits and native.takes(x, weight, bias):
        if torch.is_grad_enabled() and (
            x.requires_grad or weight.requires_grad or (bias is not None and bias.requires_grad)
        ):
            return _NativeDepthwiseConv2d.apply(x, weight, bias, padding, disc)
        forward = torch.ops.gcnn_impl.depthwise_conv2d if native.is_watched() else _native_forward
        return forward(x, weight, bias, padding, disc, False)
    differentiated = torch.is_grad_enabled() and weight.requires_grad
    if kernel_size <= FAST_WIDTH or not differentiated:
        return conv2d(x, weight, bias, stride, padding, groups=len(weight))
    return _DepthwiseConv2d.apply(x, weight, bias, stride, padding, disc)
