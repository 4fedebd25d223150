"""Layers with a slowdown of known size, for ``validity`` to find."""

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from gcnn_impl import Group, SeparableGroupConv2d

# The planted work is a product of matrices that stay in the first cache, again and again: what it adds to a pass is
# time, and little else.
WORK_SIZE = 32
# Passes of the layer, and units of work, that the amount is calibrated by.
CALIBRATION_PASSES = 15
CALIBRATION_UNITS = 100


class Unchanged(nn.Module):
    """A layer of ours, and work that takes ``share`` of its time on top of it; none here.

    Shapes as of ``SeparableGroupConv2d``: (B, C, |H|, H, W) → (B, C′, |H|, H, W).
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
        y = self.layer(x)
        self.work(self.units[x.shape])
        return y

    def work(self, units: int) -> None:
        """So many matrix products."""
        for _ in range(units):
            torch.mm(self.square, self.square, out=self.product)

    def work_share(self, x: Tensor) -> float:
        """What the work takes beside the layer at inference, each timed alone."""
        with torch.inference_mode():
            return _median(lambda: self.work(self.units[x.shape])) / _median(lambda: self.layer(x))

    def _calibrated(self, x: Tensor) -> int:
        """As many units as take ``share`` of a pass: a fixed amount of work, whatever disturbs the passes to come."""
        unit = _median(lambda: self.work(CALIBRATION_UNITS)) / CALIBRATION_UNITS
        return round(self.share * _median(lambda: self.layer(x)) / unit)


class SlowerByTwo(Unchanged):
    """By 2 %."""

    share = 0.02


class SlowerByFive(Unchanged):
    """By 5 %."""

    share = 0.05


def _median(run: Callable[[], object]) -> float:
    """Seconds."""
    run()
    seconds = []
    for _ in range(CALIBRATION_PASSES):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))
