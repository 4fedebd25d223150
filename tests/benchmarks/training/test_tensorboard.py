"""Event files: TensorBoard reads the same numbers as the record has."""

import importlib.util
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from benchmarks.records.store import RecordStore
from benchmarks.training.folders import Folders
from benchmarks.training.missing import train_missing
from benchmarks.training.tensorboard import SCALARS
from tests.benchmarks.training.tiny_digits import RUN


def test_every_epoch_of_a_run_is_in_the_event_files(tmp_path: Path) -> None:
    assert train_missing([RUN], RecordStore(tmp_path), folders=Folders(tensorboard=tmp_path / "events")) == (1, 0)
    (record,) = RecordStore(tmp_path).load()
    (folder,) = (tmp_path / "events").iterdir()
    assert folder.name.endswith(RUN.id)
    events = EventAccumulator(str(folder)).Reload()
    for name, key in SCALARS.items():
        expected = {epoch["epoch"]: epoch[key] for epoch in record["epochs"] if epoch[key] is not None}
        assert {event.step: event.value for event in events.Scalars(name)} == pytest.approx(expected, rel=1e-6)
    steps = [event.step for event in events.Scalars("redundancy/last/gseparable")]
    assert steps == sorted({0, record["best_epoch"], 2})


def test_without_tensorboard_nothing_is_trained_and_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="event files need tensorboard, .* get it with: pip install tensorboard"):
        train_missing([RUN], RecordStore(tmp_path), folders=Folders(tensorboard=tmp_path))
    assert RecordStore(tmp_path).load() == []
