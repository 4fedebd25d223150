"""Users' layers that fail, each in another way, and one that works."""

import ctypes
import os
import time
from typing import Any

import torch
from torch import Tensor, nn

from gcnn_impl import Group, SeparableGroupConv2d
from tests.benchmarks.running import leaving

# Names the folder in which processes note their numbers.
NOTES = "GCNN_TEST_NOTES"


class Right(SeparableGroupConv2d):
    """A layer that works."""


class Wrong(nn.Module):
    """A layer that takes the same arguments as our layers, and fails in ``go_wrong``."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, group: Group, padding: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.go_wrong(x * self.weight)

    def go_wrong(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class RaisesAtOnce(Wrong):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        raise RuntimeError("cannot be\nbuilt")


class Raises(Wrong):
    def go_wrong(self, x: Tensor) -> Tensor:
        raise RuntimeError("broken\nin two lines")


class GivesNan(Wrong):
    def go_wrong(self, x: Tensor) -> Tensor:
        return x * float("nan")


class GivesDouble(Wrong):
    def go_wrong(self, x: Tensor) -> Tensor:
        return x.double()


class PrintsMegabytes(Wrong):
    def go_wrong(self, x: Tensor) -> Tensor:
        os.write(1, b"x" * 1_000_000)
        os.write(2, b"x" * 1_000_000)
        return x


class Crashes(Wrong):
    def go_wrong(self, x: Tensor) -> Tensor:
        ctypes.string_at(0)
        return x


class RunsOutOfMemory(Wrong):
    def go_wrong(self, x: Tensor) -> Tensor:
        return x + torch.empty(2**50)


class Hangs(Wrong):
    def go_wrong(self, x: Tensor) -> Tensor:
        time.sleep(600)
        return x


class SetsThreadsOnSmallImages(Right):
    """A layer that changes its process at one size of the images alone."""

    def forward(self, x: Tensor, in_elements: Tensor | None = None, out_elements: Tensor | None = None) -> Tensor:
        if x.shape[-1] < 10:
            torch.set_num_threads(2)
        return super().forward(x, in_elements, out_elements)


class Forks(Wrong):
    """A layer that works, and starts processes that ignore requests to end, or leave their parent and their session."""

    started = 0  # the process that has started them

    def go_wrong(self, x: Tensor) -> Tensor:
        if Forks.started != os.getpid():
            Forks.started = os.getpid()
            leaving.start_both(os.environ[NOTES])
        return x


class ForksAndCrashes(Forks):
    def go_wrong(self, x: Tensor) -> Tensor:
        ctypes.string_at(super().go_wrong(x).numel() * 0)
        return x


class ComesBackTwice(Wrong):
    def go_wrong(self, x: Tensor) -> Tensor:
        os.fork()
        return x


class HoldsInterpreter(Forks):
    """A layer in C that never lets go of the interpreter."""

    def go_wrong(self, x: Tensor) -> Tensor:
        super().go_wrong(x)
        ctypes.PyDLL(None).sleep(600)
        return x
