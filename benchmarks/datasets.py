"""Real digits that turn: scikit-learn's bundled 8×8 digits, made as rotated MNIST is made.

Every image is rotated once, by an angle that the split seed fixes, and stored: nothing is augmented while training, so
a network meets each digit in one pose only and has to know by itself that the others mean the same.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

SOURCE = "scikit-learn load_digits"
SOURCE_SIZE = 8  # pixels a side
SPLIT_SIZES = (1200, 297, 300)  # train, validation, test: all of the 1,797 images


@dataclass(frozen=True)
class Split:
    """One part of a dataset.

    Args:
        images: normalised, float32, shape (N, 1, S, S).
        labels: the digits, int64, shape (N,).
        angles: by how much each image was turned, counter-clockwise, in degrees, shape (N,).
        indices: where each image stands in the source, shape (N,).
    """

    images: Tensor
    labels: Tensor
    angles: Tensor
    indices: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """Train, validation and test images, split once and for all by ``split_seed``.

    Args:
        mean, std: of the pixels of the train images, on a scale where ink is 1; all images are normalised with them.
    """

    name: str
    source: str
    image_size: int
    num_classes: int
    split_seed: int
    mean: float
    std: float
    train: Split
    validation: Split
    test: Split

    def description(self) -> dict[str, str | int]:
        """What a record says about the data."""
        return {
            "train": len(self.train),
            "validation": len(self.validation),
            "test": len(self.test),
            "source": self.source,
            "split_seed": self.split_seed,
        }


def rotate_digits(images: Tensor, angles: Tensor, image_size: int) -> Tensor:
    """Turn images about their centres and sample them anew, in one bicubic interpolation.

    The image is scaled so that its circumscribed circle fits the result: at no angle does a corner leave it.

    Args:
        images: ink in [0, 1], shape (N, 1, H, H).
        angles: counter-clockwise, in degrees, shape (N,).
        image_size: S, side of the result.

    Returns:
        Ink in [0, 1], shape (N, 1, S, S), none outside of the source.
    """
    cos, sin = torch.cos(torch.deg2rad(angles)), torch.sin(torch.deg2rad(angles))
    # affine_grid maps a place in the result to the place in the source it shows, both in [-1, 1], rows downwards.
    rotation = torch.stack([cos, -sin, sin, cos], dim=-1).reshape(-1, 2, 2) * math.sqrt(2)
    affine = torch.cat([rotation, torch.zeros(len(images), 2, 1, dtype=rotation.dtype)], dim=-1).to(images)
    grid = affine_grid(affine, [len(images), 1, image_size, image_size], align_corners=False)
    turned = grid_sample(images, grid, mode="bicubic", padding_mode="zeros", align_corners=False)
    return turned.clamp(0, 1)  # bicubic interpolation overshoots at edges


def rotated_digits(image_size: int = 16, *, split_seed: int = 0) -> Dataset:
    """The 1,797 handwritten digits of scikit-learn, each turned by a uniformly random angle in [0°, 360°).

    Args:
        image_size: side in pixels.
        split_seed: fixes the angles and the split; it has nothing to do with the seed of a training run.

    Raises:
        ValueError: when ``image_size`` is smaller than the source.
    """
    if image_size < SOURCE_SIZE:
        raise ValueError(f"image size {image_size} is too small; allowed: {SOURCE_SIZE} or more")
    source = load_digits()
    images = torch.from_numpy(source.images).float()[:, None] / 16  # (N, 1, 8, 8), ink is 1
    labels = torch.from_numpy(source.target).long()
    generator = np.random.default_rng(split_seed)
    angles = torch.from_numpy(generator.uniform(0, 360, len(images)))
    order = torch.from_numpy(generator.permutation(len(images)))
    images = rotate_digits(images, angles, image_size)

    parts = order.split(list(SPLIT_SIZES))
    std, mean = torch.std_mean(images[parts[0]])
    images = (images - mean) / std
    train, validation, test = (Split(images[i], labels[i], angles[i], i) for i in parts)
    return Dataset(
        "rotated-digits", SOURCE, image_size, 10, split_seed, mean.item(), std.item(), train, validation, test
    )
