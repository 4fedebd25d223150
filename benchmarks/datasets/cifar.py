"""CIFAR-10 and CIFAR-100: 45,000 / 5,000 / 10,000 colour images of 32×32."""

import numpy as np
import torch
from torch import Tensor
from torchvision.datasets import CIFAR10, CIFAR100

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.files import Archive, DataFile, require
from benchmarks.datasets.images import Joined, gather
from benchmarks.datasets.splits import split_train

LICENCE = "not stated; cite Krizhevsky (2009)"
IMAGE_SIZE = 32
VALIDATION_SHARE = 10  # one train image in so many is held out


def load_cifar10(request: Request) -> Dataset:
    """CIFAR-10; the validation images are drawn from the train images."""
    return _load("cifar10", CIFAR10, 10, request)


def load_cifar100(request: Request) -> Dataset:
    """CIFAR-100, its fine labels; the validation images are drawn from the train images."""
    return _load("cifar100", CIFAR100, 100, request)


def _load(name: str, published: type[CIFAR10], num_classes: int, request: Request) -> Dataset:
    archive = Archive(published.url, published.tgz_md5)
    listed = [*published.train_list, *published.test_list, [published.meta["filename"], published.meta["md5"]]]
    files = [DataFile(f"{published.base_folder}/{file}", md5, archive) for file, md5 in listed]
    require(request.root, files, download=request.download)  # they are pickles: read only what has its checksum
    train, test = (published(str(request.root), train=part) for part in (True, False))
    generator = np.random.default_rng(request.seed)
    parts = split_train(len(train), len(test), len(train) // VALIDATION_SHARE, generator)
    size = request.image_size or IMAGE_SIZE
    rows = Joined([train.data, test.data])

    def read(indices: Tensor) -> Tensor:
        return gather(rows, indices, size, channels_last=True)

    labels = torch.tensor(train.targets + test.targets)
    source = Source(name, f"{name.upper()} (Krizhevsky 2009)", LICENCE, num_classes, (3, size, size), labels, read)
    return assemble(source, parts, request)
