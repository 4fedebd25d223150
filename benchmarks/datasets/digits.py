"""Scikit-learn's bundled 8×8 digits, which need no network: upright, or turned as rotated MNIST is made.

Every image is rotated once, by an angle that the split seed fixes, and stored: nothing is augmented while training, so
a network meets each digit in one pose only and has to know by itself that the others mean the same.
"""

import math
from pathlib import Path

import numpy as np
import sklearn.datasets
import torch

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.splits import split_pool
from benchmarks.datasets.turn_and_scale import turn_and_scale

ORIGIN = "scikit-learn load_digits"
LICENCE = "CC BY 4.0 (UCI, Optical Recognition of Handwritten Digits)"
SOURCE_SIZE = 8  # pixels a side
DEFAULT_SIZE = 16
INK = 16  # the darkest pixel of the source
SPLIT_SIZES = (1200, 297, 300)  # train, validation, test: all of the 1,797 images
# Drawn so large, the circumscribed circle of an image fits the result: at no angle does a corner leave it.
FITTING_SCALE = 1 / math.sqrt(2)


def load_rotated_digits(request: Request) -> Dataset:
    """The 1,797 digits, each turned by a uniformly random angle in [0°, 360°), in one bicubic interpolation.

    Raises:
        ValueError: when ``image_size`` is smaller than the source.
    """
    return _load(request, "rotated-digits", turned=True)


def load_digits(request: Request) -> Dataset:
    """The same digits in the same split, as large, upright."""
    return _load(request, "digits", turned=False)


def rotated_digits(image_size: int = DEFAULT_SIZE, *, split_seed: int = 0) -> Dataset:
    """``load("rotated-digits", …)`` without a data root."""
    return load_rotated_digits(Request(Path(), image_size=image_size, seed=split_seed))


def _load(request: Request, name: str, *, turned: bool) -> Dataset:
    size = request.image_size or DEFAULT_SIZE
    if size < SOURCE_SIZE:
        raise ValueError(f"image size {size} is too small; allowed: {SOURCE_SIZE} or more")
    bunch = sklearn.datasets.load_digits()
    images = torch.from_numpy(bunch.images).float()[:, None] / INK  # (N, 1, 8, 8)
    generator = np.random.default_rng(request.seed)
    angles = torch.from_numpy(generator.uniform(0, 360, len(images))) * turned
    parts = split_pool(len(images), generator, SPLIT_SIZES)
    images = turn_and_scale(images, angles, torch.full_like(angles, FITTING_SCALE), size, mode="bicubic")
    labels = torch.from_numpy(bunch.target).long()
    source = Source(name, ORIGIN, LICENCE, 10, (1, size, size), labels, images.__getitem__)
    return assemble(source, parts, request)
