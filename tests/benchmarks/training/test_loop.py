"""Training of one run: what the network learns, and what the entries of epochs contain."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.cases.case import InvalidCase
from benchmarks.cases.training_run import TrainingRun
from benchmarks.datasets import Dataset, Split
from benchmarks.measure.macs import PASSES_PER_STEP
from benchmarks.training import evaluation
from benchmarks.training.evaluation import evaluate, state_hash
from benchmarks.training.folders import Folders
from benchmarks.training.learner import Learner
from benchmarks.training.loop import Diverged, epoch_order, train
from benchmarks.training.networks import build_network
from tests.benchmarks.training.tiny_digits import PLAIN, RUN, ticking, tiny_digits


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return tiny_digits()


@pytest.fixture(scope="module")
def result(digits: Dataset) -> dict[str, Any]:
    return train(RUN, data=digits, clock=ticking())


def test_an_entry_has_the_costs_up_to_the_end_of_its_epoch(digits: Dataset, result: dict[str, Any]) -> None:
    epochs = result["epochs"]
    assert [epoch["epoch"] for epoch in epochs] == [0, 1, 2]
    assert [epoch["seconds"] for epoch in epochs] == [0.0, 1.0, 2.0]  # the clock is read before and after the steps
    assert [epoch["evaluation_seconds"] for epoch in epochs] == [1.0, 2.0, 3.0]
    assert [epoch["images_per_second"] for epoch in epochs] == [None, 32.0, 32.0]
    macs = result["macs_per_image"]
    one_epoch = 3 * 2 * (macs["kernel_generation_per_step"] + 16 * macs["convolution"])  # two steps of 16 images
    assert [epoch["macs"] for epoch in epochs] == [0, one_epoch, 2 * one_epoch]
    assert macs["kernel_generation_per_step"] > 0
    assert result["data"] == {**digits.description(), "train": 40, "validation": 20, "test": 20}
    assert result["stopped"] == "budget"
    json.dumps(result, allow_nan=False)


def test_epoch_0_has_no_train_loss(result: dict[str, Any]) -> None:
    first, *others = result["epochs"]
    training_fields = ("train_loss", "train_accuracy", "learning_rate", "peak_bytes")
    assert [first[name] for name in training_fields] == [None] * 4
    assert all(epoch[name] is not None for epoch in others for name in training_fields)
    assert all(epoch["validation_loss"] > 0 for epoch in result["epochs"])


def test_redundancy_is_measured_at_epoch_0_at_the_best_epoch_and_at_the_last(digits: Dataset) -> None:
    result = train(dataclasses.replace(RUN, variant="full", budget=4), data=digits)
    known = [epoch["epoch"] for epoch in result["epochs"] if epoch["redundancy"]]
    assert known == sorted({0, result["best_epoch"], 4})
    first, last = result["epochs"][0]["redundancy"], result["epochs"][-1]["redundancy"]
    assert (
        first.keys()
        == last.keys()
        == {"blocks.0.conv1", "blocks.0.conv2", "blocks.1.conv1", "blocks.1.conv2"}
        | {
            "blocks.1.skip",
            "last",
        }
    )
    assert 0 < first["last"]["separable"] < 1
    assert first != last


def test_a_plain_network_has_no_redundancy_but_an_equivariance_error(digits: Dataset) -> None:
    plain = train(PLAIN, data=digits)["epochs"]
    turned = train(dataclasses.replace(RUN, resolution=4), data=digits)["epochs"]
    assert all(epoch["redundancy"] is None for epoch in plain)
    assert all(epoch["equivariance_error"] > 1e-2 for epoch in plain)
    assert all(epoch["equivariance_error"] < 1e-4 for epoch in turned)


def test_peak_memory_grows_with_the_batch_and_measuring_it_does_not_change_the_run(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = (train(dataclasses.replace(PLAIN, batch_size=size), data=digits) for size in (10, 20))
    assert 1.5 < large["epochs"][1]["peak_bytes"] / small["epochs"][1]["peak_bytes"] < 2.5
    monkeypatch.setattr(Learner, "rehearse", lambda *_: (7, 0.0))
    unmeasured = train(dataclasses.replace(PLAIN, batch_size=20), data=digits)
    assert unmeasured["weights_sha256"] == large["weights_sha256"]
    assert unmeasured["epochs"][1]["peak_bytes"] == 7


def test_reports_come_after_every_epoch(digits: Dataset) -> None:
    reported: list[int] = []
    train(RUN, lambda fields: reported.append(len(fields["epochs"])), data=digits)
    assert reported == [1, 2, 3]


def test_the_same_seed_gives_the_same_result_and_another_seed_another(digits: Dataset, result: dict[str, Any]) -> None:
    again = train(RUN, data=digits, clock=ticking())
    other = train(dataclasses.replace(RUN, seed=1), data=digits, clock=ticking())
    assert again == result
    assert other["weights_sha256"] != result["weights_sha256"]


def test_each_epoch_has_an_order_of_its_own() -> None:
    orders = [epoch_order(run, epoch, 50) for run in (RUN, dataclasses.replace(RUN, seed=1)) for epoch in (1, 2)]
    assert all(order.sort().values.equal(torch.arange(50)) for order in orders)
    assert len({tuple(order.tolist()) for order in orders}) == 4
    assert epoch_order(RUN, 1, 50).equal(orders[0])


def test_a_network_learns_its_train_images(digits: Dataset) -> None:
    same = dataclasses.replace(digits, validation=digits.train, test=digits.train)
    run = dataclasses.replace(PLAIN, channels=8, budget=20, learning_rate=1e-2)
    result = train(run, data=same)
    assert result["test_accuracy"] >= 0.9
    assert result["epochs"][-1]["train_accuracy"] > result["epochs"][1]["train_accuracy"]
    assert result["epochs"][-1]["train_loss"] < 0.5 * result["epochs"][1]["train_loss"]


def test_the_test_accuracy_comes_from_the_first_epoch_with_the_best_validation_accuracy(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights: list[torch.Tensor] = []
    accuracies = iter([0.9, 0.2, 0.7, 0.7, 0.6, 0.5])  # the first is epoch 0, which is never the best

    def fake(model: torch.nn.Module, split: Split, *_: Any) -> tuple[float, float]:
        weights.append(next(model.parameters()).detach().clone())
        return 1.0, next(accuracies)

    monkeypatch.setattr(evaluation, "evaluate", fake)
    result = train(dataclasses.replace(PLAIN, budget=4), data=digits)
    assert (result["best_epoch"], result["test_accuracy"]) == (2, 0.5)
    assert weights[5].equal(weights[2])
    assert not weights[4].equal(weights[2])


def test_evaluation_counts_every_image_once_and_leaves_batch_statistics_alone(digits: Dataset) -> None:
    model = build_network(PLAIN, 1, 10, "cpu").eval()
    before = state_hash(model)
    split = digits.validation
    many = Split(*(torch.cat([getattr(split, f.name)] * 20) for f in dataclasses.fields(Split)))  # several batches
    assert evaluate(model, many) == pytest.approx(evaluate(model, split))
    assert state_hash(model) == before


def test_hashes_differ_for_other_weights_names_and_types() -> None:
    layer = torch.nn.Linear(2, 2)
    first = state_hash(layer)
    assert state_hash(layer) == first
    assert state_hash(layer.double()) != first
    assert state_hash(torch.nn.Sequential(layer.float())) != first
    with torch.no_grad():
        layer.bias[0] += 1e-3
    assert state_hash(layer) != first


def test_a_loss_that_is_not_finite_stops_the_run(digits: Dataset) -> None:
    broken = dataclasses.replace(digits.train, images=digits.train.images * float("nan"))
    reported: list[dict[str, Any]] = []
    with pytest.raises(Diverged, match="the train loss is nan in epoch 1"):
        train(PLAIN, lambda fields: reported.append(dict(fields)), data=dataclasses.replace(digits, train=broken))
    assert reported[-1]["stopped"] == "diverged"
    assert len(reported[-1]["epochs"]) == 1


def test_a_run_ends_before_the_step_that_exceeds_its_macs(digits: Dataset) -> None:
    per_step = train(PLAIN, data=digits)["epochs"][1]["macs"] / 2
    macs = dataclasses.replace(PLAIN, budget_unit="macs", budget=3.9 * per_step)
    epochs = train(macs, data=digits)["epochs"]
    assert [epoch["macs"] for epoch in epochs] == [0, 2 * per_step, 3 * per_step]
    assert epochs[-1]["learning_rate"] == macs.learning_rate_at(2.5 / 3)  # the schedule is that of three steps
    with pytest.raises(InvalidCase, match="is not allowed; allowed: .* macs or more"):
        train(dataclasses.replace(macs, budget=0.9 * per_step), data=digits)


def test_a_run_ends_with_the_step_that_reaches_its_seconds(digits: Dataset) -> None:
    seconds = dataclasses.replace(PLAIN, budget_unit="seconds", budget=3.5)
    epochs = train(seconds, data=digits, clock=ticking())["epochs"]
    steps = epochs[1]["macs"] / 2
    assert epochs[-1]["seconds"] >= 3.5
    assert epochs[-2]["seconds"] < 3.5
    assert epochs[-1]["macs"] == 3 * steps  # in the middle of the second epoch
    assert epochs[-1]["epoch"] == 2


def test_a_batch_larger_than_the_train_images_is_refused(digits: Dataset) -> None:
    with pytest.raises(InvalidCase, match="batch_size 41 is not allowed; allowed: 2 to 40"):
        train(dataclasses.replace(PLAIN, batch_size=41), data=digits)


@pytest.mark.parametrize(
    ("run", "options", "rounding"),
    [(RUN, {"dtype": "bfloat16"}, 2e-2), (PLAIN, {"dtype": "bfloat16"}, 2e-2), (PLAIN, {"channels_last": True}, 1e-5)],
    ids=["bfloat16 group", "bfloat16 plain", "channels_last plain"],
)
def test_options_change_the_rounding_but_not_the_training(
    run: TrainingRun, options: dict[str, Any], rounding: float, digits: Dataset
) -> None:
    first, second = (train(r, data=digits) for r in (run, dataclasses.replace(run, **options)))
    losses = [result["epochs"][0]["validation_loss"] for result in (first, second)]
    assert losses[1] == pytest.approx(losses[0], rel=rounding)
    assert second["weights_sha256"] != first["weights_sha256"]


def test_compiling_does_not_count_as_training_time(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[torch.nn.Module] = []

    def compile_(model: torch.nn.Module) -> torch.nn.Module:
        compiled.append(model)
        return model

    monkeypatch.setattr(torch, "compile", compile_)
    result = train(dataclasses.replace(PLAIN, compile=True), data=digits, clock=ticking())
    assert len(compiled) == 1
    assert result["compile_seconds"] == 1.0
    assert result["epochs"][1]["seconds"] == 1.0
    assert result["weights_sha256"] == train(PLAIN, data=digits)["weights_sha256"]


@pytest.mark.parametrize(
    "values",
    [
        {"network": "allcnnc"},
        {"network": "allcnnc", "variant": "plain", "group": "trivial", "resolution": 1},
        {"variant": "dgseparable", "sampled": True, "hidden_features": 8},
        {"variant": "separable2d", "group": "SO2xRPlus", "scales": 2, "resolution": 4},
        {"group": "RPlus", "scales": 2},
        {"variant": "dseparable", "group": "O2"},
    ],
    ids=str,
)
def test_every_kind_of_network_can_be_trained(values: dict[str, Any], digits: Dataset) -> None:
    run = dataclasses.replace(RUN, **values, budget=1)
    result = train(run, data=digits)
    model = build_network(run, 1, 10, "meta")
    assert result["parameters"] == sum(parameter.numel() for parameter in model.parameters())
    assert 0 <= result["test_accuracy"] <= 1


def test_a_folder_of_images_can_be_trained_on(tmp_path: Path) -> None:
    from PIL import Image

    for name in ("cats", "dogs", "owls"):
        (tmp_path / name).mkdir()
        for i in range(10):
            Image.new("RGB", (20, 20), (25 * i, 0, len(name))).save(tmp_path / name / f"{i}.png")
    run = dataclasses.replace(PLAIN, dataset="folder", image_size=9, limit=18)
    result = train(run, folders=Folders(tmp_path))
    assert result["data"]["name"] == "folder"
    assert (result["data"]["train"], result["data"]["test"]) == (18, 3)


def test_an_epoch_of_more_images_sees_all_of_them_before_it_sees_one_again() -> None:
    run = dataclasses.replace(RUN, epoch_images=25)
    order = epoch_order(run, 3, 10).tolist()
    assert [sorted(order[:10]), sorted(order[10:20])] == [list(range(10))] * 2
    assert len(order) == 25
    assert order[:10] != order[10:20]
    assert epoch_order(dataclasses.replace(RUN, epoch_images=4), 0, 10).shape == (4,)


def test_equal_steps_with_fewer_train_images() -> None:
    run = dataclasses.replace(RUN, train_limit=10, epoch_images=48, image_size=12)
    result = train(run, clock=ticking())
    assert result["data"]["train"] == 10
    assert result["data"]["validation"] > 100  # of the other parts no image is left out
    steps = [epoch["images_per_second"] for epoch in result["epochs"][1:]]
    assert steps == [48.0, 48.0]  # three batches of 16 in a second of the clock


def test_the_test_images_are_turned_by_evenly_spaced_angles(digits: Dataset) -> None:
    result = train(dataclasses.replace(RUN, resolution=4, test_angles=4), data=digits, clock=ticking())
    found = result["test_by_angle"]
    assert [entry["angle"] for entry in found] == [0.0, 90.0, 180.0, 270.0]
    # Four rotations make the network invariant to quarter turns, so all accuracies are that of the test.
    assert {entry["accuracy"] for entry in found} == {result["test_accuracy"]}
    assert all(entry["equivariance_error"] < 1e-4 for entry in found)
    plain = train(dataclasses.replace(PLAIN, test_angles=4, budget=6), data=digits, clock=ticking())
    turned = [entry["accuracy"] for entry in plain["test_by_angle"]]
    assert turned[0] == plain["test_accuracy"]
    assert plain["test_by_angle"][1]["equivariance_error"] > 1e-2


def test_the_error_of_every_layer_is_recorded_where_the_grid_has_rotations_off_the_pixels(digits: Dataset) -> None:
    result = train(dataclasses.replace(RUN, resolution=8), data=digits, clock=ticking())
    errors = result["equivariance_error_by_layer"]
    assert next(iter(errors)) == "lifting"
    assert {"blocks.0", "blocks.1.skip", "last_norm"} <= errors.keys()
    assert all(error > 1e-4 for error in errors.values())
    for run in (dataclasses.replace(RUN, resolution=4), PLAIN, dataclasses.replace(RUN, variant="averaged")):
        assert train(run, data=digits, clock=ticking())["equivariance_error_by_layer"] is None


@pytest.mark.parametrize("variant", ["averaged", "canonical"])
def test_networks_that_see_turned_copies_learn_by_the_same_protocol(variant: str, digits: Dataset) -> None:
    run = dataclasses.replace(RUN, variant=variant, resolution=4, budget=10)
    result = train(run, data=digits, clock=ticking())
    assert result["epochs"][-1]["train_loss"] < result["epochs"][1]["train_loss"]
    assert result["epochs"][-1]["equivariance_error"] < 1e-4
    step = result["epochs"][-1]["macs"] / 20 / PASSES_PER_STEP  # ten epochs of two steps
    inference = run.batch_size * result["macs_per_image"]["convolution"]
    generation = result["macs_per_image"]["kernel_generation_per_step"]
    assert step == (inference / 4 if variant == "averaged" else inference + generation)
