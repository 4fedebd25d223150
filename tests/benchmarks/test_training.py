"""Training: what a run is, what its record says, and that nothing that is done gets lost."""

import argparse
import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import training
from benchmarks.cases import InvalidCase
from benchmarks.datasets import Dataset, Split, rotated_digits
from benchmarks.isolation import Outcome, Report
from benchmarks.records import RecordStore
from benchmarks.sweep import Interrupted
from benchmarks.training import Diverged, TrainingRun, accuracy_table, profile_runs, study, train
from benchmarks.workloads import network

RUN = TrainingRun(resolution=2, channels=2, kernel_size=3, image_size=12, batch_size=16, epochs=2)
PLAIN = dataclasses.replace(RUN, variant="plain", group="trivial", resolution=1)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """A few digits of every part: 40 to train on, so that two steps of 16 leave some over."""
    whole = rotated_digits(RUN.image_size)

    def few(split: Split, n: int) -> Split:
        return Split(split.images[:n], split.labels[:n], split.indices[:n])

    return dataclasses.replace(
        whole, train=few(whole.train, 40), validation=few(whole.validation, 20), test=few(whole.test, 20)
    )


def ticking() -> Any:
    """A clock that moves by one second whenever it is read."""
    seconds = itertools.count(100)
    return lambda: float(next(seconds))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dataset": "mnist"}, "unknown dataset 'mnist'; allowed: rotated-digits"),
        ({"variant": "lifting"}, "unknown variant 'lifting'; allowed: plain, full, separable"),
        ({"resolution": 0}, "resolution 0 is not allowed; allowed: integers of at least 1"),
        ({"kernel_size": 4}, "kernel_size 4 is even; allowed: odd integers of at least 1"),
        ({"channels": -8}, "channels -8 is not allowed; allowed: integers of at least 1"),
        ({"device": "tpu"}, "unknown device 'tpu'; allowed: cpu, cuda"),
        ({"variant": "plain", "resolution": 1}, "group 'SO2' does not go with variant 'plain'; allowed: trivial"),
        ({"epochs": 0}, "epochs 0 is not allowed; allowed: integers of at least 1"),
        ({"batch_size": 1}, "batch_size 1 is not allowed; allowed: 2 to 1200"),
        ({"batch_size": 1201}, "batch_size 1201 is not allowed; allowed: 2 to 1200"),
        ({"learning_rate": 0.0}, "learning_rate 0.0 is not allowed; allowed: positive numbers"),
        ({"learning_rate": float("nan")}, "learning_rate nan is not allowed; allowed: positive numbers"),
        ({"weight_decay": -1.0}, "weight_decay -1.0 is not allowed; allowed: 0 or more"),
        ({"seed": -1}, "seed -1 is not allowed; allowed: 0 or more"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCase) as error:
        TrainingRun(**values)
    assert str(error.value) == message


def test_ids_depend_on_every_field_and_on_nothing_else() -> None:
    others = [
        dataclasses.replace(RUN, **{name: value})
        for name, value in {"seed": 1, "epochs": 3, "threads": 2, "learning_rate": 0.1, "weight_decay": 0.0}.items()
    ]
    assert len({run.id for run in [RUN, PLAIN, *others]}) == 7
    assert dataclasses.replace(RUN).id == RUN.id


def test_the_quick_profile_has_all_networks_for_one_seed_before_the_next() -> None:
    runs = profile_runs("quick")
    assert len(runs) == 3 * (1 + 2 * 3)  # plain has no resolution
    assert [run.seed for run in runs] == sorted(run.seed for run in runs)
    assert {run.resolution for run in runs if run.variant == "full"} == {2, 4, 8}
    assert {run.threads for run in runs} == {1}


def test_given_values_replace_those_of_the_profile() -> None:
    runs = profile_runs("quick", variants=["plain", "full"], resolutions=[3], seeds=1, epochs=4, learning_rate=0.5)
    assert [(run.variant, run.resolution, run.epochs, run.learning_rate) for run in runs] == [
        ("plain", 1, 4, 0.5),
        ("full", 3, 4, 0.5),
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"profile": "slow"}, "unknown profile 'slow'; allowed: quick, standard"),
        ({"variants": ["conv"]}, "unknown variant 'conv'"),
        ({"variants": ["plain"], "resolutions": [0]}, "resolution 0 is not allowed"),
        ({"seeds": 0}, "seeds 0 is not allowed"),
    ],
)
def test_a_profile_refuses_wrong_values(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCase, match=message):
        profile_runs(**{"profile": "quick", **values})


def test_an_epoch_says_what_was_spent_until_its_end(digits: Dataset) -> None:
    reported: list[int] = []
    result = train(RUN, lambda fields: reported.append(len(fields["epochs"])), data=digits, clock=ticking())
    assert reported == [1, 2]
    assert [epoch["epoch"] for epoch in result["epochs"]] == [1, 2]
    assert [epoch["seconds"] for epoch in result["epochs"]] == [1.0, 2.0]  # a reading before and one after the steps
    macs = result["macs_per_image"]
    one_epoch = 3 * 2 * (macs["kernel_generation_per_step"] + 16 * macs["convolution"])  # two steps of 16 images
    assert [epoch["macs"] for epoch in result["epochs"]] == [one_epoch, 2 * one_epoch]
    assert macs["kernel_generation_per_step"] > 0
    assert result["data"] == {**digits.description(), "train": 40, "validation": 20, "test": 20}
    json.dumps(result, allow_nan=False)


def test_the_learning_rate_rises_then_falls_to_nothing() -> None:
    factors = [training.learning_rate_factor(progress) for progress in (0.0, 0.125, 0.25, 0.625, 1.0)]
    assert factors == pytest.approx([0, 0.5, 1, 0.5, 0])


def test_a_seed_gives_one_result_and_another_seed_another(digits: Dataset) -> None:
    first, again = (train(RUN, data=digits, clock=ticking()) for _ in range(2))
    other = train(dataclasses.replace(RUN, seed=1), data=digits, clock=ticking())
    assert first == again
    assert other["epochs"][0]["train_loss"] != first["epochs"][0]["train_loss"]


def test_a_network_learns_the_images_it_sees(digits: Dataset) -> None:
    same = dataclasses.replace(digits, validation=digits.train, test=digits.train)
    run = dataclasses.replace(PLAIN, channels=8, epochs=20, learning_rate=1e-2)
    result = train(run, data=same)
    assert result["test_accuracy"] >= 0.9
    assert result["epochs"][-1]["train_loss"] < 0.5 * result["epochs"][0]["train_loss"]


def test_test_accuracy_is_that_of_the_first_best_epoch(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    weights: list[torch.Tensor] = []
    accuracies = iter([0.2, 0.7, 0.7, 0.6, 0.5])

    def evaluate(model: torch.nn.Module, split: Split) -> float:
        weights.append(next(model.parameters()).detach().clone())
        return next(accuracies)

    monkeypatch.setattr(training, "evaluate", evaluate)
    result = train(dataclasses.replace(PLAIN, epochs=4), data=digits)
    assert (result["best_epoch"], result["test_accuracy"]) == (2, 0.5)
    assert weights[4].equal(weights[1])
    assert not weights[3].equal(weights[1])


def test_evaluation_counts_every_image_once_and_leaves_batch_statistics_alone(digits: Dataset) -> None:
    model = network(PLAIN.case())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    split = digits.validation
    many = Split(*(torch.cat([getattr(split, f.name)] * 20) for f in dataclasses.fields(Split)))  # several batches
    assert training.evaluate(model, many) == pytest.approx(training.evaluate(model, split))
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())


def test_a_loss_that_is_not_finite_stops_the_run(digits: Dataset) -> None:
    broken = dataclasses.replace(digits.train, images=digits.train.images * float("nan"))
    with pytest.raises(Diverged, match="the train loss is nan in epoch 1"):
        train(PLAIN, data=dataclasses.replace(digits, train=broken))


ONE_EPOCH = {"epoch": 1, "seconds": 0.5, "macs": 10, "train_loss": 2.0, "validation_accuracy": 0.25}


def fake_isolation(events: list[Any]) -> Any:
    """Stands for ``run_isolated``: an outcome is returned, an exception is raised after one epoch was reported."""

    def run_isolated(function: Any, run: TrainingRun, *, report: Report, **_: Any) -> Outcome:
        report({"parameters": 7, "epochs": [ONE_EPOCH]})
        event = events.pop(0)
        if isinstance(event, BaseException):
            raise event
        return event

    return run_isolated


def done(accuracy: float) -> Outcome:
    return Outcome("ok", "", {"best_epoch": 1, "test_accuracy": accuracy})


def test_the_same_command_trains_only_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, store = [RUN, PLAIN], RecordStore(tmp_path)
    monkeypatch.setattr(training, "run_isolated", fake_isolation([done(0.5), Outcome("failed", "Diverged: nan", {})]))
    assert study(runs, store) == (2, 1)
    first, second = store.load()
    assert (first["kind"], first["id"], first["run"]) == ("training", RUN.id, RUN.fields())
    assert (first["test_accuracy"], first["epochs"], first["parameters"]) == (0.5, [ONE_EPOCH], 7)
    assert first["provenance"]["threads"] == RUN.threads
    assert (second["status"], second["message"], second["epochs"]) == ("failed", "Diverged: nan", [ONE_EPOCH])

    monkeypatch.setattr(training, "run_isolated", fake_isolation([]))
    assert study(runs, store) == (0, 0)
    monkeypatch.setattr(training, "run_isolated", fake_isolation([done(0.75)]))
    assert study(runs, store, retry_failed=True) == (1, 0)
    assert [record["status"] for record in store.load()] == ["ok", "ok"]


def test_ctrl_c_keeps_what_is_done_and_the_run_is_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RecordStore(tmp_path)
    monkeypatch.setattr(training, "run_isolated", fake_isolation([done(0.5), KeyboardInterrupt()]))
    with pytest.raises(Interrupted, match="1 new runs kept, 1 left"):
        study([RUN, PLAIN], store)
    stopped = store.load()[1]
    assert (stopped["status"], stopped["message"]) == ("interrupted", "interrupted after 1 epochs")
    assert (stopped["epochs"], stopped["test_accuracy"]) == ([ONE_EPOCH], None)
    monkeypatch.setattr(training, "run_isolated", fake_isolation([done(0.75)]))
    assert study([RUN, PLAIN], store) == (1, 0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="the device is there")
def test_a_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match="device 'cuda' is not there; allowed on this machine: cpu"):
        study([dataclasses.replace(RUN, device="cuda")], RecordStore(tmp_path))


def test_the_table_has_mean_and_sample_deviation_over_seeds() -> None:
    runs = [dataclasses.replace(RUN, seed=seed) for seed in range(3)] + [PLAIN]
    records = [
        {"id": run.id, "status": "ok", "test_accuracy": accuracy}
        for run, accuracy in zip(runs, [0.9, 0.94, 0.8], strict=False)
    ]
    records[2]["status"] = "failed"
    assert accuracy_table(runs, records).splitlines()[1:] == [
        "separable      2   92.0 ± 2.8       2",
        "plain          1      –             0",
    ]


def test_the_command_line_trains_in_a_process_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    training.add_arguments(parser)
    options = "--variant plain --channels 1 --kernel-size 1 --image-size 9 --batch-size 600 --seeds 1 --epochs 1"
    args = parser.parse_args([*options.split(), "--threads", "1", "--results", str(tmp_path)])
    assert training.main(args) == 0
    (record,) = RecordStore(tmp_path).load()
    assert record["status"] == "ok", record["message"]
    assert record["data"]["test"] == 300
    assert "trained 1, skipped 0 already there, failed 0" in capsys.readouterr().out
