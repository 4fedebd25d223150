"""The data sets that a training run may name; ``benchmarks.datasets`` loads them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Images:
    """The properties of a data set that are known before any image is read."""

    loader: str  # "module:function" below ``benchmarks.datasets``, imported late because it imports torch
    channels: int
    image_size: int | None  # side in pixels; None if the images have no common size
    classes: int | None  # None if the number of classes is known only from the files


DATASETS: Mapping[str, Images] = {
    "rotated-digits": Images("digits:load_rotated_digits", 1, 16, 10),
    "digits": Images("digits:load_digits", 1, 16, 10),
    "mnist": Images("mnist:load_mnist", 1, 28, 10),
    "rotated-mnist": Images("rotated_mnist:load_rotated_mnist", 1, 28, 10),
    "mnist-upright": Images("mnist:load_mnist_upright", 1, 28, 10),
    "mnist-tilted": Images("mnist:load_mnist_tilted", 1, 28, 10),
    "mnist-scale": Images("mnist:load_mnist_scale", 1, 28, 10),
    "mnist-rot-scale": Images("mnist:load_mnist_rot_scale", 1, 28, 10),
    "cifar10": Images("cifar:load_cifar10", 3, 32, 10),
    "cifar10-jpeg": Images("cifar10_jpeg:load_cifar10_jpeg", 3, 32, 10),
    "cifar100": Images("cifar:load_cifar100", 3, 32, 100),
    "pcam": Images("pcam:load_pcam", 3, 96, 2),
    "galaxy10": Images("galaxy10:load_galaxy10", 3, 69, 10),
    "stl10": Images("stl10:load_stl10", 3, 96, 10),
    "folder": Images("folder:load_folder", 3, None, None),
    "synthetic": Images("synthetic:load_synthetic", 1, 28, 10),
}
