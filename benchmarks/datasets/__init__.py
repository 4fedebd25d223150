"""Data sets of images in three parts: ``load("rotated-mnist", "data")``; docs/datasets.md lists them.

Each file here loads one data set, or several from the same files; a new data set is a file here and a row of
``cases.datasets``. Nothing here trains: networks learn the images in ``training``.
"""

import importlib
from pathlib import Path

from benchmarks.cases.datasets import DATASETS
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
) -> Dataset:
    """Load a data set, split by ``seed`` and normalised by its train images.

    Args:
        name: a key of ``cases.datasets.DATASETS``.
        root: the folder of the files, each data set in the layout of its publisher (torchvision's, where torchvision
            has the data set); for "folder" the folder of images itself.
        image_size: side in pixels; None keeps the images' own size. "folder" needs a size.
        download: whether to fetch files that are missing or corrupt.
        seed: seed of the split, and of angles and scales in generated sets; independent of the seed of a training run.
        limit: maximum number of images in each part, drawn by the seed. No other images are read, so the limit bounds
            time and memory of large data sets (PCam).

    Raises:
        DataError: in one line, for a file that is missing, truncated or corrupt, and for images that do not fit into
            memory.
        ValueError: for an argument that is not allowed.
    """
    if name not in DATASETS:
        raise ValueError(f"unknown data set {name!r}; allowed: {', '.join(DATASETS)}")
    request = Request(Path(root).expanduser(), image_size=image_size, download=download, seed=seed, limit=limit)
    module, _, function = DATASETS[name].loader.partition(":")
    dataset: Dataset = getattr(importlib.import_module(f"{__name__}.{module}"), function)(request)
    return dataset
