"""Noise with labels that mean nothing: for what training costs, without data."""

import numpy as np
import torch

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.splits import split_pool

ORIGIN = "uniform noise, random labels"
LICENCE = "none needed"
IMAGE_SIZE = 28
CLASSES = 10
SIZES = (1024, 256, 256)  # train, validation, test


def load_synthetic(request: Request) -> Dataset:
    """Uniform noise and labels that do not depend on it: no network is better than chance."""
    size = request.image_size or IMAGE_SIZE
    generator = np.random.default_rng(request.seed)
    count = sum(SIZES)
    parts = split_pool(count, generator, SIZES)
    labels = torch.from_numpy(generator.integers(CLASSES, size=count))
    images = torch.from_numpy(generator.random((count, 1, size, size), dtype=np.float32))
    source = Source("synthetic", ORIGIN, LICENCE, CLASSES, (1, size, size), labels, images.__getitem__)
    return assemble(source, parts, request)
