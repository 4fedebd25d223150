"""MNIST, and what is made of it by turning and scaling every image once."""

import gzip
from dataclasses import dataclass
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
# Train, validation and test of the sets that are made, as Ghosh and Gupta (2019) and Sosnovik et al. (2020) have them.
MADE_SIZES = (10_000, 2_000, 50_000)
SCALES = (0.3, 1.0)  # theirs too
ALL_ANGLES, UPRIGHT = (0.0, 360.0), (0.0, 0.0)
TRUE_SIZE = (1.0, 1.0)
# MD5 of the files as they are published, and of the same unpacked.
MD5 = dict(MNIST.resources) | {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


@dataclass(frozen=True)
class Digits:
    """The images that are there, those of the train files first.

    Args:
        images: uint8, shape (N, 1, 28, 28).
        labels: int64, shape (N,).
        train, test: how many came from which files; one of them may be 0.
    """

    images: np.ndarray
    labels: Tensor
    train: int
    test: int

    @property
    def origin(self) -> str:
        """What there is, in words."""
        if self.train and self.test:
            return ORIGIN
        files, count = ("train", self.train) if self.train else ("test", self.test)
        return f"{ORIGIN}, the {count:,} images of its {files} files alone"


def load_mnist(request: Request) -> Dataset:
    """MNIST: 55,000 / 5,000 / 10,000, or 80, 10 and 10 % of what is there where that is the train or test files alone.

    The validation images are drawn from the train images. Without any file, the error names the first.
    """
    digits = read_digits(request)
    generator = np.random.default_rng(request.seed)
    if digits.train and digits.test:
        held_out = min(VALIDATION, digits.train // 10)
        parts = split_train(digits.train, digits.test, held_out, generator)
    else:
        parts = split_pool(len(digits.labels), generator)
    size = request.image_size or IMAGE_SIZE

    def read(indices: Tensor) -> Tensor:
        return gather(digits.images, indices, size)

    source = Source("mnist", digits.origin, LICENCE, 10, (1, size, size), digits.labels, read)
    return assemble(source, parts, request)


def load_mnist_scale(request: Request) -> Dataset:
    """MNIST, each image drawn smaller by a uniformly random factor."""
    return make_posed("mnist-scale", request, angles=UPRIGHT, scales=SCALES)


def load_mnist_rot_scale(request: Request) -> Dataset:
    """MNIST, each image turned by a uniformly random angle and drawn smaller by a uniformly random factor."""
    return make_posed("mnist-rot-scale", request, angles=ALL_ANGLES, scales=SCALES)


def make_posed(
    name: str, request: Request, *, angles: tuple[float, float] = ALL_ANGLES, scales: tuple[float, float] = TRUE_SIZE
) -> Dataset:
    """Turn and scale every image of MNIST once, by what the seed fixes.

    The rule: NumPy's default_rng(seed) draws the split, 10,000 / 2,000 / 50,000 of all 70,000 images (or 80, 10 and
    10 % where there are fewer than 62,000), then an angle and a factor for every image there, uniformly. An image is
    brought to ``image_size``, where that is not 28, and then turned and scaled in one bilinear interpolation.

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
    size = request.image_size or IMAGE_SIZE

    def read(indices: Tensor) -> Tensor:
        return turn_and_scale(gather(digits.images, indices, size), angle[indices], scale[indices], size)

    poses = f"angles {angles[0]:g}° to {angles[1]:g}°, factors {scales[0]:g} to {scales[1]:g}"
    source = Source(name, f"made from {digits.origin}; {poses}", LICENCE, 10, (1, size, size), digits.labels, read)
    return assemble(source, parts, request)


def read_digits(request: Request) -> Digits:
    """Read whatever IDX files are there, packed or not: the train files, the test files or both.

    Raises:
        DataError: when there are none, when images or labels of a part are missing, or for a file that is not as
            published.
    """
    parts = [part for part in ("train", "t10k") if request.download or _is_there(request.root, part)]
    counts = dict.fromkeys(("train", "t10k"), 0)
    images, labels = [], []
    for part in parts or ["train"]:  # without any, the first missing file is named
        files = [_file(request.root, f"{part}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1")]
        pixels, classes = (_read_idx(path) for path in require(request.root, files, download=request.download))
        counts[part] = len(classes)
        images.append(pixels[:, None])
        labels.append(classes)
    return Digits(
        np.concatenate(images), torch.from_numpy(np.concatenate(labels)).long(), counts["train"], counts["t10k"]
    )


def _is_there(root: Path, part: str) -> bool:
    return any((root / FOLDER).glob(f"{part}-*-ubyte*"))


def _file(root: Path, name: str) -> DataFile:
    archive = Archive(MNIST.mirrors[0] + f"{name}.gz", MD5[f"{name}.gz"], FOLDER)
    packed = (root / FOLDER / archive.name).exists() or not (root / FOLDER / name).exists()
    name = archive.name if packed else name
    return DataFile(f"{FOLDER}/{name}", MD5[name], archive)


def _read_idx(path: Path) -> np.ndarray:
    """An IDX file of bytes: two zeros, the type, the number of axes, the axes as big-endian int32, the values."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    axes = content[3]
    shape = np.frombuffer(content, ">i4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
