"""The user's own images: a folder with one folder for each class, as torchvision's ImageFolder has it."""

import numpy as np
import torch
from torch import Tensor
from torchvision.datasets import ImageFolder
from torchvision.transforms.functional import center_crop, resize

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.files import DataError
from benchmarks.datasets.images import gather
from benchmarks.datasets.splits import split_pool

LICENCE = "the user's own"


class ImageRows:
    """Image files as uint8 arrays of shape (S, S, 3): the shorter side is resized to S, the centre kept.

    Nothing is squeezed: a turned image stays one.
    """

    def __init__(self, images: ImageFolder, image_size: int) -> None:
        self.images, self.image_size = images, image_size

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        return np.stack([self._read(self.images.samples[place][0]) for place in places])

    def _read(self, path: str) -> np.ndarray:
        try:
            image = self.images.loader(path)
        except (OSError, SyntaxError, ValueError) as error:  # the decoders' words for truncated and corrupt files
            raise DataError(f"{path} is truncated or corrupt: {error}; replace or remove it") from None
        return np.asarray(center_crop(resize(image, self.image_size), self.image_size))


def load_folder(request: Request) -> Dataset:
    """Images in ``root/CLASS/…``, in colour, 80, 10 and 10 % drawn by the seed.

    Raises:
        ValueError: without an ``image_size``; the images may have any.
    """
    size = request.image_size
    if size is None:
        raise ValueError("folder needs an image_size; allowed: integers of at least 1")
    try:
        images = ImageFolder(str(request.root))
    except FileNotFoundError as error:  # no such folder, no folders in it, or one without images
        reason = " ".join(str(error).split())
        raise DataError(f"{request.root} is not a folder of images by class: {reason}") from None
    parts = split_pool(len(images), np.random.default_rng(request.seed))
    rows = ImageRows(images, size)

    def read(indices: Tensor) -> Tensor:
        return gather(rows, indices, size, channels_last=True)

    classes = len(images.classes)
    labels = torch.tensor(images.targets)
    origin = f"folder {request.root.name}"  # not the whole path: records are shared
    return assemble(Source("folder", origin, LICENCE, classes, (3, size, size), labels, read), parts, request)
