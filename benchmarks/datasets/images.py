"""Conversion of stored pixels to float images, in chunks: besides the result, only one chunk is in memory."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

CHUNK = 256  # images


class Rows(Protocol):
    """Images by their indices: an array, a memory map, or an array in a file."""

    def __getitem__(self, places: np.ndarray, /) -> Any:
        """Return the uint8 images at ascending indices, shape (n, C, H, W) or (n, H, W, C)."""
        ...


class Joined:
    """Several arrays of images as one array, in their order."""

    def __init__(self, arrays: Sequence[Any]) -> None:
        self.arrays = arrays
        self.starts = np.cumsum([0, *map(len, arrays)])

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        """Return the images at ascending indices."""
        found = []
        for array, start, end in zip(self.arrays, self.starts[:-1], self.starts[1:], strict=True):
            inside = places[(places >= start) & (places < end)]
            if len(inside):
                found.append(array[inside - start])
        return np.concatenate(found)


def gather(rows: Rows, indices: Tensor, image_size: int, *, channels_last: bool = False) -> Tensor:
    """Read images and resize them to one size.

    Args:
        rows: uint8 images, shape (N, C, H, W), or (N, H, W, C) when ``channels_last``.
        indices: one or more distinct indices in any order, shape (n,).
        image_size: S, pixels.

    Returns:
        float32 in [0, 1], in the order of ``indices``, shape (n, C, S, S).
    """
    images: Tensor | None = None
    for positions in indices.argsort().split(CHUNK):
        block = torch.from_numpy(np.ascontiguousarray(rows[indices[positions].numpy()]))
        if channels_last:
            block = block.permute(0, 3, 1, 2)
        block = resize(block.float() / 255, image_size)
        if images is None:
            images = block.new_empty(len(indices), *block.shape[1:])
        images[positions] = block
    assert images is not None
    return images


def resize(images: Tensor, image_size: int) -> Tensor:
    """Resize images of shape (N, C, H, W) to (N, C, S, S): bilinear, with a low-pass filter where they shrink."""
    if images.shape[-2:] == (image_size, image_size):
        return images
    return interpolate(images, (image_size, image_size), mode="bilinear", align_corners=False, antialias=True)
