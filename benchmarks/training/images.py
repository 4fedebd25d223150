"""The images that a run learns from, and the order in which it sees them."""

import dataclasses
import random

import numpy as np
import torch
import torch._dynamo  # the first optimiser imports it: a second for the process server, instead of one for every run
from torch import Tensor

from benchmarks.cases.training_run import TrainingRun
from benchmarks.datasets import Dataset, Split, load
from benchmarks.training.folders import Folders


def load_images(run: TrainingRun, folders: Folders) -> Dataset:
    """The data set of a run.

    Raises:
        DataError: for files that are not there or damaged.
    """
    size, seed, limit = run.image_size, run.data_seed, run.limit
    return load(run.dataset, folders.data_root, image_size=size, download=folders.download, seed=seed, limit=limit)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global state is what is meant
    torch.manual_seed(seed)


def epoch_order(run: TrainingRun, epoch: int, count: int) -> Tensor:
    """The order of the train images in an epoch, which depends on the seed and the epoch alone, shape (count,)."""
    return torch.from_numpy(np.random.default_rng((run.seed, epoch)).permutation(count))


def to_device(split: Split, run: TrainingRun) -> Split:
    images, labels = split.images.to(run.device), split.labels.to(run.device)
    if run.channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    return dataclasses.replace(split, images=images, labels=labels)
