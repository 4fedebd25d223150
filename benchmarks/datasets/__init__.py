"""Data sets of images in three parts: ``load("rotated-mnist", "data")``; docs/datasets.md lists them.

Each module here loads one data set, or several from the same files. A new data set needs a module here and a row in
``cases.datasets``. Training on the images is in ``training``.
"""

import importlib
from pathlib import Path

from benchmarks.cases.datasets import DATASETS
from benchmarks.cases.meant import unknown
from benchmarks.datasets.dataset import Dataset, Request, Split
from benchmarks.datasets.files import DataError

__all__ = ["DataError", "Dataset", "Request", "Split", "load"]


def load(
    name: str,
    root: str | Path,
    *,
    image_size: int | None = None,
    download: bool = False,
    seed: int = 0,
    limit: int | None = None,
    train_limit: int | None = None,
) -> Dataset:
    """Load a data set, split by ``seed`` and normalised by its train images.

    Args:
        name: a key of ``cases.datasets.DATASETS``.
        root: the folder of the files, in torchvision's layout where torchvision has the data set, else in that of the
            publisher; for "folder" the folder of images itself.
        image_size: side in pixels; None keeps the images' own size. "folder" needs a size.
        download: whether to fetch files that are missing or corrupt.
        seed: seed of the split, and of angles and scales in generated sets; independent of the seed of a training run.
        limit: maximum number of images in each part, drawn by the seed. Of large data sets (PCam) only these images
            are read, so that the limit bounds time and memory.
        train_limit: maximum number of train images, the first of those that ``limit`` allows.

    Raises:
        DataError: for a file that is missing, truncated or corrupt, and for images that do not fit into memory; the
            message is one line.
        ValueError: for an argument that is not allowed.
    """
    if name not in DATASETS:
        raise ValueError(unknown("data set", name, DATASETS))
    request = Request(Path(root).expanduser(), image_size, download, seed, limit, train_limit)
    module, _, function = DATASETS[name].loader.partition(":")
    dataset: Dataset = getattr(importlib.import_module(f"{__name__}.{module}"), function)(request)
    return dataset
