"""Turning and scaling of images in one interpolation."""

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

CHUNK = 4096  # images; a sampling grid takes two numbers a pixel


def turn_and_scale(
    images: Tensor, angles: Tensor, scales: Tensor, image_size: int, *, mode: str = "bilinear"
) -> Tensor:
    """Turn images about their centres and scale them.

    The result at a point p is the image at R(angle)⁻¹ p / scale, and 0 outside the image. Points are measured from the
    centre, in units of half a side. Images are not smoothed first: where scale · S < H, pixels are skipped.

    Args:
        images: in [0, 1], float32, shape (N, C, H, H).
        angles: counter-clockwise, in degrees, float64, shape (N,).
        scales: size of each image as a fraction of the result's size, float64, shape (N,).
        image_size: S, side of the result, pixels.
        mode: "bilinear" or "bicubic".

    Returns:
        In [0, 1], shape (N, C, S, S).
    """
    cos, sin = torch.cos(torch.deg2rad(angles)), torch.sin(torch.deg2rad(angles))
    # affine_grid maps a point of the result to its point in the source, both in [-1, 1], with rows counted downwards.
    inverse = torch.stack([cos, -sin, sin, cos], dim=-1) / scales[:, None]
    affine = torch.cat([inverse.reshape(-1, 2, 2), inverse.new_zeros(len(images), 2, 1)], dim=-1).to(images)
    result = images.new_empty(*images.shape[:2], image_size, image_size)
    for places in torch.arange(len(images)).split(CHUNK):
        part = images[places]
        grid = affine_grid(affine[places], [*part.shape[:2], image_size, image_size], align_corners=False)
        result[places] = grid_sample(part, grid, mode=mode, padding_mode="zeros", align_corners=False)
    return result.clamp_(0, 1)  # bicubic interpolation overshoots at edges
