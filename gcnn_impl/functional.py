"""Group convolutions with given kernels: nothing here is learnable, and nothing knows which group it serves.

Shapes: an image is (B, C, H, W), a map on the group is (B, C, |H|, H, W). Kernels carry |det h|⁻¹, the Haar weights and
the windows already (``kernels.py``), so what is left is correlation. The formulas are those of Knigge et al. 2022.
A bias has one value per output channel, shape (C_o,), the same at every group element.
"""

from torch import Tensor
from torch.nn.functional import conv2d, max_pool2d


def flatten_group(x: Tensor) -> Tensor:
    """Put the group axis into the channels, (B, C, |H|, H, W) → (B, C·|H|, H, W)."""
    return x.flatten(1, 2)


def unflatten_group(x: Tensor, resolution: int) -> Tensor:
    """Take the group axis out of the channels, (B, C·|H|, H, W) → (B, C, |H|, H, W)."""
    return x.unflatten(1, (-1, resolution))


def _group_bias(bias: Tensor | None, resolution: int) -> Tensor | None:
    return None if bias is None else bias.repeat_interleave(resolution)  # (C_o·|H_out|,)


def lift_conv2d(x: Tensor, kernel: Tensor, *, bias: Tensor | None = None, stride: int = 1, padding: int = 0) -> Tensor:
    """y_o(x, h) = Σ_i Σ_x' f_i(x') k_oi(h⁻¹(x' − x)).

    Args:
        x: image, shape (B, C_i, H, W).
        kernel: shape (C_o, |H|, C_i, k, k).

    Returns:
        Map on the group, shape (B, C_o, |H|, H', W').
    """
    resolution = kernel.shape[1]
    y = conv2d(x, kernel.flatten(0, 1), _group_bias(bias, resolution), stride=stride, padding=padding)
    return unflatten_group(y, resolution)


def group_conv2d(
    x: Tensor,
    kernel: Tensor,
    *,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
) -> Tensor:
    """y_o(x, h) = Σ_i Σ_h' Σ_x' f_i(x', h') k_oi(h⁻¹(x' − x), h⁻¹h').

    Args:
        x: map on the group, shape (B, C_i, |H_in|, H, W).
        kernel: shape (C_o, |H_out|, C_i / groups, |H_in|, k, k).
        groups: blocks of channels that do not mix; C_i makes it depthwise over channels, not over H.

    Returns:
        Map on the group, shape (B, C_o, |H_out|, H', W').
    """
    weight = kernel.flatten(2, 3).flatten(0, 1)  # (C_o·|H_out|, C_i/groups·|H_in|, k, k)
    resolution = kernel.shape[1]
    bias = _group_bias(bias, resolution)
    y = conv2d(flatten_group(x), weight, bias, stride=stride, padding=padding, groups=groups)
    return unflatten_group(y, resolution)


def group_mix(x: Tensor, kernel: Tensor, *, groups: int = 1) -> Tensor:
    """y_o(x, h) = Σ_i Σ_h' f_i(x, h') k_oi(h⁻¹h'): the part of a separable convolution that acts over H alone.

    Args:
        x: map on the group, shape (B, C_i, |H_in|, H, W).
        kernel: shape (C_o, |H_out|, C_i / groups, |H_in|).
    """
    return group_conv2d(x, kernel[..., None, None], groups=groups)


def spatial_conv2d(
    x: Tensor, kernel: Tensor, *, bias: Tensor | None = None, stride: int = 1, padding: int = 0
) -> Tensor:
    """y_o(x, h) = Σ_x' f_o(x', h) k_o(h⁻¹(x' − x)): depthwise over channels and over H.

    Args:
        x: map on the group, shape (B, C_o, |H|, H, W).
        kernel: shape (C_o, |H|, k, k).
    """
    weight = kernel.flatten(0, 1)[:, None]  # (C_o·|H|, 1, k, k)
    resolution = kernel.shape[1]
    bias = _group_bias(bias, resolution)
    y = conv2d(flatten_group(x), weight, bias, stride=stride, padding=padding, groups=weight.shape[0])
    return unflatten_group(y, resolution)


def separable_group_conv2d(
    x: Tensor,
    group_kernel: Tensor,
    spatial_kernel: Tensor,
    *,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
) -> Tensor:
    """The full convolution with k_oi(x, h) = k^H_oi(h) · k^{R²}_o(x), applied over H, then over the plane.

    Args:
        x: map on the group, shape (B, C_i, |H_in|, H, W).
        group_kernel: shape (C_o, |H_out|, C_i, |H_in|).
        spatial_kernel: shape (C_o, |H_out|, k, k).
    """
    return spatial_conv2d(group_mix(x, group_kernel), spatial_kernel, bias=bias, stride=stride, padding=padding)


def fully_separable_conv2d(
    x: Tensor,
    rotation_kernel: Tensor,
    scale_kernel: Tensor,
    spatial_kernel: Tensor,
    *,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
) -> Tensor:
    """The full convolution on Sim(2) with k_oi(x, θ, s) = k^Θ_oi(θ) · k^S_o(s) · k^{R²}_o(x).

    Args:
        x: map on the group, rotation-major, shape (B, C_i, R_in·S_in, H, W).
        rotation_kernel: shape (C_o, R_out, C_i, R_in).
        scale_kernel: shape (C_o, S_out, 1, S_in).
        spatial_kernel: shape (C_o, R_out·S_out, k, k).
    """
    height, width = x.shape[-2:]
    out_rotations, in_rotations = rotation_kernel.shape[1], rotation_kernel.shape[3]
    in_scales = scale_kernel.shape[3]
    x = x.reshape(len(x), -1, in_rotations, in_scales * height, width)  # (B, C_i, R_in, S_in·H, W)
    x = group_mix(x, rotation_kernel)  # (B, C_o, R_out, S_in·H, W)
    x = x.reshape(len(x), -1, in_scales, height, width)  # (B, C_o·R_out, S_in, H, W)
    scale_kernel = scale_kernel.repeat_interleave(out_rotations, dim=0)
    x = group_mix(x, scale_kernel, groups=len(scale_kernel))  # (B, C_o·R_out, S_out, H, W)
    x = x.reshape(len(x), -1, spatial_kernel.shape[1], height, width)  # (B, C_o, R_out·S_out, H, W)
    return spatial_conv2d(x, spatial_kernel, bias=bias, stride=stride, padding=padding)


def channel_mix(x: Tensor, weight: Tensor) -> Tensor:
    """y_o = Σ_i w_oi f_i, the same at every point of the group; weight (C_o, C_i)."""
    y = conv2d(x.flatten(2, 3), weight[:, :, None, None])  # (B, C_o, |H|·H, W)
    return y.unflatten(2, x.shape[2:4])


def compose_kernels(group_kernel: Tensor, spatial_kernel: Tensor) -> Tensor:
    """The full kernel k_oi(x, h) of two factors, shape (C_o, |H_out|, C_i, |H_in|, k, k).

    Args:
        group_kernel: shape (C_o, |H_out|, C_i, |H_in|).
        spatial_kernel: shape (C_o, |H_out|, k, k), or (C_o, |H_out|, C_i, k, k) for the group-separable kernel.
    """
    if spatial_kernel.dim() == 4:
        spatial_kernel = spatial_kernel[:, :, None]
    return group_kernel[..., None, None] * spatial_kernel[:, :, :, None]


def spatial_max_pool(x: Tensor) -> Tensor:
    """Halve height and width by maxima, (B, C, |H|, H, W) → (B, C, |H|, ⌈H/2⌉, ⌈W/2⌉).

    An even side is cut into pairs. An odd side takes windows of three around every other pixel: dropping its last row,
    as a plain 2×2 pooling does, would not commute with quarter turns.
    """
    odd = [side % 2 for side in x.shape[-2:]]
    kernel = [3 if o else 2 for o in odd]
    y = max_pool2d(x.flatten(1, 2), kernel, stride=2, padding=odd)
    return unflatten_group(y, x.shape[2])


def project(x: Tensor) -> Tensor:
    """Maximum over H and the plane, (B, C, |H|, H, W) → (B, C): invariant features."""
    return x.amax(dim=(-3, -2, -1))
