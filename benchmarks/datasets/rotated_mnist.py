"""Rotated MNIST: the published set, or, if it is missing, a set that is made from MNIST and has another name."""

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.files import Archive, DataError, DataFile, how_to_get, require
from benchmarks.datasets.images import resize
from benchmarks.datasets.mnist import IMAGE_SIZE, make_posed
from benchmarks.datasets.splits import split_train

ORIGIN = "rotated MNIST (Larochelle et al. 2007), the original archive"
LICENCE = "not stated; made from MNIST"
URL = "http://www.iro.umontreal.ca/~lisa/icml2007data/mnist_rotation_new.zip"
ARCHIVE = Archive(URL, "0f9a947ff3d30e95cd685462cbf3b847")
UNPACKED = "mnist_rotation_new"  # the folder of the unpacked archive
# Text files: each line has the pixels of an image, in [0, 1], row by row, and its label.
TRAIN_FILE = "mnist_all_rotation_normalized_float_train_valid.amat"
TEST_FILE = "mnist_all_rotation_normalized_float_test.amat"
LINES = {TRAIN_FILE: 12_000, TEST_FILE: 50_000}


def load_rotated_mnist(request: Request) -> Dataset:
    """Load rotated MNIST: 10,000 / 2,000 / 50,000; the seed draws a sixth of the 12,000 train images for validation.

    The data root holds ``mnist_rotation_new.zip`` or the unpacked folder of that name. Where both are missing, and
    without ``download``, ``mnist.make_posed`` makes "rotated-mnist-generated" from the files of MNIST that exist.
    """
    zipped, folder = request.root / ARCHIVE.name, request.root / UNPACKED
    if not (request.download or zipped.exists() or folder.exists()):
        try:
            return make_posed("rotated-mnist-generated", request, angles=(0.0, 360.0), scales=(1.0, 1.0))
        except DataError as error:
            raise DataError(f"{zipped} is missing ({how_to_get(ARCHIVE)}); to make it from MNIST: {error}") from None
    holder: Path | zipfile.Path = folder
    if zipped.exists() or not folder.exists():
        require(request.root, [DataFile(ARCHIVE.name, ARCHIVE.digest, ARCHIVE)], download=request.download)
        holder = zipfile.Path(zipped)
    train, train_labels = _read_amat(holder / TRAIN_FILE)
    test, test_labels = _read_amat(holder / TEST_FILE)
    parts = split_train(len(train), len(test), len(train) // 6, np.random.default_rng(request.seed))
    images, labels = torch.cat([train, test]), torch.cat([train_labels, test_labels])

    def read(places: Tensor, size: int) -> Tensor:
        return resize(images[places], size)

    source = Source("rotated-mnist", ORIGIN, LICENCE, 10, 1, IMAGE_SIZE, labels, read)
    return assemble(source, parts, request)


def _read_amat(path: Path | zipfile.Path) -> tuple[Tensor, Tensor]:
    columns, lines = IMAGE_SIZE**2 + 1, LINES[path.name]
    remedy = f"remove {UNPACKED} and {how_to_get(ARCHIVE)}"
    try:
        with path.open(encoding="ascii") as text:
            table = np.loadtxt(text, dtype=np.float32, ndmin=2)
    except FileNotFoundError:
        raise DataError(f"{path} is missing; {remedy}") from None
    except ValueError as error:  # words, or lines of different lengths
        reason = str(error).split(";")[0]  # after the semicolon NumPy gives advice on arguments
        raise DataError(f"{path} is truncated or corrupt: {reason}; {remedy}") from None
    if table.shape != (lines, columns):
        found = f"{table.shape[0]} lines of {table.shape[1]} numbers, expected {lines} of {columns}"
        raise DataError(f"{path} is truncated or corrupt: {found}; {remedy}")
    if not (np.isfinite(table).all() and np.isin(table[:, -1], range(10)).all()):
        raise DataError(f"{path} is corrupt: not all labels are digits and all pixels numbers; {remedy}")
    images = torch.from_numpy(table[:, :-1]).reshape(lines, 1, IMAGE_SIZE, IMAGE_SIZE)
    return images, torch.from_numpy(table[:, -1]).long()
