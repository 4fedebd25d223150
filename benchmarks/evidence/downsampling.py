"""``python -m benchmarks.evidence.downsampling``: where networks that halve their maps are exact under quarter turns.

A stride or a pooling keeps every s-th window. Counted from the left these are the windows counted from the right only
if s divides side + 2·padding − kernel size; otherwise a turned image is seen through other windows, and the output is
another one, whatever the layers. The table has the errors of networks that halve their maps twice.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d

from gcnn_impl import SO2, GroupConv2d, LiftingConv2d, equivariance_error, functional

SEED = 0
GROUP, CHANNELS = SO2(4), 4
SIDES = (26, 27, 28, 29, 31, 32, 33)
# Errors below this one are rounding, in float64.
EXACT = 1e-10


@dataclass(frozen=True)
class Halving:
    """A way to halve a map: a convolution with stride 2, or a pooling.

    Args:
        name: the name in the table.
        kernel_size, padding: those of the convolution or the pooling, in pixels; the stride is 2.
        pool: the pooling of a map (B, C, |H|, H, W), after a convolution of kernel size 3; None for a stride.
        adapts: whether the windows of the pooling depend on whether the side is even.
    """

    name: str
    kernel_size: int
    padding: int
    pool: Callable[[Tensor], Tensor] | None = None
    adapts: bool = False

    def is_exact(self, side: int) -> bool:
        """Return whether the rule says that two halvings of a square map commute with quarter turns."""
        if self.adapts:
            return True
        spare = side + 2 * self.padding - self.kernel_size
        return spare % 2 == 0 and (spare // 2 + 1 + 2 * self.padding - self.kernel_size) % 2 == 0


def _each(pool: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Pool the maps of each group element: (B, C, |H|, H, W) → (B, C, |H|, H', W')."""
    maps: Tensor = pool(x.flatten(1, 2)).unflatten(1, (-1, GROUP.resolution))
    return maps


HALVINGS = (
    Halving("stride 2, kernel 3, padding 1", 3, 1),
    Halving("stride 2, kernel 5, padding 2", 5, 2),
    Halving("max pooling 2 × 2", 2, 0, partial(_each, partial(max_pool2d, kernel_size=2))),
    Halving("mean pooling 2 × 2", 2, 0, partial(_each, partial(avg_pool2d, kernel_size=2))),
    Halving(
        "max pooling 3 × 3, padding 1", 3, 1, partial(_each, partial(max_pool2d, kernel_size=3, stride=2, padding=1))
    ),
    Halving("gcnn_impl.functional.spatial_max_pool", 2, 0, functional.spatial_max_pool, adapts=True),
)


class TwiceHalved(nn.Module):
    """A lifting, and two full group convolutions of which each halves the map."""

    def __init__(self, halving: Halving) -> None:
        super().__init__()
        torch.manual_seed(SEED)
        self.pool = halving.pool or (lambda x: x)
        k, padding, stride = (3, 1, 1) if halving.pool else (halving.kernel_size, halving.padding, 2)
        self.lifting = LiftingConv2d(1, CHANNELS, 3, GROUP, padding=1, dtype=torch.float64)
        self.convolutions = nn.ModuleList(
            GroupConv2d(CHANNELS, CHANNELS, k, GROUP, padding=padding, stride=stride, dtype=torch.float64) for _ in "12"
        )
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, 1, S, S) to maps (B, C, |H|, S', S')."""
        x = self.lifting(x)
        for convolution in self.convolutions:
            x = self.pool(torch.relu(convolution(x)))
        return x


def error(halving: Halving, side: int) -> float:
    """Return the equivariance error of a network that halves twice under quarter turns, on noise of side × side."""
    x = torch.randn(2, 1, side, side, generator=torch.Generator().manual_seed(SEED), dtype=torch.float64)
    return equivariance_error(TwiceHalved(halving), x, GROUP)


def table(halvings: Sequence[Halving] = HALVINGS, sides: Sequence[int] = SIDES) -> list[str]:
    """Return the table as lines of Markdown."""
    lines = [f"| halved twice by | {' | '.join(map(str, sides))} |", f"|---|{'---|' * len(sides)}"]
    for halving in halvings:
        errors = (error(halving, side) for side in sides)
        cells = " | ".join("exact" if each < EXACT else f"{each:.2f}" for each in errors)
        lines.append(f"| {halving.name} | {cells} |")
    return lines


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m benchmarks.evidence.downsampling", description=__doc__).parse_args()
    print(*table(), sep="\n")
