"""The digits: a fixed split, rotations by uniform angles, normalisation by the train images alone."""

import pytest
import torch
from torch import Tensor

from benchmarks.datasets import Dataset, load


def rotated_digits(**options: int) -> Dataset:
    return load("rotated-digits", "nowhere", **options)


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
    again, other = rotated_digits(), rotated_digits(seed=1)
    for name in ("images", "labels", "indices"):
        assert getattr(again.test, name).equal(getattr(digits.test, name))
    assert not other.test.indices.equal(digits.test.indices)


def test_the_global_seed_does_not_change_the_data(digits: Dataset) -> None:
    state = torch.get_rng_state()
    try:
        torch.manual_seed(123)
        assert rotated_digits().train.images.equal(digits.train.images)
    finally:
        torch.set_rng_state(state)


def test_images_are_normalised_by_the_train_images_alone(digits: Dataset) -> None:
    std, mean = torch.std_mean(digits.train.images)
    torch.testing.assert_close(mean, torch.tensor(0.0), atol=1e-5, rtol=0)
    torch.testing.assert_close(std, torch.tensor(1.0), atol=1e-5, rtol=0)
    assert abs(digits.test.images.mean()) > 1e-4  # it would be 0 if every part used its own mean


@pytest.mark.parametrize("image_size", [8, 28])
def test_other_sizes(image_size: int) -> None:
    assert rotated_digits(image_size=image_size).test.images.shape == (300, 1, image_size, image_size)


def test_a_size_below_the_source_is_refused() -> None:
    with pytest.raises(ValueError, match="image size 7 is too small; allowed: 8 or more"):
        rotated_digits(image_size=7)


def test_loading_again_gives_the_same_and_upright_digits_have_the_same_split(digits: Dataset) -> None:
    assert load("rotated-digits", "nowhere").test.images.equal(digits.test.images)
    upright = load("digits", "nowhere")
    assert upright.test.indices.equal(digits.test.indices)
    assert upright.test.labels.equal(digits.test.labels)
    assert not upright.test.images.isclose(digits.test.images, atol=0.1).all()
