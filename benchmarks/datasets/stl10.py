"""STL-10: 4,500 / 500 / 8,000 colour images of 96×96; the unlabelled images are neither needed nor read."""

from functools import partial

import numpy as np
import torch
from torchvision.datasets import STL10

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.files import Archive, DataFile, require
from benchmarks.datasets.images import Joined, gather
from benchmarks.datasets.splits import split_train

ORIGIN = "STL-10 (Coates, Ng, Lee 2011)"
LICENCE = "not stated; from ImageNet, research use"
IMAGE_SIZE = 96


def load_stl10(request: Request) -> Dataset:
    """Load STL-10; the seed draws a tenth of the train images as validation images.

    All images take 1.4 GB of memory. The files are memory-mapped: with a ``limit``, only the chosen images are read.
    """
    archive = Archive(STL10.url, STL10.tgz_md5)
    listed = [[name, md5] for name, md5 in STL10.train_list + STL10.test_list if not name.startswith("unlabeled")]
    files = [DataFile(f"{STL10.base_folder}/{name}", md5, archive) for name, md5 in listed]
    train, train_labels, test, test_labels = require(request.root, files, download=request.download)
    # torchvision's class would also read and check the unlabelled images. Pixels are stored column by column.
    shape = (-1, 3, IMAGE_SIZE, IMAGE_SIZE)
    arrays = [np.memmap(path, np.uint8, "r").reshape(shape).swapaxes(2, 3) for path in (train, test)]
    count = len(arrays[0])
    parts = split_train(count, len(arrays[1]), count // 10, np.random.default_rng(request.seed))
    labels = np.concatenate([np.fromfile(path, np.uint8) for path in (train_labels, test_labels)])  # from 1 to 10
    classes = torch.from_numpy(labels).long() - 1
    source = Source("stl10", ORIGIN, LICENCE, 10, 3, IMAGE_SIZE, classes, partial(gather, Joined(arrays)))
    return assemble(source, parts, request)
