"""Checkpoints: a run that was stopped at any point ends like an undisturbed run."""

import copy
import dataclasses
import functools
import hashlib
import io
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.cases.training_run import TrainingRun
from benchmarks.datasets import Dataset
from benchmarks.records.outcome import Outcome
from benchmarks.records.store import RecordStore
from benchmarks.training import learner, loop
from benchmarks.training.checkpoints import Checkpoint, UnusableCheckpoint, code_digest
from benchmarks.training.folders import Folders
from benchmarks.training.learner import Learner
from benchmarks.training.loop import Diverged, train
from benchmarks.training.missing import keep, make_record
from tests.benchmarks.training.tiny_digits import PLAIN, RUN, tiny_digits

ROOT = Path(__file__).resolve().parents[3]
OPTIONS = "--variant separable --resolution 4 --channels 2 --seeds 1 --epochs 4 --checkpoint-seconds 0.1"
WARM_UP_STEPS = 2  # before the first epoch, to measure the peak memory
STEPS = 4  # in all epochs


class Stopped(Exception):  # noqa: N818
    """Raised to imitate the end of the process."""


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return tiny_digits()


@pytest.fixture(scope="module")
def undisturbed(digits: Dataset) -> Callable[[TrainingRun], dict[str, Any]]:
    """Return a function that returns the result of a run that nothing stops, and trains each run once."""
    return functools.cache(lambda run: train(run, data=digits))


@pytest.fixture
def uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the MACs and the peak memory of runs out, which take most of the time of such a small run."""

    def without_peak(function: Callable[[], None], device: str, *, prepare: Callable[[], None]) -> dict[str, int]:
        prepare()
        function()
        return {"peak_bytes": 0}

    macs = {"kernel_generation": 0, "convolution": 0, "backward": 0}
    monkeypatch.setattr(loop, "trace_macs", lambda model, image: macs)
    monkeypatch.setattr(learner, "peak_memory", without_peak)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """Return folders with which a checkpoint is written after every step."""
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", math.inf)
    return Folders(checkpoints=tmp_path / "checkpoints", checkpoint_seconds=0.0)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return [number of steps taken, number of the step at which ``Stopped`` is raised]."""
    take_step = Learner.take_step
    counter = [0, -1]

    def counted(self: Learner, *arguments: Any) -> None:
        if counter[0] == counter[1]:
            raise Stopped
        counter[0] += 1
        take_step(self, *arguments)

    monkeypatch.setattr(Learner, "take_step", counted)
    return counter


def without_times(result: dict[str, Any]) -> dict[str, Any]:
    """Return the result without the fields that depend on the clock."""
    timed = ("evaluation_seconds", "images_per_second", "peak_bytes", "seconds")
    epochs = [{name: value for name, value in epoch.items() if name not in timed} for epoch in result["epochs"]]
    return {**result, "epochs": epochs, "resumed": 0}


@pytest.mark.parametrize("stop", range(STEPS))
@pytest.mark.parametrize("run", [PLAIN, dataclasses.replace(RUN, sampled=True)], ids=["plain", "sampled"])
def test_a_run_stopped_at_any_step_ends_like_an_undisturbed_run(
    run: TrainingRun,
    stop: int,
    digits: Dataset,
    folders: Folders,
    steps: list[int],
    undisturbed: Callable[[TrainingRun], dict[str, Any]],
) -> None:
    expected = without_times(undisturbed(run))
    steps[:] = [0, WARM_UP_STEPS + stop]
    with pytest.raises(Stopped):
        train(run, data=digits, folders=folders)
    steps[:] = [0, -1]
    resumed = train(run, data=digits, folders=folders)
    assert without_times(resumed) == expected
    assert resumed["resumed"] == min(stop, 1)
    assert steps[0] == WARM_UP_STEPS + STEPS - stop


def test_the_result_of_an_ended_run_stays_in_its_checkpoint_until_the_checkpoint_is_removed(
    digits: Dataset, folders: Folders, steps: list[int]
) -> None:
    result = train(RUN, data=digits, folders=folders)
    taken = steps[0]
    assert train(RUN, data=digits, folders=folders) == result  # the times as well: nothing was trained again
    assert steps[0] == taken
    folders.remove_checkpoint(RUN.id)
    assert list(folders.checkpoints.iterdir()) == []  # type: ignore[union-attr]


@pytest.mark.usefixtures("uncounted")
def test_a_full_disk_at_the_end_of_a_run_does_not_lose_its_result(
    digits: Dataset, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Checkpoint.save

    def full(self: Checkpoint, state: dict[str, Any]) -> None:
        if "result" in state:
            raise OSError("cannot write a checkpoint to it: No space left on device")
        save(self, state)

    monkeypatch.setattr(Checkpoint, "save", full)
    result = train(RUN, data=digits, folders=folders)
    assert result["test_accuracy"] is not None
    assert result["warnings"] == ["cannot write a checkpoint to it: No space left on device"]
    assert folders.checkpoint(RUN.id).exists()  # type: ignore[union-attr]


@pytest.mark.usefixtures("uncounted")
def test_seconds_of_lost_steps_do_not_count(
    digits: Dataset, folders: Folders, steps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def clock() -> float:
        return float(steps[0])

    save, saved = Checkpoint.save, []

    def save_once(self: Checkpoint, state: dict[str, Any]) -> None:
        if not saved:
            saved.append(state["at"]["steps"])
            save(self, state)

    monkeypatch.setattr(Checkpoint, "save", save_once)
    steps[1] = WARM_UP_STEPS + 3
    with pytest.raises(Stopped):
        train(RUN, data=digits, folders=folders, clock=clock)
    steps[1] = -1
    resumed = train(RUN, data=digits, folders=folders, clock=clock)
    assert saved == [1]
    assert steps[0] == 2 * WARM_UP_STEPS + 3 + STEPS - 1  # two steps were done twice
    assert [epoch["seconds"] for epoch in resumed["epochs"]] == [0.0, 2.0, 4.0]
    assert [epoch["images_per_second"] for epoch in resumed["epochs"]] == [None, 16.0, 16.0]


def test_a_run_stopped_after_its_last_step_still_finishes_its_last_epoch(
    digits: Dataset,
    folders: Folders,
    monkeypatch: pytest.MonkeyPatch,
    undisturbed: Callable[[TrainingRun], dict[str, Any]],
) -> None:
    expected = without_times(undisturbed(RUN))
    end_epoch = loop._Training._end_epoch

    def stop(self: loop._Training, epoch: int, learned: dict[str, Any]) -> None:
        if epoch == RUN.budget:
            raise Stopped
        end_epoch(self, epoch, learned)

    monkeypatch.setattr(loop._Training, "_end_epoch", stop)
    with pytest.raises(Stopped):
        train(RUN, data=digits, folders=folders)
    monkeypatch.setattr(loop._Training, "_end_epoch", end_epoch)
    assert without_times(train(RUN, data=digits, folders=folders)) == expected


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "truncated":
        content = content[: len(content) // 2]
    else:
        content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("how", ["truncated", "one bit"])
def test_a_damaged_checkpoint_gives_a_warning_and_the_run_starts_again(
    how: str,
    digits: Dataset,
    folders: Folders,
    steps: list[int],
    undisturbed: Callable[[TrainingRun], dict[str, Any]],
) -> None:
    expected = undisturbed(RUN)["weights_sha256"]
    steps[:] = [0, WARM_UP_STEPS + 2]
    with pytest.raises(Stopped):
        train(RUN, data=digits, folders=folders)
    (path,) = folders.checkpoints.iterdir()  # type: ignore[union-attr]
    damage(path, how)
    steps[1] = -1
    result = train(RUN, data=digits, folders=folders)
    assert result["warnings"] == [f"{path} is damaged: trained from the beginning"]
    assert (result["resumed"], result["weights_sha256"]) == (0, expected)


@pytest.mark.parametrize("name", ["data", "torch", "commit", "code", "machine"])
def test_a_checkpoint_of_other_code_data_or_machine_is_not_resumed(tmp_path: Path, name: str) -> None:
    made_by = {"data": {"train": 3}, "torch": "1", "commit": "a", "code": "c", "machine": "m"}
    path = tmp_path / "a.checkpoint"
    Checkpoint(path, made_by).save({"at": 1})
    assert Checkpoint(path, made_by).load() == {"at": 1}
    with pytest.raises(UnusableCheckpoint, match=f"differs in {name}: trained from the beginning"):
        Checkpoint(path, {**made_by, name: "other"}).load()
    assert Checkpoint(tmp_path / "b.checkpoint", made_by).load() is None


def test_the_digest_of_code_changes_with_any_source_file_and_with_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "inner" / "b.c").write_text("int x;\n")
    digests = [code_digest([tmp_path])]
    (tmp_path / "notes.txt").write_text("not code")
    assert code_digest([tmp_path]) == digests[0]
    for path, text in (("a.py", "x = 2\n"), ("inner/b.c", "int y;\n"), ("inner/new.h", "")):
        (tmp_path / path).write_text(text)
        digests.append(code_digest([tmp_path]))
    (tmp_path / "a.py").rename(tmp_path / "c.py")
    digests.append(code_digest([tmp_path]))
    assert len(set(digests)) == 5


@pytest.mark.usefixtures("uncounted")
def test_an_uncommitted_change_of_code_while_a_run_is_stopped_starts_it_anew(
    digits: Dataset, folders: Folders, steps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps[1] = WARM_UP_STEPS + 2
    with pytest.raises(Stopped):
        train(RUN, data=digits, folders=folders)
    steps[1] = -1
    monkeypatch.setattr(loop, "CODE", "another")
    result = train(RUN, data=digits, folders=folders)
    (warning,) = result["warnings"]
    assert warning == f"{folders.checkpoint(RUN.id)} differs in code: trained from the beginning"
    assert result["resumed"] == 0


NETWORK = """
from torch import nn

def net(in_channels, num_classes, image_size):
    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * image_size**2, num_classes))
"""


@pytest.mark.usefixtures("uncounted")
def test_a_change_of_a_users_network_while_a_run_is_stopped_starts_it_anew(
    digits: Dataset, folders: Folders, steps: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "network_that_changes.py"
    path.write_text(NETWORK)
    own = {"variant": "custom", "group": "trivial", "resolution": 1}
    run = dataclasses.replace(RUN, network="network_that_changes:net", **own)
    steps[1] = WARM_UP_STEPS + 2
    with pytest.raises(Stopped):
        train(run, data=digits, folders=folders)
    steps[1] = -1
    path.write_text(NETWORK.replace("nn.Flatten()", "nn.Flatten(), nn.Identity()"))
    result = train(run, data=digits, folders=folders)
    (warning,) = result["warnings"]
    assert warning == f"{folders.checkpoint(run.id)} differs in the user's network: trained from the beginning"


def whole(path: Path, content: Any) -> None:
    """Write a checkpoint whose digest is right."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    path.write_bytes(hashlib.sha256(buffer.getvalue()).digest() + buffer.getvalue())


def without_keys(saved: dict[str, Any]) -> Any:
    return {**saved, "state": {"at": {}}}


def of_another_network(saved: dict[str, Any]) -> Any:
    learner = saved["state"]["learner"]
    model = {name: value.flatten()[:1] for name, value in learner["model"].items()}
    return {**saved, "state": {**saved["state"], "learner": {**learner, "model": model}}}


def of_another_optimiser(saved: dict[str, Any]) -> Any:
    learner = copy.deepcopy(saved["state"]["learner"])
    learner["optimiser"]["state"][0]["exp_avg"] = torch.zeros(7)
    return {**saved, "state": {**saved["state"], "learner": learner}}


def at_no_number(saved: dict[str, Any]) -> Any:
    return {**saved, "state": {**saved["state"], "at": {**saved["state"]["at"], "epoch": "one"}}}


def with_a_wrong_result(saved: dict[str, Any]) -> Any:
    return {**saved, "state": {"result": {"test_accuracy": "high"}}}


def with_a_result_of_another_kind(saved: dict[str, Any]) -> Any:
    return {**saved, "state": {"result": ["high"]}}


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize(
    "change",
    [
        lambda saved: [1, 2],
        lambda saved: {**saved, "state": None},
        lambda saved: TrainingRun,  # loading it would run code
        *(without_keys, of_another_network, of_another_optimiser, at_no_number),
        *(with_a_wrong_result, with_a_result_of_another_kind),
    ],
)
def test_a_whole_checkpoint_that_cannot_be_used_gives_a_warning_and_the_run_starts_again(
    change: Callable[[Any], Any],
    digits: Dataset,
    folders: Folders,
    steps: list[int],
    undisturbed: Callable[[TrainingRun], dict[str, Any]],
) -> None:
    expected = undisturbed(RUN)["weights_sha256"]
    steps[:] = [0, WARM_UP_STEPS + 2]
    with pytest.raises(Stopped):
        train(RUN, data=digits, folders=folders)
    steps[1] = -1
    path = folders.checkpoint(RUN.id)
    assert path is not None
    whole(path, change(torch.load(io.BytesIO(path.read_bytes()[32:]), weights_only=True)))
    result = train(RUN, data=digits, folders=folders)
    (warning,) = result["warnings"]
    assert re.fullmatch(rf"{path} cannot be used \(\w+\): trained from the beginning", warning)
    assert (result["resumed"], result["weights_sha256"]) == (0, expected)


def test_a_checkpoint_that_cannot_be_written_keeps_the_previous_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = Checkpoint(tmp_path / "a.checkpoint", {})
    checkpoint.save({"at": 1})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="cannot write a checkpoint to .*: No space left"):
        checkpoint.save({"at": 2})
    assert checkpoint.load() == {"at": 1}
    assert len(list(tmp_path.iterdir())) == 1


def test_a_run_that_diverges_keeps_its_checkpoint_until_its_record_is_stored(
    digits: Dataset, folders: Folders, steps: list[int], tmp_path: Path
) -> None:
    steps[1] = WARM_UP_STEPS + 1
    with pytest.raises(Stopped):
        train(PLAIN, data=digits, folders=folders)
    steps[1] = -1
    broken = dataclasses.replace(digits.train, images=digits.train.images * float("nan"))
    latest: dict[str, Any] = {}
    with pytest.raises(Diverged):
        train(PLAIN, latest.update, data=dataclasses.replace(digits, train=broken), folders=folders)
    path = folders.checkpoint(PLAIN.id)
    assert path is not None
    assert path.exists()
    keep(make_record(PLAIN, Outcome("failed", "nan", latest), {}), RecordStore(tmp_path), folders)
    assert not path.exists()


@pytest.mark.usefixtures("uncounted")
def test_checkpoints_take_a_small_part_of_the_time(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves = []

    def slow(self: Checkpoint, state: dict[str, Any]) -> None:
        if "result" not in state:
            saves.append(state["at"]["steps"])
            time.sleep(0.2)

    monkeypatch.setattr(Checkpoint, "save", slow)
    train(RUN, data=digits, folders=Folders(checkpoints=tmp_path, checkpoint_seconds=0.0))
    assert len(saves) == 1  # the next checkpoint is due after twenty seconds


def killed_and_resumed(results: Path, options: list[str]) -> int:
    """Start the command, kill it with all of its processes, start it again, and return the exit status."""
    command = [sys.executable, "-m", "benchmarks", "train", *options, "--results", str(results)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT}
    process = subprocess.Popen(command, start_new_session=True, **quiet)  # type: ignore[call-overload]
    deadline = time.monotonic() + 60
    while not list((results / "checkpoints").glob("*.checkpoint")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return subprocess.run(command, check=False, **quiet).returncode  # type: ignore[call-overload, no-any-return]


def test_a_killed_run_ends_like_an_undisturbed_run(tmp_path: Path) -> None:
    assert killed_and_resumed(tmp_path, OPTIONS.split()) == 0
    (killed,) = RecordStore(tmp_path).load()
    assert (killed["status"], killed["resumed"]) == ("ok", 1)
    whole = train(TrainingRun(**killed["run"]))
    assert killed["weights_sha256"] == whole["weights_sha256"]
    assert killed["test_accuracy"] == whole["test_accuracy"]
    assert not list((tmp_path / "checkpoints").iterdir())
