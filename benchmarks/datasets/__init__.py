"""Images to learn from, in three parts: ``load("rotated-mnist", "data")``; docs/datasets.md lists what there is."""

from collections.abc import Callable
from pathlib import Path

from benchmarks.datasets.cifar import load_cifar10, load_cifar100
from benchmarks.datasets.dataset import Dataset, Request, Split
from benchmarks.datasets.digits import SPLIT_SIZES, load_digits, load_rotated_digits, rotated_digits
from benchmarks.datasets.files import DataError
from benchmarks.datasets.folder import load_folder
from benchmarks.datasets.galaxy10 import load_galaxy10
from benchmarks.datasets.mnist import load_mnist, load_mnist_rot_scale, load_mnist_scale
from benchmarks.datasets.pcam import load_pcam
from benchmarks.datasets.rotated_mnist import load_rotated_mnist
from benchmarks.datasets.stl10 import load_stl10
from benchmarks.datasets.synthetic import load_synthetic

__all__ = ["LOADERS", "SPLIT_SIZES", "DataError", "Dataset", "Request", "Split", "load", "rotated_digits"]

LOADERS: dict[str, Callable[[Request], Dataset]] = {
    "rotated-digits": load_rotated_digits,
    "digits": load_digits,
    "mnist": load_mnist,
    "rotated-mnist": load_rotated_mnist,
    "mnist-scale": load_mnist_scale,
    "mnist-rot-scale": load_mnist_rot_scale,
    "cifar10": load_cifar10,
    "cifar100": load_cifar100,
    "pcam": load_pcam,
    "galaxy10": load_galaxy10,
    "stl10": load_stl10,
    "folder": load_folder,
    "synthetic": load_synthetic,
}


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
        name: a key of ``LOADERS``.
        root: where the files are, each data set in the layout of its publisher (torchvision's, where it has one); for
            "folder" the folder of images itself.
        image_size: side in pixels; None is the images' own. "folder" needs one.
        download: fetch what is missing or corrupt.
        seed: of the split, and of the poses of generated sets; nothing to do with the seed of a training run.
        limit: at most so many images in each part, drawn by the seed. Nothing else is read, so that it bounds time and
            memory of the big ones (PCam).

    Raises:
        DataError: in one line, for a file that is missing, truncated or corrupt, and for images that do not fit into
            memory.
        ValueError: for an argument that is not allowed.
    """
    if name not in LOADERS:
        raise ValueError(f"unknown data set {name!r}; allowed: {', '.join(LOADERS)}")
    request = Request(Path(root).expanduser(), image_size=image_size, download=download, seed=seed, limit=limit)
    return LOADERS[name](request)
