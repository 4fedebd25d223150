"""``conv2d`` as torch's, except where oneDNN writes outside of its memory."""

import torch
from torch import Tensor


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve as torch's ``conv2d``; a strided 1×1 kernel convolves, with stride 1, the pixels that it meets.

    oneDNN's gradient of a strided 1×1 weight writes past its buffer on channels-last images of fewer than 16 channels:
    gradients are wrong, or the process crashes (https://github.com/uxlfoundation/oneDNN/issues/6035; torch 2.15).

    Args:
        x: shape (B, C_i, H, W).
        weight: shape (C_o, C_i / groups, k, k').
    """
    if stride > 1 and weight.shape[2:] == (1, 1) and padding == 0:
        x, stride = x[..., ::stride, ::stride], 1
    return torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)
