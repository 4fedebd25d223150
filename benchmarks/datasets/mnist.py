"""MNIST, and the sets that are made from MNIST by turning and scaling every image once."""

import gzip
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.datasets import MNIST

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.files import Archive, DataFile, require
from benchmarks.datasets.images import gather
from benchmarks.datasets.splits import split_pool, split_train
from benchmarks.datasets.turn_and_scale import turn_and_scale

ORIGIN = "MNIST (LeCun, Cortes, Burges)"
LICENCE = "CC BY-SA 3.0"
FOLDER = "MNIST/raw"  # torchvision's layout
IMAGE_SIZE = 28
VALIDATION = 5_000  # of the 60,000 train images
# Train, validation and test of the generated sets, and the range of their scales, as in Ghosh and Gupta (2019) and
# Sosnovik et al. (2020).
MADE_SIZES = (10_000, 2_000, 50_000)
SCALES = (0.3, 1.0)
TILT = 30.0  # degrees
# MD5 of the files as they are published, and of the same files unpacked.
MD5 = dict(MNIST.resources) | {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


@dataclass(frozen=True)
class Digits:
    """The images of the files that exist; those of the train files come first.

    Args:
        images: uint8, shape (N, 1, 28, 28).
        labels: int64, shape (N,).
        train, test: numbers of images from the train files and from the test files; one of them may be 0.
    """

    images: np.ndarray
    labels: Tensor
    train: int
    test: int

    @property
    def origin(self) -> str:
        """The source of the images, in words."""
        if self.train and self.test:
            return ORIGIN
        files, count = ("train", self.train) if self.train else ("test", self.test)
        return f"{ORIGIN}, the {count:,} images of its {files} files alone"


def load_mnist(request: Request) -> Dataset:
    """Load MNIST: 55,000 / 5,000 / 10,000 images, the validation images drawn from the train images.

    Where only the train files or only the test files exist, the seed draws parts of 80, 10 and 10 % from their images.
    """
    digits = read_digits(request)
    generator = np.random.default_rng(request.seed)
    if digits.train and digits.test:
        parts = split_train(digits.train, digits.test, min(VALIDATION, digits.train // 10), generator)
    else:
        parts = split_pool(len(digits.labels), generator)
    read = partial(gather, digits.images)
    return assemble(Source("mnist", digits.origin, LICENCE, 10, 1, IMAGE_SIZE, digits.labels, read), parts, request)


def load_mnist_upright(request: Request) -> Dataset:
    """Load MNIST as it is, in the parts of the generated sets."""
    return make_posed("mnist-upright", request, angles=(0.0, 0.0), scales=(1.0, 1.0))


def load_mnist_tilted(request: Request) -> Dataset:
    """Load MNIST, each image turned by a uniformly random angle of at most ``TILT`` to either side."""
    return make_posed("mnist-tilted", request, angles=(-TILT, TILT), scales=(1.0, 1.0))


def load_mnist_scale(request: Request) -> Dataset:
    """Load MNIST, each image shrunk by a uniformly random factor."""
    return make_posed("mnist-scale", request, angles=(0.0, 0.0), scales=SCALES)


def load_mnist_rot_scale(request: Request) -> Dataset:
    """Load MNIST, each image turned by a uniformly random angle and shrunk by a uniformly random factor."""
    return make_posed("mnist-rot-scale", request, angles=(0.0, 360.0), scales=SCALES)


def make_posed(name: str, request: Request, *, angles: tuple[float, float], scales: tuple[float, float]) -> Dataset:
    """Turn and scale every image of MNIST once, by random numbers that the seed determines.

    NumPy's default_rng(seed) draws the split, 10,000 / 2,000 / 50,000 of all 70,000 images (80, 10 and 10 % where there
    are fewer than 62,000 images), then an angle and a factor for every image, uniformly. An image is first resized to
    ``image_size``, then turned and scaled in one bilinear interpolation.

    Args:
        angles: range in degrees, counter-clockwise.
        scales: range of the factors.
    """
    digits = read_digits(request)
    count = len(digits.labels)
    generator = np.random.default_rng(request.seed)
    parts = split_pool(count, generator, MADE_SIZES if count >= sum(MADE_SIZES) else None)
    angle = torch.from_numpy(generator.uniform(*angles, count))
    scale = torch.from_numpy(generator.uniform(*scales, count))

    def read(places: Tensor, size: int) -> Tensor:
        return turn_and_scale(gather(digits.images, places, size), angle[places], scale[places], size)

    poses = f"angles {angles[0]:g}° to {angles[1]:g}°, factors {scales[0]:g} to {scales[1]:g}"
    origin = f"made from {digits.origin}; {poses}"
    return assemble(Source(name, origin, LICENCE, 10, 1, IMAGE_SIZE, digits.labels, read), parts, request)


def read_digits(request: Request) -> Digits:
    """Read the IDX files that exist, packed or not: the train files, the test files or both.

    Raises:
        DataError: when no file exists (the message names the first expected file), when images or labels of a part are
            missing, or for a file that is not as published.
    """
    folder, counts = request.root / FOLDER, {"train": 0, "t10k": 0}
    parts = [part for part in counts if request.download or any(folder.glob(f"{part}-*-ubyte*"))]
    images, labels = [], []
    for part in parts or ["train"]:
        files = [_file(request.root, f"{part}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1")]
        pixels, classes = (_read_idx(path) for path in require(request.root, files, download=request.download))
        counts[part] = len(classes)
        images.append(pixels[:, None])
        labels.append(classes)
    return Digits(np.concatenate(images), torch.from_numpy(np.concatenate(labels)).long(), *counts.values())


def _file(root: Path, name: str) -> DataFile:
    archive = Archive(MNIST.mirrors[0] + f"{name}.gz", MD5[f"{name}.gz"], FOLDER)
    packed = (root / FOLDER / archive.name).exists() or not (root / FOLDER / name).exists()
    name = archive.name if packed else name
    return DataFile(f"{FOLDER}/{name}", MD5[name], archive)


def _read_idx(path: Path) -> np.ndarray:
    """Read an IDX file of bytes: two zeros, the type, the number of axes, the axes as big-endian int32, the values."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    axes = content[3]
    shape = np.frombuffer(content, ">i4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
