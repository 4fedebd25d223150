"""The images that a run learns from, and their order in each epoch."""

import dataclasses
import math
import random

import numpy as np
import torch
from torch import Tensor

from benchmarks.cases.training_run import TrainingRun
from benchmarks.datasets import Dataset, Split, load
from benchmarks.training.folders import Folders


def load_images(run: TrainingRun, folders: Folders) -> Dataset:
    """Load the data set of a run.

    Raises:
        DataError: for files that are missing or damaged.
    """
    limits = {"limit": run.limit, "train_limit": run.train_limit}
    size, seed, root = run.image_size, run.data_seed, folders.data_root
    return load(run.dataset, root, image_size=size, download=folders.download, seed=seed, **limits)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global state is meant
    torch.manual_seed(seed)


def epoch_order(run: TrainingRun, epoch: int, count: int) -> Tensor:
    """Return the indices of the images of an epoch, in their order; seed and epoch alone determine them.

    Where an epoch has more images than there are, all are seen before the first is seen again. The result has the
    shape (run.epoch_images,), or else (count,).
    """
    generator, wanted = np.random.default_rng((run.seed, epoch)), run.epoch_images or count
    rounds = [generator.permutation(count) for _ in range(math.ceil(wanted / count))]
    return torch.from_numpy(np.concatenate(rounds)[:wanted])


def to_device(split: Split, run: TrainingRun) -> Split:
    """Move images and labels to the device and the memory format of a run."""
    images, labels = split.images.to(run.device), split.labels.to(run.device)
    if run.channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    return dataclasses.replace(split, images=images, labels=labels)
