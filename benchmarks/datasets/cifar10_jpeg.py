"""CIFAR-10 as JPEG files: 45,000 / 5,000 / 10,000 colour images of 32×32.

JPEG changes pixels, so these are not the published images, and accuracies on them are not those of CIFAR-10.
"""

from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.files import DataError
from benchmarks.datasets.folder import ImageRows, image_folder
from benchmarks.datasets.images import gather
from benchmarks.datasets.splits import split_train

FOLDER = "cifar10-jpeg"
LICENCE = "not stated; cite Krizhevsky (2009)"
ORIGIN = "CIFAR-10 (Krizhevsky 2009), every image compressed by JPEG"
REMEDY = "unpack CIFAR-10 as JPEG files there: CLASS/train_….jpg and CLASS/test_….jpg (docs/datasets.md)"
CLASSES, COUNTS = 10, {"train_": 50_000, "test_": 10_000}


def load_cifar10_jpeg(request: Request) -> Dataset:
    """Load the files ``cifar10-jpeg/CLASS/train_….jpg`` and ``…/test_….jpg`` below the root.

    The seed draws a tenth of the train images as validation images.

    Raises:
        DataError: when the folder is missing, or does not hold ten classes with all 50,000 and 10,000 images.
    """
    folder = request.root / FOLDER
    images = image_folder(folder, REMEDY)
    # The train images first, as ``split_train`` wants them; each part in the order of the names.
    samples = [[sample for sample in images.samples if Path(sample[0]).name.startswith(begin)] for begin in COUNTS]
    found = f"{len(images.classes)} classes with {len(samples[0]):,} train and {len(samples[1]):,} test images"
    if (len(images.classes), *map(len, samples)) != (CLASSES, *COUNTS.values()):
        expected = f"{CLASSES} classes with {COUNTS['train_']:,} and {COUNTS['test_']:,}"
        raise DataError(f"{folder} is incomplete: {found}, expected {expected}; unpack the archive again")
    images.samples = samples[0] + samples[1]
    labels = torch.tensor([label for _, label in images.samples])
    train, test = map(len, samples)
    parts = split_train(train, test, train // 10, np.random.default_rng(request.seed))
    size = request.image_size or 32
    read = partial(gather, ImageRows(images, size), channels_last=True)
    return assemble(Source("cifar10-jpeg", ORIGIN, LICENCE, CLASSES, 3, 32, labels, read), parts, request)
