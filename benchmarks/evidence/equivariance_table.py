"""``python -m benchmarks.evidence.equivariance_table``: equivariance errors of every variant on every group.

Layers are untrained, with fixed seeds. Errors are relative 2-norms, the worst over the tested elements. Where an
element permutes the pixels, the error of a correct layer is rounding. Elsewhere the error shows how well the sampled
group and the pixel grid represent the continuous ones, and falls as these are refined. For convolutions over scales a
part of the error remains: the integral over R⁺ ends at the smallest and the largest scale, whatever the refinement.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gcnn_impl import O2, SO2, Group, LiftingConv2d, RPlus, SO2xRPlus, equivariance_error, functional
from gcnn_impl.models import CONVOLUTIONS

SEED = 0
CHANNELS = 4
EXACT_GROUPS: tuple[Group, ...] = (SO2(4), SO2(8), SO2(12), O2(4), O2(8), SO2xRPlus(4, 2), SO2xRPlus(8, 2))
ROTATION_FAMILIES: tuple[Callable[[int], Group], ...] = (SO2, O2, lambda n: SO2xRPlus(n, 2))
ROTATIONS = (2, 4, 8, 16)
SCALE_GROUPS: tuple[Group, ...] = (RPlus(4), SO2xRPlus(4, 4))
IMAGE_SIZES = (17, 33, 65)


class Lifted(nn.Module):
    """A lifting, then the tested variant, then, if ``invariant``, the projection to invariant features."""

    def __init__(self, group: Group, variant: str, kernel_size: int, *, invariant: bool, dtype: torch.dtype) -> None:
        super().__init__()
        torch.manual_seed(SEED)
        options: dict[str, Any] = {"padding": kernel_size // 2, "dtype": dtype}
        self.lifting = LiftingConv2d(1, CHANNELS, kernel_size, group, **options)
        self.layer = (
            nn.Identity()
            if variant == "lifting"
            else CONVOLUTIONS[variant](CHANNELS, CHANNELS, kernel_size, group, **options)
        )
        self.invariant = invariant
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(torch.relu(self.lifting(x)))
        return functional.project(y) if self.invariant else y


def blobs(size: int, count: int = 4) -> Tensor:
    """Return smooth images that vanish at the border, similar at every size: (count, 1, size, size)."""
    generator = torch.Generator().manual_seed(SEED)
    places = torch.linspace(-1, 1, size, dtype=torch.float64)
    y, x = torch.meshgrid(-places, places, indexing="ij")
    centres = (torch.rand(count, 4, 2, generator=generator, dtype=torch.float64) - 0.5) * 0.5
    spots = torch.exp(-((x - centres[..., :1, None]) ** 2 + (y - centres[..., 1:, None]) ** 2) / 0.04)
    return spots.sum(1, keepdim=True)


def exact_error(group: Group, variant: str, dtype: torch.dtype) -> float:
    """Return the error under quarter turns and reflections, on noise of 12 × 12 pixels."""
    x = torch.randn(2, 1, 12, 12, generator=torch.Generator().manual_seed(SEED), dtype=dtype)
    return equivariance_error(Lifted(group, variant, 5, invariant=False, dtype=dtype), x, group)


def rotation_error(group: Group, variant: str) -> float:
    """Return the error of invariant features under rotations by eight angles that are in no grid of this program."""
    angles = torch.linspace(0.1, 1.5, 8, dtype=torch.float64)
    identity = group.elements()[:1].expand(len(angles), -1)
    elements = torch.cat([angles[:, None], identity[:, 1:]], dim=-1)
    network = Lifted(group, variant, 9, invariant=True, dtype=torch.float64)
    return equivariance_error(network, blobs(29), group, elements=elements)


def scaling_error(group: Group, variant: str, size: int) -> float:
    """Return the error under one step of the scale grid; kernels cover the same part of the image at every size."""
    elements = group.elements()[1:2]  # the scale changes fastest: one step of it
    network = Lifted(group, variant, size // 4 | 1, invariant=False, dtype=torch.float64)
    return equivariance_error(network, blobs(size), group, elements=elements, border=size // 8)


def variants_of(group: Group) -> list[str]:
    """Return the lifting and the variants that the group has."""
    return ["lifting", *(v for v in CONVOLUTIONS if v != "separable2d" or isinstance(group, SO2xRPlus))]


def _print_table(title: str, head: Sequence[object], rows: Mapping[str, Sequence[float]]) -> None:
    print(f"\n{title}\n{'':64}" + "".join(f"{name:>10}" for name in head))
    for name, errors in rows.items():
        print(f"{name:64}" + "".join(f"{error:10.1e}" for error in errors), flush=True)


def main() -> None:
    """Print the three tables."""
    argparse.ArgumentParser(prog="python -m benchmarks.evidence.equivariance_table", description=__doc__).parse_args()
    dtypes = {"float32": torch.float32, "float64": torch.float64}
    rows = {
        f"{group}, {variant}": [exact_error(group, variant, dtype) for dtype in dtypes.values()]
        for group in EXACT_GROUPS
        for variant in variants_of(group)
    }
    rows["largest"] = [max(column) for column in zip(*rows.values(), strict=True)]
    _print_table("Quarter turns and reflections: rounding", list(dtypes), rows)
    rows = {
        f"{type(family(1)).__name__}, {variant}": [rotation_error(family(n), variant) for n in ROTATIONS]
        for family in ROTATION_FAMILIES
        for variant in variants_of(family(1))
    }
    _print_table("Rotations off the grid, by the number of rotations", ROTATIONS, rows)
    rows = {
        f"{group}, {variant}": [scaling_error(group, variant, size) for size in IMAGE_SIZES]
        for group in SCALE_GROUPS
        for variant in variants_of(group)
    }
    _print_table("Scalings, by the size of the image, pixels", IMAGE_SIZES, rows)


if __name__ == "__main__":
    main()
