"""The 8×8 digits that come with scikit-learn: upright, or rotated as in rotated MNIST.

Each image is rotated once, by an angle that the split seed determines. Training does not augment images, so a
network sees every digit at one angle only and must generalise to other angles.
"""

import math

import numpy as np
import sklearn.datasets
import torch
from torch import Tensor

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.splits import split_pool
from benchmarks.datasets.turn_and_scale import turn_and_scale

ORIGIN = "scikit-learn load_digits"
LICENCE = "CC BY 4.0 (UCI, Optical Recognition of Handwritten Digits)"
SOURCE_SIZE = 8  # pixels a side
DEFAULT_SIZE = 16
INK = 16  # the darkest pixel of the source
SPLIT_SIZES = (1200, 297, 300)  # train, validation, test: all of the 1,797 images
# At this scale the circumscribed circle of an image fits into the result: no angle clips a corner.
FITTING_SCALE = 1 / math.sqrt(2)


def load_rotated_digits(request: Request) -> Dataset:
    """Load the 1,797 digits, each rotated by a uniformly random angle in [0°, 360°), in one bicubic interpolation.

    Raises:
        ValueError: when ``image_size`` is smaller than 8.
    """
    return _load(request, "rotated-digits", rotated=True)


def load_digits(request: Request) -> Dataset:
    """Load the digits upright, in the same split and at the same scale as ``load_rotated_digits``."""
    return _load(request, "digits", rotated=False)


def _load(request: Request, name: str, *, rotated: bool) -> Dataset:
    if request.image_size is not None and request.image_size < SOURCE_SIZE:
        raise ValueError(f"image size {request.image_size} is too small; allowed: {SOURCE_SIZE} or more")
    bunch = sklearn.datasets.load_digits()
    images = torch.from_numpy(bunch.images).float()[:, None] / INK  # (N, 1, 8, 8)
    generator = np.random.default_rng(request.seed)
    angles = torch.from_numpy(generator.uniform(0, 360, len(images))) * rotated
    scales = torch.full_like(angles, FITTING_SCALE)
    parts = split_pool(len(images), generator, SPLIT_SIZES)

    def read(places: Tensor, size: int) -> Tensor:
        return turn_and_scale(images[places], angles[places], scales[places], size, mode="bicubic")

    labels = torch.from_numpy(bunch.target).long()
    return assemble(Source(name, ORIGIN, LICENCE, 10, 1, DEFAULT_SIZE, labels, read), parts, request)
