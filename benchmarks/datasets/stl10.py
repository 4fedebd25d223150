"""STL-10: 4,500 / 500 / 8,000 colour images of 96×96; the unlabelled ones are neither needed nor read."""

import numpy as np
import torch
from torch import Tensor
from torchvision.datasets import STL10

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.files import Archive, DataFile, require
from benchmarks.datasets.images import Joined, gather
from benchmarks.datasets.splits import split_train

ORIGIN = "STL-10 (Coates, Ng, Lee 2011)"
LICENCE = "not stated; from ImageNet, research use"
IMAGE_SIZE = 96
VALIDATION_SHARE = 10  # one train image in so many is held out


def load_stl10(request: Request) -> Dataset:
    """STL-10; the validation images are drawn from the train images.

    All of it takes 1.4 GB in memory. The files are mapped, so that what ``limit`` leaves out stays on the disk.
    """
    archive = Archive(STL10.url, STL10.tgz_md5)
    listed = [[name, md5] for name, md5 in STL10.train_list + STL10.test_list if not name.startswith("unlabeled")]
    files = [DataFile(f"{STL10.base_folder}/{name}", md5, archive) for name, md5 in listed]
    train, train_labels, test, test_labels = require(request.root, files, download=request.download)
    # Unlike torchvision's class, which holds and checks the unlabelled images too. Pixels are stored column by column.
    shape = (-1, 3, IMAGE_SIZE, IMAGE_SIZE)
    rows = Joined([np.memmap(path, np.uint8, "r").reshape(shape).swapaxes(2, 3) for path in (train, test)])
    labels = np.concatenate([np.fromfile(path, np.uint8) for path in (train_labels, test_labels)])  # from 1 to 10
    count = len(rows.arrays[0])
    generator = np.random.default_rng(request.seed)
    parts = split_train(count, len(rows) - count, count // VALIDATION_SHARE, generator)
    size = request.image_size or IMAGE_SIZE

    def read(indices: Tensor) -> Tensor:
        return gather(rows, indices, size)

    source = Source("stl10", ORIGIN, LICENCE, 10, (3, size, size), torch.from_numpy(labels).long() - 1, read)
    return assemble(source, parts, request)
