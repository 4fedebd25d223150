"""Turning and scaling: exact for quarter turns, as defined for other angles, 0 outside the image."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.datasets.digits import FITTING_SCALE
from benchmarks.datasets.images import gather
from benchmarks.datasets.turn_and_scale import turn_and_scale


def noise(count: int, size: int) -> Tensor:
    return torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(0))


def pose(images: Tensor, angle: float, scale: float, size: int | None = None, *, mode: str = "bilinear") -> Tensor:
    angles, scales = (torch.full((len(images),), value, dtype=torch.float64) for value in (angle, scale))
    return turn_and_scale(images, angles, scales, size or images.shape[-1], mode=mode)


def by_definition(image: Tensor, angle: float, scale: float) -> Tensor:
    """Compute each pixel in float64: bilinear between the four nearest pixels, 0 outside."""
    size = len(image)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    centre = (size - 1) / 2
    result = torch.zeros(size, size, dtype=torch.float64)
    for row in range(size):
        for column in range(size):
            right, up = (column - centre) / scale, (centre - row) / scale
            x, y = centre + cos * right + sin * up, centre - (-sin * right + cos * up)
            for r in (math.floor(y), math.floor(y) + 1):
                for c in (math.floor(x), math.floor(x) + 1):
                    if 0 <= r < size and 0 <= c < size:
                        result[row, column] += (1 - abs(y - r)) * (1 - abs(x - c)) * image[r, c]
    return result


@pytest.mark.parametrize(("angle", "scale"), [(0, 0.3), (33, 1.0), (200, 0.55), (310, 0.8)])
def test_other_angles_and_scales_follow_the_definition(angle: float, scale: float) -> None:
    images = noise(1, 11)
    expected = by_definition(images[0, 0], angle, scale)
    torch.testing.assert_close(pose(images, angle, scale)[0, 0].double(), expected, atol=1e-5, rtol=0)


def test_angle_0_and_scale_1_change_nothing() -> None:
    images = noise(3, 28)
    torch.testing.assert_close(pose(images, 0, 1), images, atol=1e-5, rtol=0)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns_are_exact_and_counter_clockwise(mode: str, turns: int) -> None:
    images = noise(3, 8)
    upright = pose(images, 0, FITTING_SCALE, 16, mode=mode)
    turned = pose(images, 90 * turns, FITTING_SCALE, 16, mode=mode)
    torch.testing.assert_close(turned, upright.rot90(turns, dims=(-2, -1)), atol=1e-5, rtol=0)


def test_a_smaller_image_is_surrounded_by_0() -> None:
    small = pose(torch.ones(1, 1, 20, 20), 0, 0.5)[0, 0]
    assert small[5:15, 5:15].eq(1).all()
    assert small.sum() == pytest.approx(100)


def test_no_angle_clips_an_image_at_the_fitting_scale() -> None:
    for angle in range(0, 360, 15):
        ink = pose(torch.ones(1, 1, 8, 8), angle, FITTING_SCALE, 64, mode="bicubic").sum().item()
        # At any angle, a full square covers half of its circumscribed square.
        assert ink == pytest.approx(64 * 64 / 2, rel=0.02)


def test_the_pose_of_an_image_does_not_depend_on_the_other_images(monkeypatch: pytest.MonkeyPatch) -> None:
    images = noise(5, 9)
    angles, scales = torch.arange(5.0) * 50, torch.linspace(0.3, 1, 5)
    together = turn_and_scale(images, angles.double(), scales.double(), 9)
    monkeypatch.setattr("benchmarks.datasets.turn_and_scale.CHUNK", 2)
    assert turn_and_scale(images, angles.double(), scales.double(), 9).equal(together)


def test_gathered_images_have_the_order_of_the_indices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.datasets.images.CHUNK", 2)
    pixels = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.full((1, 4, 4, 3), 51, np.uint8)
    images = gather(pixels, torch.tensor([3, 0, 4, 1]), 4, channels_last=True)
    assert images.shape == (4, 3, 4, 4)
    torch.testing.assert_close(images[:, 2, 0, 0], torch.tensor([0.6, 0.0, 0.8, 0.2]))
    assert gather(pixels, torch.tensor([4]), 2, channels_last=True).shape == (1, 3, 2, 2)
