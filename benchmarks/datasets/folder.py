"""The user's own images: a folder with one folder for each class, as torchvision's ImageFolder reads it."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torchvision.datasets import ImageFolder
from torchvision.transforms.functional import center_crop, resize

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.files import DataError
from benchmarks.datasets.images import gather
from benchmarks.datasets.splits import split_pool


class ImageRows:
    """Image files as uint8 arrays of shape (S, S, 3): the shorter side is resized to S, then the centre is cropped.

    Proportions are kept, so that no object is distorted.
    """

    def __init__(self, images: ImageFolder, image_size: int) -> None:
        self.images, self.image_size = images, image_size

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        return np.stack([self._read(self.images.samples[place][0]) for place in places])

    def _read(self, path: str) -> np.ndarray:
        try:
            image = self.images.loader(path)
        except (OSError, SyntaxError, ValueError) as error:  # what decoders raise for truncated and corrupt files
            raise DataError(f"{path} is truncated or corrupt: {error}; replace or remove it") from None
        return np.asarray(center_crop(resize(image, self.image_size), self.image_size))


def load_folder(request: Request) -> Dataset:
    """Load the images in ``root/CLASS/…`` in colour; the seed draws parts of 80, 10 and 10 %.

    Raises:
        ValueError: without an ``image_size``, because the images have no common size.
    """
    size = request.image_size
    if size is None:
        raise ValueError("folder needs an image_size; allowed: integers of at least 1")
    images = image_folder(request.root)
    parts = split_pool(len(images), np.random.default_rng(request.seed))
    read = partial(gather, ImageRows(images, size), channels_last=True)
    origin = f"folder {request.root.name}"  # without the path: records are shared
    classes, labels = len(images.classes), torch.tensor(images.targets)
    return assemble(Source("folder", origin, "the user's own", classes, 3, size, labels, read), parts, request)


def image_folder(
    root: Path, remedy: str = "give the folder that holds a folder of images for each class"
) -> ImageFolder:
    """List the images in ``root/CLASS/…``; raise ``DataError``, with the remedy, where there are none."""
    if not root.is_dir():
        raise DataError(f"{root} is missing; {remedy}")
    try:
        return ImageFolder(str(root))
    except FileNotFoundError as error:  # no such folder, no folder of a class, or a folder without images
        reason = " ".join(str(error).split())
        raise DataError(f"{root} is not a folder of images by class: {reason}; {remedy}") from None
