"""Layers with added work, which slows them down by a known share; ``validity`` should find this."""

import time
import timeit
from collections.abc import Callable
from functools import wraps

import numpy as np
import torch
from torch import Tensor, nn

from gcnn_impl import Group, SeparableGroupConv2d

# The added work is a repeated product of matrices that stay in the first-level cache: it adds little but time.
WORK_SIZE = 32
# Passes of the layer, and units of work, that are timed to calibrate the amount of work.
CALIBRATION_PASSES = 15
CALIBRATION_UNITS = 100


class Unchanged(nn.Module):
    """A separable layer of ours without added work; subclasses add work that takes ``share`` of the layer's time.

    The shapes are those of ``SeparableGroupConv2d``: (B, C, |H|, H, W) → (B, C′, |H|, H, W).
    """

    share = 0.0

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, group: Group, padding: int) -> None:
        super().__init__()
        self.layer = SeparableGroupConv2d(in_channels, out_channels, kernel_size, group, padding=padding)
        self.square, self.product = torch.eye(WORK_SIZE), torch.empty(WORK_SIZE, WORK_SIZE)
        self.units: dict[torch.Size, int] = {}

    def forward(self, x: Tensor) -> Tensor:
        if x.shape not in self.units:
            self.units[x.shape] = self._calibrated(x)
        y: Tensor = self.layer(x)
        self.work(self.units[x.shape])
        return y

    def work(self, units: int) -> None:
        """Compute ``units`` matrix products."""
        for _ in range(units):
            torch.mm(self.square, self.square, out=self.product)

    def work_share(self, x: Tensor) -> float:
        """Return the time of the work divided by that of the layer, at inference, each timed alone."""
        with torch.inference_mode():
            return median_seconds(lambda: self.work(self.units[x.shape])) / median_seconds(lambda: self.layer(x))

    def _calibrated(self, x: Tensor) -> int:
        """Return the units of work that take ``share`` of a pass. The amount stays fixed in later passes."""
        unit = median_seconds(lambda: self.work(CALIBRATION_UNITS)) / CALIBRATION_UNITS
        return round(self.share * median_seconds(lambda: self.layer(x)) / unit)


class SlowerByTwo(Unchanged):
    """The layer, slower by 2 %."""

    share = 0.02


class SlowerByFive(Unchanged):
    """The layer, slower by 5 %."""

    share = 0.05


def repeat_batch(layer: type[nn.Module], share: float) -> None:
    """Let the passes of a class of layers compute this share of their batch twice, from now on."""
    forward = layer.forward

    @wraps(forward)
    def repeated(self: nn.Module, x: Tensor) -> Tensor:
        forward(self, x[: round(share * len(x))])  # (B, …) → (round(share · B), …)
        y: Tensor = forward(self, x)
        return y

    layer.forward = repeated


def prolong(layer: type[nn.Module], share: float) -> None:
    """Let each pass of a class of layers compute in vain, for this share of the processor time that it took itself.

    The time for which other processes had the core is no part of it, so the share is the same on a busy machine.
    """
    forward = layer.forward

    @wraps(forward)
    def prolonged(self: nn.Module, x: Tensor) -> Tensor:
        begun = time.thread_time()
        y: Tensor = forward(self, x)
        ended = time.thread_time()
        while time.thread_time() < ended + share * (ended - begun):
            pass
        return y

    layer.forward = prolonged


def median_seconds(run: Callable[[], object]) -> float:
    """Return the median seconds of a call, after a call to warm up."""
    return float(np.median(timeit.repeat(run, number=1, repeat=CALIBRATION_PASSES + 1)[1:]))
