"""Augmentation: random poses of the train images, by the rule by which the loader poses generated data sets."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmarks.cases.training_run import AUGMENTATIONS
from benchmarks.datasets import Dataset
from benchmarks.datasets.turn_and_scale import turn_and_scale
from benchmarks.training.augmentation import LARGEST_FACTOR, Augmentation
from benchmarks.training.learner import Learner
from benchmarks.training.loop import train
from benchmarks.training.parallel import WHOLE
from tests.benchmarks.training.tiny_digits import PLAIN, ticking, tiny_digits

MEAN, STD = (0.2, 0.4), (0.5, 0.3)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return tiny_digits()


def augmentation(name: str) -> Augmentation:
    return Augmentation.of(dataclasses.replace(PLAIN, augmentation=name), MEAN, STD)


def normalised(images: Tensor) -> Tensor:
    mean, std = (torch.tensor(value)[:, None, None] for value in (MEAN, STD))
    return (images - mean) / std


def test_a_pose_of_normalised_images_is_the_loaders_pose_of_the_images() -> None:
    images = torch.rand(5, 2, 12, 12)
    angles, factors = 360 * torch.rand(5, dtype=torch.float64), 0.5 + torch.rand(5, dtype=torch.float64)
    posed = augmentation("rotations").pose(normalised(images), angles, factors)
    torch.testing.assert_close(posed, normalised(turn_and_scale(images, angles, factors, 12)))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_drawn_poses_cover_all_angles_and_factors_evenly(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Tensor] = []
    monkeypatch.setattr(Augmentation, "pose", lambda self, images, *poses: drawn.extend(poses) or images)
    images = torch.zeros(4096, 2, 1, 1)
    assert augmentation(name)(images) is images
    if name == "none":
        assert drawn == []
        return
    angles, factors = drawn[0] / 360, (drawn[1].log() / torch.tensor(LARGEST_FACTOR).log() + 1) / 2
    for values, varies, fixed in ((angles, "rotations" in name, 0.0), (factors, "scales" in name, 0.5)):
        if varies:  # the Kolmogorov-Smirnov distance from the uniform distribution; 0.05 has a chance of 1e-9
            expected = (torch.arange(4096) + 0.5) / 4096
            assert (values.sort().values - expected).abs().max() < 0.05
        else:
            torch.testing.assert_close(values, torch.full_like(values, fixed))


def test_processes_that_share_a_batch_pose_it_as_one_process_does() -> None:
    images, turn = torch.rand(6, 2, 8, 8), augmentation("rotations+scales")
    parts = []
    for rows in (slice(0, 2), slice(2, 6)):
        torch.manual_seed(3)
        parts.append(turn(images[rows], rows, 6))
    torch.manual_seed(3)
    torch.testing.assert_close(torch.cat(parts), turn(images))


def learned(digits: Dataset, **fields: Any) -> dict[str, Any]:
    return train(dataclasses.replace(PLAIN, **fields), data=digits, clock=ticking())


def test_training_sees_posed_images_and_evaluation_the_images_themselves(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[bool, list[Tensor]] = {True: [], False: []}
    init = Learner.__init__

    def watched(self: Learner, *args: Any) -> None:
        init(self, *args)
        self.model.register_forward_pre_hook(lambda module, inputs: seen[module.training].append(inputs[0]))

    monkeypatch.setattr(Learner, "__init__", watched)
    learned(digits, augmentation="rotations", budget=1)

    def from_the_data(images: Tensor) -> bool:
        sets = (digits.train.images, digits.validation.images, digits.test.images)
        return all(any((each == image).flatten(1).all(1).any() for each in sets) for image in images)

    steps = [images for images in seen[True] if len(images) == PLAIN.batch_size]
    assert steps
    assert not any(from_the_data(images[:1]) for images in steps)
    assert len(seen[False]) > 4  # validation before and after the epoch, and the test
    assert from_the_data(seen[False][-1])


def test_augmentation_changes_what_is_learned_and_the_same_seed_learns_the_same(digits: Dataset) -> None:
    plain, once, again = (learned(digits, augmentation=name) for name in ("none", "rotations", "rotations"))
    assert once["weights_sha256"] == again["weights_sha256"] != plain["weights_sha256"]
    assert once["macs_per_image"] == plain["macs_per_image"]


def test_posed_images_keep_their_memory_format() -> None:
    images = torch.rand(4, 2, 8, 8).contiguous(memory_format=torch.channels_last)
    assert augmentation("rotations")(images).is_contiguous(memory_format=torch.channels_last)
    assert augmentation("rotations")(images.contiguous()).is_contiguous()


def test_a_learner_augments_before_autocast_and_on_its_device(digits: Dataset) -> None:
    run = dataclasses.replace(PLAIN, augmentation="rotations", dtype="bfloat16")
    learner = Learner(run, 1, 10, WHOLE, Augmentation.of(run, digits.mean, digits.std))
    dtypes = []
    learner.model.register_forward_pre_hook(lambda module, inputs: dtypes.append(inputs[0].dtype))
    learner.take_step(digits.train.images[:16], digits.train.labels[:16], 1e-3)
    assert dtypes == [torch.float32]
