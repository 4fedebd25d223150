"""The digits: split once and for all, turned by uniform angles, normalised by the train images alone."""

import pytest
import torch
from scipy import stats
from torch import Tensor

from benchmarks.datasets import Dataset, rotate_digits, rotated_digits


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return rotated_digits()


def parts(data: Dataset) -> list[Tensor]:
    return [data.train.indices, data.validation.indices, data.test.indices]


def test_every_digit_is_in_exactly_one_part(digits: Dataset) -> None:
    assert [len(part) for part in parts(digits)] == [1200, 297, 300]
    assert torch.cat(parts(digits)).sort().values.equal(torch.arange(1797))
    assert digits.description()["test"] == 300


def test_the_same_seed_gives_the_same_data_and_another_seed_another_split(digits: Dataset) -> None:
    again, other = rotated_digits(), rotated_digits(split_seed=1)
    for name in ("images", "labels", "angles", "indices"):
        assert getattr(again.test, name).equal(getattr(digits.test, name))
    assert not other.test.indices.equal(digits.test.indices)


def test_the_training_seed_does_not_touch_the_data(digits: Dataset) -> None:
    state = torch.get_rng_state()
    try:
        torch.manual_seed(123)
        assert rotated_digits().train.images.equal(digits.train.images)
    finally:
        torch.set_rng_state(state)


def test_angles_are_uniform(digits: Dataset) -> None:
    angles = torch.cat([digits.train.angles, digits.validation.angles, digits.test.angles])
    assert angles.min() >= 0
    assert angles.max() < 360
    assert stats.kstest(angles.numpy() / 360, "uniform").pvalue > 0.01


def test_images_are_normalised_by_the_train_images_alone(digits: Dataset) -> None:
    std, mean = torch.std_mean(digits.train.images)
    torch.testing.assert_close(mean, torch.tensor(0.0), atol=1e-5, rtol=0)
    torch.testing.assert_close(std, torch.tensor(1.0), atol=1e-5, rtol=0)
    assert abs(digits.test.images.mean()) > 1e-4  # would vanish if every part used its own mean


@pytest.mark.parametrize("image_size", [8, 28])
def test_other_sizes(image_size: int) -> None:
    assert rotated_digits(image_size).test.images.shape == (300, 1, image_size, image_size)


def test_a_size_below_the_source_is_refused() -> None:
    with pytest.raises(ValueError, match="image size 7 is too small; allowed: 8 or more"):
        rotated_digits(7)


def test_rotation_is_counter_clockwise_and_exact_at_quarter_turns() -> None:
    images = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    upright = rotate_digits(images, torch.zeros(1), 16)
    turned = rotate_digits(images, torch.tensor([90.0]), 16)
    torch.testing.assert_close(turned, upright.rot90(1, dims=(-2, -1)), atol=1e-5, rtol=0)


def test_no_angle_clips_a_digit() -> None:
    angles = torch.arange(0.0, 360.0, 7.5)
    turned = rotate_digits(torch.ones(len(angles), 1, 8, 8), angles, 64)
    ink = turned.sum(dim=(1, 2, 3))
    # A full square covers half of its circumscribed square whatever the angle.
    torch.testing.assert_close(ink, torch.full_like(ink, 64 * 64 / 2), rtol=0.02, atol=0)
