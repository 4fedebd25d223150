"""Depthwise convolution whose weight gradient is computed in strips of columns.

Training a separable layer spends most of its time in the weight gradient of the depthwise convolution, because oneDNN
has a fast algorithm only for kernels up to three columns wide. The k × k gradient is therefore composed of strips of at
most three columns. Where the kernel is zero outside the disc, a strip is only as high as the disc. The forward pass and
the input gradient are torch's own.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from gcnn_impl.checks import Signature
from gcnn_impl.pointwise import conv2d

FAST_WIDTH = 3
_SIGNATURE = Signature("depthwise_conv2d", {"x": ("B", "C", "H", "W"), "weight": ("C", "1", "k", "k"), "bias": ("C",)})


def column_strips(kernel_size: int) -> list[tuple[int, int]]:
    """Return (first column, width) of the strips: width 3, or 2 at the sides where 3 does not divide k.

    A single column would be a 1 × 1 convolution at the tips of the disc, for which torch takes a slow path.

    >>> column_strips(7)
    [(0, 2), (2, 3), (5, 2)]
    """
    twos = -kernel_size % FAST_WIDTH  # 2·twos ≡ k (mod 3)
    threes = (kernel_size - 2 * twos) // FAST_WIDTH
    widths = [2] * (twos > 0) + [FAST_WIDTH] * threes + [2] * (twos > 1)
    return [(sum(widths[:i]), width) for i, width in enumerate(widths)]


def disc_height(kernel_size: int, start: int, width: int) -> int:
    """Return the largest row offset |i| with i² + j² ≤ r² among the columns of a strip."""
    r = kernel_size // 2
    return max(math.isqrt(r * r - (column - r) ** 2) for column in range(start, start + width))


def _widen(x: Tensor, left: int, right: int) -> Tensor:
    """Add columns of zeros at the sides, or remove columns where the number is negative.

    ``pad`` does the same, but cannot remove more columns than the image has. Here the excess is removed from the zeros
    on the other side; a narrow image under a wide kernel needs this.
    """
    x = x.permute(0, 2, 3, 1)  # (B, H, W, C); ``cat`` keeps this layout
    batch, height, width, channels = x.shape
    kept = x[:, :, max(-left, 0) : max(width - max(-right, 0), 0)]
    zeros = [max(side + min(width + other, 0), 0) for side, other in [(left, right), (right, left)]]
    before, after = (x.new_zeros(batch, height, side, channels) for side in zeros)
    return torch.cat([before, kept, after], dim=2).permute(0, 3, 1, 2)


def _weight_gradient(x: Tensor, gradient: Tensor, kernel_size: int, stride: int, padding: int, disc: bool) -> Tensor:
    """Return ∂L/∂w of a depthwise convolution; x (B, C, H, W) and gradient (B, C, H', W') → (C, 1, k, k)."""
    channels, r = x.shape[1], kernel_size // 2
    columns = []
    for start, width in column_strips(kernel_size):
        height = disc_height(kernel_size, start, width) if disc else r
        left, right, vertical = padding - start, padding - (kernel_size - start - width), padding - (r - height)
        if left == right and left >= 0 and vertical >= 0:
            shifted, strip_padding = x, [vertical, left]
        elif vertical >= 0:
            shifted, strip_padding = _widen(x, left, right), [vertical, 0]
        else:  # remove rows, because the strip has fewer rows than the kernel
            shifted, strip_padding = _widen(x[:, :, -vertical:vertical], left, right), [0, 0]
        weight = x.new_empty(channels, 1, 2 * height + 1, width)  # only its shape is read
        mask = [False, True, False]
        _, strip, _ = torch.ops.aten.convolution_backward(
            gradient, shifted, weight, None, [stride] * 2, strip_padding, [1, 1], False, [0, 0], channels, mask
        )
        columns.append(pad(strip, (0, 0, r - height, r - height)))
    return torch.cat(columns, dim=-1)


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
        kernel_size = weight.shape[-1]
        if ctx.needs_input_grad[0]:
            if ctx.stride == 1 and ctx.padding < kernel_size:  # a forward convolution is a little faster
                flipped = weight.flip(-1, -2)
                grad_x = conv2d(gradient, flipped, padding=kernel_size - 1 - ctx.padding, groups=len(weight))
            else:
                geometry = [[ctx.stride] * 2, [ctx.padding] * 2, [1, 1], False, [0, 0], len(weight)]
                mask = [True, False, False]
                grad_x = torch.ops.aten.convolution_backward(gradient, x, weight, None, *geometry, mask)[0]
        if ctx.needs_input_grad[1]:
            grad_weight = _weight_gradient(x, gradient, kernel_size, ctx.stride, ctx.padding, ctx.disc)
        if ctx.needs_input_grad[2]:
            grad_bias = gradient.sum((0, 2, 3))
        return grad_x, grad_weight, grad_bias, None, None, None


def autocast(x: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return the operands of a convolution in the dtype of ``torch.autocast``, which leaves float64 alone."""
    device = x.device.type
    if device == "meta" or not torch.is_autocast_enabled(device):
        return x, weight, bias
    dtype = torch.get_autocast_dtype(device)
    x, weight = (t if t.dtype == torch.float64 else t.to(dtype) for t in (x, weight))
    return x, weight, bias if bias is None or bias.dtype == torch.float64 else bias.to(dtype)


def depthwise_conv2d(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1, padding: int = 0, disc: bool = False
) -> Tensor:
    """Convolve as ``conv2d`` with one filter per channel, with a fast weight gradient on channels-last data.

    Args:
        x: shape (B, C, H, W), fastest if channels-last; the result has the shape (B, C, H', W').
        weight: shape (C, 1, k, k), k odd.
        bias: shape (C,).
        disc: whether the weight is zero outside the disc i² + j² ≤ r². Its gradient must then not be used outside the
            disc, because only a part of it is computed there.

    Raises:
        ValueError: for shapes that do not fit each other, an even kernel, or a kernel larger than the padded image.
    """
    stride, padding = _SIGNATURE.check(x, weight, bias, stride=stride, padding=padding)
    differentiated = torch.is_grad_enabled() and weight.requires_grad
    if weight.shape[-1] <= FAST_WIDTH or not differentiated:
        return conv2d(x, weight, bias, stride, padding, groups=len(weight))
    return _DepthwiseConv2d.apply(*autocast(x, weight, bias), stride, padding, disc)  # so that backward sees one dtype
