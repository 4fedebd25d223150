"""Noise with random labels, to measure the cost of training without data."""

import numpy as np
import torch

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.splits import split_pool

IMAGE_SIZE = 28
CLASSES = 10
SIZES = (1024, 256, 256)  # train, validation, test


def load_synthetic(request: Request) -> Dataset:
    """Make uniform noise and random labels, on which no network is better than chance."""
    size = request.image_size or IMAGE_SIZE
    generator = np.random.default_rng(request.seed)
    parts = split_pool(sum(SIZES), generator, SIZES)
    labels = torch.from_numpy(generator.integers(CLASSES, size=sum(SIZES)))
    images = torch.from_numpy(generator.random((sum(SIZES), 1, size, size), dtype=np.float32))
    origin, licence = "uniform noise, random labels", "none needed"
    source = Source("synthetic", origin, licence, CLASSES, 1, size, labels, lambda places, _: images[places])
    return assemble(source, parts, request)
