"""CIFAR-10 and CIFAR-100: 45,000 / 5,000 / 10,000 colour images of 32×32."""

from functools import partial

import numpy as np
import torch
from torchvision.datasets import CIFAR10, CIFAR100

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.files import Archive, DataFile, require
from benchmarks.datasets.images import Joined, gather
from benchmarks.datasets.splits import split_train

LICENCE = "not stated; cite Krizhevsky (2009)"


def load_cifar10(request: Request) -> Dataset:
    """Load CIFAR-10; the seed draws a tenth of the train images as validation images."""
    return _load("cifar10", CIFAR10, 10, request)


def load_cifar100(request: Request) -> Dataset:
    """Load CIFAR-100 with its fine labels; the seed draws a tenth of the train images as validation images."""
    return _load("cifar100", CIFAR100, 100, request)


def _load(name: str, published: type[CIFAR10], num_classes: int, request: Request) -> Dataset:
    archive = Archive(published.url, published.tgz_md5)
    listed = [*published.train_list, *published.test_list, [published.meta["filename"], published.meta["md5"]]]
    files = [DataFile(f"{published.base_folder}/{file}", md5, archive) for file, md5 in listed]
    require(request.root, files, download=request.download)  # before torchvision unpickles: a pickle can run any code
    train, test = (published(str(request.root), train=part) for part in (True, False))
    parts = split_train(len(train), len(test), len(train) // 10, np.random.default_rng(request.seed))
    read = partial(gather, Joined([train.data, test.data]), channels_last=True)
    labels = torch.tensor(train.targets + test.targets)
    origin = f"{name.upper()} (Krizhevsky 2009)"
    return assemble(Source(name, origin, LICENCE, num_classes, 3, 32, labels, read), parts, request)
