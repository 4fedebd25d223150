"""Convolution of images with one channel, whose weight gradient is one product of matrices.

oneDNN computes the weight gradient of a convolution in blocks of input channels. With a single channel it takes two to
four times as long as a product of the values under the taps, (k·k, B·H'·W'), and the gradient, (B·H'·W', M).
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from gcnn_impl.depthwise import autocast
from gcnn_impl.pointwise import conv2d
from gcnn_impl.watching import is_traced_or_transformed


class _GrayConv2d(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
        return conv2d(x, weight, bias, stride, padding)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
        x, weight, _, ctx.stride, ctx.padding = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        x, weight = ctx.saved_tensors
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            geometry = [[ctx.stride] * 2, [ctx.padding] * 2, [1, 1], False, [0, 0], 1]
            of_x = torch.ops.aten.convolution_backward(gradient, x, weight, None, *geometry, [True, False, False])[0]
        if ctx.needs_input_grad[1]:
            k = weight.shape[-1]
            padded = pad(x[:, 0], [ctx.padding] * 4)  # (B, H + 2p, W + 2p)
            under = padded.unfold(1, k, ctx.stride).unfold(2, k, ctx.stride)  # (B, H', W', k, k)
            pixels = gradient.permute(0, 2, 3, 1).flatten(0, 2)  # (B·H'·W', M)
            of_weight = (pixels.t() @ under.flatten(3).flatten(0, 2)).view_as(weight)
        if ctx.needs_input_grad[2]:
            of_bias = gradient.sum((0, 2, 3))
        return of_x, of_weight, of_bias, None, None


def lift_images(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
    """Convolve as ``conv2d``, images (B, C_i, H, W) and weight (M, C_i, k, k) → (B, M, H', W')."""
    differentiated = torch.is_grad_enabled() and weight.requires_grad
    if x.shape[1] > 1 or not x.is_cpu or not differentiated or is_traced_or_transformed():
        return conv2d(x, weight, bias, stride, padding)
    return _GrayConv2d.apply(*autocast(x, weight, bias), stride, padding)
