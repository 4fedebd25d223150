"""Training of missing runs: results that exist are kept and not computed again."""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.cases.case import InvalidCase
from benchmarks.commands import train as command
from benchmarks.records.outcome import Outcome
from benchmarks.records.provenance import moment, provenance
from benchmarks.records.store import RecordStore, RecordWarning
from benchmarks.running.isolated import Report
from benchmarks.running.signals import Interrupted
from benchmarks.training import missing
from benchmarks.training.folders import Folders
from benchmarks.training.missing import Job, train_missing
from benchmarks.training.profiles import accuracy_table, profile_runs
from tests.benchmarks.training.tiny_digits import PLAIN, RUN

ONE_EPOCH = {"epoch": 1, "seconds": 0.5, "macs": 10, "train_loss": 2.0, "validation_accuracy": 0.25}
IMAGES = {"name": "digits", "source": "drawn by hand", "train": 1200, "validation": 297, "test": 300}


def fake_isolation(events: list[Any]) -> Any:
    """Return a replacement for ``run_isolated`` that reports one epoch, then returns or raises the next event."""

    def run_isolated(function: Any, job: Job, *, report: Report, **_: Any) -> Outcome:
        report({"parameters": 7, "epochs": [{"epoch": 0, "seconds": 0.0}, ONE_EPOCH]})
        event = events.pop(0)
        if isinstance(event, BaseException):
            raise event
        return event

    return run_isolated


def done(accuracy: float) -> Outcome:
    return Outcome("ok", "", {"best_epoch": 1, "test_accuracy": accuracy})


def test_the_same_command_trains_only_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, store = [RUN, PLAIN], RecordStore(tmp_path)
    monkeypatch.setattr(missing, "run_isolated", fake_isolation([done(0.5), Outcome("failed", "Diverged: nan", {})]))
    assert train_missing(runs, store) == (2, 1)
    first, second = store.load()
    assert (first["kind"], first["id"], first["run"]) == ("training", RUN.id, RUN.fields())
    assert (first["test_accuracy"], first["epochs"][1], first["parameters"]) == (0.5, ONE_EPOCH, 7)
    assert first["provenance"]["threads"] == RUN.threads
    assert (second["status"], second["message"], second["epochs"][1]) == ("failed", "Diverged: nan", ONE_EPOCH)

    monkeypatch.setattr(missing, "run_isolated", fake_isolation([]))
    with pytest.warns(
        RecordWarning, match=r"^1 of the 2 records already there are of failures \(failed: Diverged: nan\)"
    ):
        assert train_missing(runs, store) == (0, 0)
    monkeypatch.setattr(missing, "run_isolated", fake_isolation([done(0.75)]))
    assert train_missing(runs, store, retry_failed=True) == (1, 0)
    assert [record["status"] for record in store.load()] == ["ok", "ok"]


def test_after_ctrl_c_records_are_kept_and_the_interrupted_run_is_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RecordStore(tmp_path)
    monkeypatch.setattr(missing, "run_isolated", fake_isolation([done(0.5), KeyboardInterrupt()]))
    with pytest.raises(Interrupted, match="1 new runs kept, 1 left"):
        train_missing([RUN, PLAIN], store)
    stopped = store.load()[1]
    assert (stopped["status"], stopped["message"]) == ("interrupted", "interrupted after 1 epochs")
    assert (stopped["epochs"][1], stopped["test_accuracy"]) == (ONE_EPOCH, None)
    monkeypatch.setattr(missing, "run_isolated", fake_isolation([done(0.75)]))
    assert train_missing([RUN, PLAIN], store) == (1, 0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_a_missing_device_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match="device 'cuda' is not there; allowed on this machine: cpu"):
        train_missing([dataclasses.replace(RUN, device="cuda")], RecordStore(tmp_path))


def test_the_quick_profile_has_all_networks_with_one_seed_before_the_next_seed() -> None:
    runs = profile_runs("quick")
    assert len(runs) == 3 * (1 + 2 * 3)  # plain has no resolution
    assert [run.seed for run in runs] == sorted(run.seed for run in runs)
    assert {run.resolution for run in runs if run.variant == "full"} == {2, 4, 8}
    assert {(run.threads, run.recipe, run.budget_unit, run.budget) for run in runs} == {(1, "short", "epochs", 10)}
    assert {run.learning_rate for run in runs if run.variant == "plain"} == {3e-2}


def test_given_values_replace_those_of_the_profile() -> None:
    runs = profile_runs("quick", variants=["plain", "full"], resolutions=[3], seeds=1, budget=4, learning_rate=0.5)
    assert [(run.variant, run.resolution, run.budget, run.learning_rate) for run in runs] == [
        ("plain", 1, 4, 0.5),
        ("full", 3, 4, 0.5),
    ]


def test_the_recipe_gives_values_that_neither_caller_nor_profile_gives() -> None:
    (paper,) = profile_runs("paper", variants=["full"], resolutions=[8], seeds=1)
    assert (paper.dataset, paper.image_size, paper.channels) == ("rotated-mnist", 28, 32)
    assert (paper.budget, paper.learning_rate, paper.weight_decay) == (300, 1e-4, 1e-4)
    (timed,) = profile_runs("paper", variants=["full"], resolutions=[8], seeds=1, budget_unit="seconds", budget=60)
    assert (timed.budget_unit, timed.budget) == ("seconds", 60)


def test_combinations_that_are_not_allowed_are_left_out() -> None:
    runs = profile_runs("quick", variants=["separable", "separable2d"], groups=["SO2", "SO2xRPlus"], scales=2, seeds=1)
    assert {(run.variant, run.group, run.scales) for run in runs} == {
        ("separable", "SO2", 1),
        ("separable", "SO2xRPlus", 2),
        ("separable2d", "SO2xRPlus", 2),
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"profile": "slow"}, "unknown profile 'slow'; allowed: quick, standard, paper"),
        ({"variants": ["conv"]}, "unknown variant 'conv'"),
        ({"variants": ["lifting"]}, "variant 'lifting' does not go with layer 'resnet'"),
        ({"variants": ["plain"], "resolutions": [0]}, "resolution 0 is not allowed"),
        ({"groups": ["SO3"]}, "unknown group 'SO3'"),
        ({"seeds": 0}, "seeds 0 is not allowed"),
        ({"recipe": "long"}, "unknown recipe 'long'; allowed: paper, short"),
        (
            {"network": "mine:net", "variants": ["separable"]},
            "variant 'separable' does not go with network 'mine:net'; allowed: custom",
        ),
    ],
)
def test_a_profile_refuses_wrong_values(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCase, match=message):
        profile_runs(**{"profile": "quick", **values})


def test_the_table_has_mean_and_sample_standard_deviation_over_seeds() -> None:
    runs = [dataclasses.replace(RUN, seed=seed) for seed in range(3)] + [PLAIN]
    records = [
        {"id": run.id, "status": "ok", "test_accuracy": accuracy, "data": IMAGES}
        for run, accuracy in zip(runs, [0.9, 0.94, 0.8], strict=False)
    ]
    records[2]["status"] = "failed"
    assert accuracy_table(runs, records)[1:] == [
        "separable   SO2          2   92.0 ± 2.8       2",
        "plain       trivial      1      –             0",
        "images: digits, drawn by hand, 1,200 / 297 / 300",
    ]
    own = dataclasses.replace(PLAIN, network="mine.networks:small", variant="custom")
    assert accuracy_table([own], [])[1].split()[:3] == ["mine.networks:small", "trivial", "1"]
    records[1]["data"] = {**IMAGES, "source": "scanned"}
    assert "did not see the same images" in accuracy_table(runs, records)[-1]


def parse(options: str, results: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args([*options.split(), "--results", str(results)])


def test_the_command_trains_a_run_in_its_own_process(tmp_path: Path) -> None:
    options = "--variant plain --channels 1 --kernel-size 1 --image-size 9 --batch-size 600 --seeds 1 --epochs 1"
    result = command.main(parse(options, tmp_path))
    assert result.status == 0
    (record,) = RecordStore(tmp_path).load()
    assert record["status"] == "ok", record["message"]
    assert record["data"]["test"] == 300
    assert [epoch["epoch"] for epoch in record["epochs"]] == [0, 1]
    assert result.lines[-1].startswith("trained 1, failed 0, 0 already there")


def test_the_status_says_that_every_run_failed_also_when_the_command_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = parse("--variant plain --seeds 1 --epochs 1", tmp_path)
    monkeypatch.setattr(missing, "run_isolated", fake_isolation([Outcome("failed", "Diverged: nan", {})]))
    assert command.main(options).status == 1
    with pytest.warns(RecordWarning, match="--retry-failed measures them again"):
        assert command.main(options).status == 1
    options.retry_failed = True
    monkeypatch.setattr(missing, "run_isolated", fake_isolation([done(0.5)]))
    assert command.main(options).status == 0


def test_damaged_images_give_a_one_line_error_and_no_record(tmp_path: Path) -> None:
    run = dataclasses.replace(PLAIN, dataset="galaxy10", image_size=12)
    (tmp_path / "Galaxy10.h5").write_bytes(b"half of it")
    with pytest.raises(ValueError, match=r"^.*/Galaxy10.h5 is truncated or corrupt: .*or fetch https://zenodo.*h5$"):
        train_missing([run], RecordStore(tmp_path), folders=Folders(data_root=tmp_path))
    assert RecordStore(tmp_path).load() == []


def with_checkpoint(tmp_path: Path) -> tuple[Folders, Path]:
    folders = Folders(checkpoints=tmp_path / "checkpoints")
    path = folders.checkpoint(RUN.id)
    assert path is not None
    path.parent.mkdir()
    path.write_bytes(b"the result")
    return folders, path


@pytest.mark.parametrize("stop", [OSError("No space left on device"), KeyboardInterrupt()])
def test_a_checkpoint_stays_while_its_record_cannot_be_stored(
    stop: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, path = with_checkpoint(tmp_path)

    def fail(*_: object) -> None:
        raise stop

    append = RecordStore.append
    monkeypatch.setattr(missing, "run_isolated", fake_isolation([done(0.5), done(0.5)]))
    monkeypatch.setattr(RecordStore, "append", fail)
    with pytest.raises(type(stop)):
        train_missing([RUN], RecordStore(tmp_path), folders=folders)
    assert path.exists()
    monkeypatch.setattr(RecordStore, "append", append)
    assert train_missing([RUN], RecordStore(tmp_path), folders=folders) == (1, 0)
    assert not path.exists()


def test_a_checkpoint_that_was_left_after_its_record_was_stored_is_removed_without_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, path = with_checkpoint(tmp_path)
    partial = path.with_name(f".{path.name}.123.part")
    partial.write_bytes(b"half")
    record = missing.make_record(RUN, done(0.5), provenance(device="cpu", threads=1, before=moment()))
    RecordStore(tmp_path).append(record)
    monkeypatch.setattr(missing, "run_isolated", fake_isolation([]))
    assert train_missing([RUN], RecordStore(tmp_path), folders=folders) == (0, 0)
    assert not path.exists()
    assert not partial.exists()


def test_a_run_that_timed_out_keeps_its_checkpoint_for_another_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, path = with_checkpoint(tmp_path)
    monkeypatch.setattr(missing, "run_isolated", fake_isolation([Outcome("timeout", "no result within 1 s", {})]))
    assert train_missing([RUN], RecordStore(tmp_path), folders=folders) == (1, 1)
    with pytest.warns(RecordWarning, match="--retry-failed measures them again"):
        assert train_missing([RUN], RecordStore(tmp_path), folders=folders) == (0, 0)
    assert path.exists()


def test_a_full_disk_during_a_run_ends_the_command_and_the_run_gets_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = Outcome("failed", "OSError: cannot write a checkpoint to x: No space left on device", {})
    monkeypatch.setattr(missing, "run_isolated", fake_isolation([failure]))
    with pytest.raises(OSError, match="^cannot write a checkpoint to x: No space left on device$"):
        train_missing([RUN], RecordStore(tmp_path))
    assert RecordStore(tmp_path).load() == []
