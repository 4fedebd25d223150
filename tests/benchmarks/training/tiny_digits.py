"""A few digits for training, validation and test, and a training run on them of about one second."""

import dataclasses
import itertools
from collections.abc import Callable

from benchmarks.cases.training_run import TrainingRun
from benchmarks.datasets import Dataset, Split, load

RUN = TrainingRun(
    resolution=2, channels=2, kernel_size=3, image_size=12, batch_size=16, budget=2, recipe="short", learning_rate=3e-3
)
PLAIN = dataclasses.replace(RUN, variant="plain", group="trivial", resolution=1)


def tiny_digits(train: int = 40) -> Dataset:
    """Return ``train`` train images (40 are two batches of 16 and 8 more), and 20 images in each other part."""
    whole = load("rotated-digits", ".", image_size=RUN.image_size)

    def few(split: Split, n: int) -> Split:
        return Split(split.images[:n], split.labels[:n], split.indices[:n])

    return dataclasses.replace(
        whole, train=few(whole.train, train), validation=few(whole.validation, 20), test=few(whole.test, 20)
    )


def ticking() -> Callable[[], float]:
    """Return a clock that advances by one second at each reading."""
    seconds = itertools.count(100)
    return lambda: float(next(seconds))
