"""Which images are for training, validation and test: disjoint random draws, fixed by a generator."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

# Folders of the train, validation and test images, in random order, so that the first ones are a random draw again.
Parts = tuple[Tensor, Tensor, Tensor]

# Of a source without parts of its own.
VALIDATION_SHARE = TEST_SHARE = 0.1


def split_pool(count: int, generator: np.random.Generator, sizes: Sequence[int] | None = None) -> Parts:
    """Draw three parts from images that have no test part of their own.

    Args:
        count: of images.
        sizes: of train, validation and test, together no more than ``count``; None is 80, 10 and 10 % of all.
    """
    if sizes is None:
        validation, test = int(VALIDATION_SHARE * count), int(TEST_SHARE * count)
        sizes = (count - validation - test, validation, test)
    order = torch.from_numpy(generator.permutation(count))[: sum(sizes)]
    train, validation_part, test_part = order.split(list(sizes))
    return train, validation_part, test_part


def split_train(train: int, test: int, validation: int, generator: np.random.Generator) -> Parts:
    """Draw the validation images from the train images of a source whose test images stay what they are.

    Args:
        train, test: how many images the source has of each, the train images first.
        validation: how many of the train images are held out.
    """
    order = torch.from_numpy(generator.permutation(train))
    kept, held_out = order.split([train - validation, validation])
    return kept, held_out, train + torch.from_numpy(generator.permutation(test))
