"""Independent jobs: the store has every run once, whatever the workers do."""

import contextlib
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cases.case import InvalidCase
from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.running.signals import Interrupted
from benchmarks.studies.workers import Here, Task, complete
from benchmarks.training.folders import DEFAULT_FOLDERS
from benchmarks.training.missing import Job
from tests.benchmarks.studies.cluster_jobs import own_process, record_of

RUNS = [TrainingRun(resolution=2, channels=1, seed=seed) for seed in range(4)]


@dataclass(frozen=True)
class ScriptedWorkers:
    """Workers that return the records of the seeds in ``answers``, then raise ``then``."""

    answers: Sequence[int]
    then: BaseException | None = None
    text: str = "scripted"

    @contextlib.contextmanager
    def outstanding(
        self, runs: Sequence[TrainingRun], store: RecordStore, *, retry_failed: bool
    ) -> Iterator[list[TrainingRun]]:
        done = {record["id"] for record in store.load()}
        yield [run for run in runs if run.id not in done]

    def measure(self, task: Task, argument: Any, device: str) -> dict[str, Any]:
        raise NotImplementedError

    def attempts(self, jobs: Sequence[Job]) -> Generator[Record, None, None]:
        for seed in self.answers:
            yield record_of(Job(RUNS[seed]))
        if self.then is not None:
            raise self.then


def stored(path: Path) -> list[tuple[str, float]]:
    """Return id and test accuracy of each line of the store, after checking that no id comes twice."""
    lines = (path / "records.jsonl").read_text().splitlines()
    assert len(lines) == len(RecordStore(path).load())
    return sorted((record["id"], record["test_accuracy"]) for record in RecordStore(path).load())


EXPECTED = sorted((run.id, 0.9 - run.seed / 100) for run in RUNS)


def test_every_run_becomes_one_record_in_any_order(tmp_path: Path) -> None:
    assert complete(RUNS, RecordStore(tmp_path), ScriptedWorkers([3, 0, 2, 1]), DEFAULT_FOLDERS) == (4, 0)
    assert stored(tmp_path) == EXPECTED


def test_a_repeated_record_is_stored_once_and_an_unknown_record_never(tmp_path: Path) -> None:
    assert complete(RUNS[:3], RecordStore(tmp_path), ScriptedWorkers([0, 1, 0, 3, 1, 2, 2]), DEFAULT_FOLDERS) == (3, 0)
    assert stored(tmp_path) == [each for each in EXPECTED if each[0] != RUNS[3].id]


def test_a_run_with_a_record_is_not_trained_and_not_stored_again(tmp_path: Path) -> None:
    complete(RUNS[:2], RecordStore(tmp_path), ScriptedWorkers([0, 1]), DEFAULT_FOLDERS)
    assert complete(RUNS, RecordStore(tmp_path), ScriptedWorkers([0, 2, 1, 3]), DEFAULT_FOLDERS) == (2, 0)
    assert stored(tmp_path) == EXPECTED


def test_after_ctrl_c_the_records_so_far_are_kept(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="2 new runs kept, 2 left"):
        complete(RUNS, RecordStore(tmp_path), ScriptedWorkers([0, 1], then=KeyboardInterrupt()), DEFAULT_FOLDERS)
    assert len(stored(tmp_path)) == 2


def test_here_runs_as_many_jobs_at_once_as_asked(tmp_path: Path) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def attempt(job: Job) -> Record:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1
        return record_of(job)

    workers = replace(Here(1), attempt=attempt)
    object.__setattr__(workers, "jobs", 2)  # also on a machine with one core
    assert complete(RUNS, RecordStore(tmp_path), workers, DEFAULT_FOLDERS) == (4, 0)
    assert most == 2
    assert stored(tmp_path) == EXPECTED


def test_more_jobs_than_cores_are_refused() -> None:
    with pytest.raises(InvalidCase, match="jobs 1000 is not allowed"):
        Here(1000)


def test_a_measurement_has_its_own_process() -> None:
    import os

    found = Here().measure(own_process, 7, "cpu")
    assert found["argument"] == 7
    assert found["pid"] != os.getpid()


def test_a_failed_measurement_raises_a_one_line_error() -> None:
    with pytest.raises(RuntimeError, match="a measurement failed: TypeError"):
        Here().measure(dict, 7, "cpu")  # type: ignore[arg-type]
