"""Augmentation: in every training step the images are turned, or scaled, at random, on the device of the network."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.cases.training_run import TrainingRun
from benchmarks.datasets.turn_and_scale import turn_and_scale

# The largest factor by which an image is scaled, and the inverse of the smallest. The 28 × 28 pixels of MNIST hold its
# digits of 20 × 20 pixels up to a factor of 1.4.
LARGEST_FACTOR = math.sqrt(2)


@dataclass(frozen=True)
class Augmentation:
    """Random poses of normalised images: ``turn_and_scale``, which poses the images of generated data sets, too.

    Args:
        rotates: whether angles are drawn, uniformly from 0° to 360°.
        scales: whether factors are drawn; their logarithms are uniform, and the largest is ``LARGEST_FACTOR``.
        mean, std: by which each channel of the images was normalised. Outside an image there are zeros, as before that.
    """

    rotates: bool
    scales: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, run: TrainingRun, mean: Sequence[float], std: Sequence[float]) -> "Augmentation":
        """Return the augmentation of a run."""
        parts = run.augmentation.split("+")
        return cls("rotations" in parts, "scales" in parts, tuple(mean), tuple(std))

    def __call__(self, images: Tensor, rows: slice = slice(None), batch_size: int | None = None) -> Tensor:
        """Return the images in random poses, which torch's generator of their device draws, (B, C, S, S).

        Args:
            images: normalised images.
            rows, batch_size: rows of these images in a batch that several processes share; the poses of the whole batch
                are drawn, so that they do not depend on the number of processes.
        """
        if not (self.rotates or self.scales):
            return images
        count = len(images) if batch_size is None else batch_size
        draw = torch.rand(2, count, dtype=torch.float64, device=images.device)[:, rows]
        angles = 360 * draw[0] if self.rotates else torch.zeros_like(draw[0])
        factors = LARGEST_FACTOR ** (2 * draw[1] - 1) if self.scales else torch.ones_like(draw[1])
        return self.pose(images, angles, factors)

    def black(self, images: Tensor) -> Tensor:
        """Return the value of black in normalised images, shape (C, 1, 1), on their device and in their dtype."""
        mean, std = self._statistics(images)
        return -mean / std

    def pose(self, images: Tensor, angles: Tensor, factors: Tensor) -> Tensor:
        """Return normalised images turned by angles, in degrees, and scaled by factors, each of shape (B,)."""
        mean, std = self._statistics(images)
        posed = turn_and_scale(images * std + mean, angles, factors, images.shape[-1])
        posed = (posed - mean) / std
        turned_last = images.is_contiguous(memory_format=torch.channels_last)
        return posed.contiguous(memory_format=torch.channels_last) if turned_last else posed

    def _statistics(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and std as tensors like the images, each of shape (C, 1, 1)."""
        return images.new_tensor(self.mean)[:, None, None], images.new_tensor(self.std)[:, None, None]
