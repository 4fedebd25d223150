"""Independent jobs: whatever workers do, the store has every run once."""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cases.case import InvalidCase
from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.running.outstanding import Interrupted
from benchmarks.studies.workers import Here, Task, complete
from benchmarks.training.folders import DEFAULT_FOLDERS
from benchmarks.training.missing import Job
from tests.benchmarks.studies.cluster_jobs import own_process, record_of

RUNS = [TrainingRun(resolution=2, channels=1, seed=seed) for seed in range(4)]


@dataclass(frozen=True)
class Odd:
    """Workers that return what they are told to, for the seeds of ``answers``, and then whatever ``then`` does."""

    answers: Sequence[int]
    then: BaseException | None = None
    text: str = "odd"

    @contextlib.contextmanager
    def outstanding(
        self, runs: Sequence[TrainingRun], store: RecordStore, *, retry_failed: bool
    ) -> Iterator[list[TrainingRun]]:
        there = {record["id"] for record in store.load()}
        yield [run for run in runs if run.id not in there]

    def measure(self, task: Task, argument: Any, device: str) -> dict[str, Any]:
        raise NotImplementedError

    def attempts(self, jobs: Sequence[Job]) -> Iterator[Record]:
        for seed in self.answers:
            yield record_of(Job(RUNS[seed]))
        if self.then is not None:
            raise self.then


def stored(path: Path) -> list[tuple[str, float]]:
    """All lines of the store, also those that a later line of the same id hides."""
    lines = (path / "records.jsonl").read_text().splitlines()
    assert len(lines) == len(RecordStore(path).load())
    return sorted((record["id"], record["test_accuracy"]) for record in RecordStore(path).load())


EXPECTED = sorted((run.id, 0.9 - run.seed / 100) for run in RUNS)


def test_every_run_becomes_one_record_in_whatever_order(tmp_path: Path) -> None:
    assert complete(RUNS, RecordStore(tmp_path), Odd([3, 0, 2, 1]), DEFAULT_FOLDERS) == (4, 0)
    assert stored(tmp_path) == EXPECTED


def test_what_comes_twice_is_stored_once_and_what_nobody_asked_for_never(tmp_path: Path) -> None:
    assert complete(RUNS[:3], RecordStore(tmp_path), Odd([0, 1, 0, 3, 1, 2, 2]), DEFAULT_FOLDERS) == (3, 0)
    assert stored(tmp_path) == EXPECTED[:0] + sorted(each for each in EXPECTED if each[0] != RUNS[3].id)


def test_what_is_there_is_not_asked_for_and_not_taken_again(tmp_path: Path) -> None:
    complete(RUNS[:2], RecordStore(tmp_path), Odd([0, 1]), DEFAULT_FOLDERS)
    assert complete(RUNS, RecordStore(tmp_path), Odd([0, 2, 1, 3]), DEFAULT_FOLDERS) == (2, 0)
    assert stored(tmp_path) == EXPECTED


def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="2 new runs kept, 2 left"):
        complete(RUNS, RecordStore(tmp_path), Odd([0, 1], then=KeyboardInterrupt()), DEFAULT_FOLDERS)
    assert len(stored(tmp_path)) == 2


def test_here_runs_as_many_at_once_as_told(tmp_path: Path) -> None:
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
    with pytest.raises(InvalidCase, match="jobs 1000 are not allowed"):
        Here(1000)


def test_a_measurement_has_a_process_of_its_own() -> None:
    import os

    found = Here().measure(own_process, 7, "cpu")
    assert found["argument"] == 7
    assert found["pid"] != os.getpid()


def test_a_measurement_that_fails_is_an_error_in_one_line() -> None:
    with pytest.raises(RuntimeError, match="a measurement failed: TypeError"):
        Here().measure(dict, 7, "cpu")  # type: ignore[arg-type]
