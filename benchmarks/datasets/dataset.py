"""The ``Dataset`` that every loader returns: three parts of normalised images in memory, and where they came from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor

from benchmarks.datasets.files import DataError
from benchmarks.datasets.splits import Parts

PART_NAMES = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """One part of a data set.

    Args:
        images: normalised, float32, shape (N, C, S, S).
        labels: int64, shape (N,).
        indices: index of each image in the source, shape (N,); no index is in two parts.
    """

    images: Tensor
    labels: Tensor
    indices: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """Train, validation and test images, split by ``split_seed``.

    Args:
        name: name of the data set; a generated set that replaces a published one has a name of its own.
        source: where the images came from and how they were changed.
        licence: licence of the images, as their publisher states it.
        image_size: S, pixels.
        mean, std: statistics of each channel of the train images, on a scale from 0 to 1; all images are normalised
            with them.
    """

    name: str
    source: str
    licence: str
    image_size: int
    num_classes: int
    split_seed: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    train: Split
    validation: Split
    test: Split

    @property
    def channels(self) -> int:
        """C of the images."""
        return len(self.mean)

    def description(self) -> dict[str, Any]:
        """Return the fields of a training record that describe the data."""
        return {
            "name": self.name,
            **{part: len(getattr(self, part)) for part in PART_NAMES},
            "channels": self.channels,
            "classes": self.num_classes,
            "source": self.source,
            "licence": self.licence,
            "split_seed": self.split_seed,
        }


@dataclass(frozen=True)
class Request:
    """The arguments of ``load``, which explains them.

    Raises:
        ValueError: for a value that is not allowed.
    """

    root: Path
    image_size: int | None = None
    download: bool = False
    seed: int = 0
    limit: int | None = None
    train_limit: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("image_size", 1), ("seed", 0), ("limit", 1), ("train_limit", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} {value} is not allowed; allowed: integers of at least {least}")


@dataclass(frozen=True)
class Source:
    """Labelled images, read on demand.

    Args:
        name, licence, num_classes: as in ``Dataset``.
        origin: the field ``source`` of the ``Dataset``.
        channels: C of the images.
        image_size: S, in pixels, unless the request gives another.
        labels: int64, shape (N,).
        read: function of n indices and S that returns new images, float32 in [0, 1], shape (n, C, S, S).
    """

    name: str
    origin: str
    licence: str
    num_classes: int
    channels: int
    image_size: int
    labels: Tensor
    read: Callable[[Tensor, int], Tensor]


def assemble(source: Source, parts: Parts, request: Request) -> Dataset:
    """Read at most as many images of each part as the request's limits allow, and normalise them by the train images.

    Raises:
        DataError: when a part is empty, or the images do not fit into the free memory.
    """
    train, validation, test = (part[: request.limit] for part in parts)
    indices = [train[: request.train_limit], validation, test]
    for name, part in zip(PART_NAMES, indices, strict=True):
        if len(part) == 0:
            raise DataError(f"{source.name} has {len(source.labels)} images, too few: none is left for {name}")
    count, channels, size = sum(map(len, indices)), source.channels, request.image_size or source.image_size
    needed, available = count * channels * size**2 * torch.float32.itemsize, psutil.virtual_memory().available
    if needed > available:
        raise DataError(
            f"{source.name}: {count} images of {channels} × {size} × {size} take {needed / 2**20:.0f} MiB; "
            f"allowed: the {available / 2**20:.0f} MiB that are free; set a limit or a smaller image_size"
        )
    images = [source.read(part, size) for part in indices]
    std, mean = torch.std_mean(images[0], dim=(0, 2, 3), keepdim=True)
    std = torch.where(std > 0, std, 1)  # a constant channel becomes 0
    splits = [
        Split(pixels.sub_(mean).div_(std), source.labels[part], part)
        for pixels, part in zip(images, indices, strict=True)
    ]
    statistics = tuple(mean.flatten().tolist()), tuple(std.flatten().tolist())
    return Dataset(
        source.name, source.origin, source.licence, size, source.num_classes, request.seed, *statistics, *splits
    )
