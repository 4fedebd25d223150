"""What every data set is in the end: three parts of normalised images in memory, and where they came from."""

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
        indices: where each image stands in the source, shape (N,); no two parts share one.
    """

    images: Tensor
    labels: Tensor
    indices: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """Train, validation and test images, split once and for all by ``split_seed``.

    Args:
        name: which it is; sets that stand in for a published one say so here.
        source: where the images came from and what was done to them.
        licence: of the images, as their publisher states it.
        image_size: S, pixels.
        mean, std: of each channel of the train images, on a scale from 0 to 1; all images are normalised with them.
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
        """What a record says about the data."""
        return {
            "name": self.name,
            **{part: len(getattr(self, part)) for part in PART_NAMES},
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

    def __post_init__(self) -> None:
        lowest = {"image_size": (self.image_size, 1), "seed": (self.seed, 0), "limit": (self.limit, 1)}
        for name, (value, least) in lowest.items():
            if value is not None and value < least:
                raise ValueError(f"{name} {value} is not allowed; allowed: integers of at least {least}")


@dataclass(frozen=True)
class Source:
    """Labelled images, read when they are asked for.

    Args:
        name, origin, licence, num_classes: as in ``Dataset``, whose source the origin becomes.
        shape: (C, S, S) of an image as it is read.
        labels: int64, shape (N,).
        read: from the places of n images to the images, float32 in [0, 1], shape (n, C, S, S), newly made.
    """

    name: str
    origin: str
    licence: str
    num_classes: int
    shape: tuple[int, int, int]
    labels: Tensor
    read: Callable[[Tensor], Tensor]


def assemble(source: Source, parts: Parts, request: Request) -> Dataset:
    """Read the parts of a source, at most ``request.limit`` images of each, and normalise them by the train images.

    Raises:
        DataError: when a part is empty, or all of them do not fit into the memory that is free.
    """
    train, validation, test = (part[: request.limit] for part in parts)
    indices = (train, validation, test)
    for name, part in zip(PART_NAMES, indices, strict=True):
        if len(part) == 0:
            raise DataError(f"{source.name} has {len(source.labels)} images, too few to have some in {name}")
    _check_memory(source, sum(len(part) for part in indices))
    images = [source.read(part) for part in indices]
    std, mean = torch.std_mean(images[0], dim=(0, 2, 3), keepdim=True)
    std = torch.where(std > 0, std, 1)  # a channel that is the same everywhere stays so, at 0
    splits = [
        Split(pixels.sub_(mean).div_(std), source.labels[part], part)
        for pixels, part in zip(images, indices, strict=True)
    ]
    return Dataset(
        source.name,
        source.origin,
        source.licence,
        source.shape[-1],
        source.num_classes,
        request.seed,
        tuple(mean.flatten().tolist()),
        tuple(std.flatten().tolist()),
        *splits,
    )


def _check_memory(source: Source, count: int) -> None:
    channels, height, width = source.shape
    needed = count * channels * height * width * torch.float32.itemsize
    available = psutil.virtual_memory().available
    if needed > available:
        raise DataError(
            f"{source.name}: {count} images of {channels} × {height} × {width} take {needed / 1e6:.0f} MB; "
            f"allowed: the {available / 1e6:.0f} MB that are free; set a limit or a smaller image_size"
        )
