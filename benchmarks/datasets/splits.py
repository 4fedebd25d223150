"""Random division of images into disjoint parts for training, validation and test, determined by a generator."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

# Indices of the train, validation and test images, in random order: the first of a part are a random sample of it.
Parts = tuple[Tensor, Tensor, Tensor]


def split_pool(count: int, generator: np.random.Generator, sizes: Sequence[int] | None = None) -> Parts:
    """Draw three parts from images that have no test part of their own.

    Args:
        count: number of images.
        sizes: sizes of train, validation and test, in total at most ``count``; None means 80, 10 and 10 %.
    """
    tenth = count // 10
    sizes = (count - 2 * tenth, tenth, tenth) if sizes is None else sizes
    order = torch.from_numpy(generator.permutation(count))[: sum(sizes)]
    train, validation, test = order.split(list(sizes))
    return train, validation, test


def split_train(train: int, test: int, validation: int, generator: np.random.Generator) -> Parts:
    """Draw the validation images from the train images of a source; its test images become the test part.

    Args:
        train, test: numbers of images in the source, where the train images come first.
        validation: number of train images that are held out.
    """
    order = torch.from_numpy(generator.permutation(train))
    kept, held_out = order.split([train - validation, validation])
    return kept, held_out, train + torch.from_numpy(generator.permutation(test))
