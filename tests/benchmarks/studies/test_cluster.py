"""Jobs on a Dask cluster of two local worker processes, also when a worker is killed."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.store import RecordStore
from benchmarks.studies.cluster import Cluster
from benchmarks.studies.workers import complete
from benchmarks.training.folders import Folders
from benchmarks.training.missing import Job
from tests.benchmarks.studies.cluster_jobs import SECONDS, deadly_attempt, no_images, own_process, slow_attempt

distributed = pytest.importorskip("distributed")

RUNS = [TrainingRun(resolution=2, channels=1, seed=seed) for seed in range(8)]
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    """Start two workers, each a process with one device; dead workers are replaced, as a job scheduler does."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=4,
        processes=True,
        resources={"device": 1},
        dashboard_address=":0",  # any free port
        silence_logs=100,
    ) as cluster:
        yield cluster


def table(path: Path) -> list[tuple[int, float]]:
    """Return the seed and the accuracy of each line of the store."""
    records = RecordStore(path).load()
    assert len(records) == len((path / "records.jsonl").read_text().splitlines())
    return sorted((record["run"]["seed"], record["test_accuracy"]) for record in records)


EXPECTED = [(seed, 0.9 - seed / 100) for seed in range(8)]


def test_a_killed_worker_does_not_change_the_results(local: Any, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    killed = []

    def kill_one() -> None:
        while len(list(marks.iterdir())) < 4:  # half of the jobs
            time.sleep(0.02)
        pid = int(max(marks.iterdir(), key=lambda mark: mark.stat().st_mtime_ns).name.split("-")[0])
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)

    killer = threading.Thread(target=kill_one)
    killer.start()
    workers = Cluster(local.scheduler_address, attempt=slow_attempt)
    try:
        assert complete(RUNS, RecordStore(tmp_path), workers, Folders(marks)) == (8, 0)
    finally:
        killer.join()
        workers.close()
    assert killed
    assert table(tmp_path) == EXPECTED
    begun = [int(mark.name.split("-")[1]) for mark in marks.iterdir()]
    assert len(begun) > len(set(begun)) == 8  # the job of the dead worker was begun again


def test_a_result_that_a_dying_worker_takes_with_it_is_waited_for(
    local: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Gone:
        """A future whose result was there, and is being computed again."""

        status = "pending"

        def exception(self) -> None:
            return None

        def result(self) -> dict[str, Any]:
            asked.append(self)
            return {"id": "computed again"}

    workers = Cluster(local.scheduler_address, attempt=slow_attempt)
    monkeypatch.setattr(workers._client, "submit", lambda *_, **__: Gone())
    monkeypatch.setattr(workers._client, "cancel", lambda futures: None)
    monkeypatch.setattr("distributed.as_completed", list)
    try:
        assert list(workers.attempts([Job(RUNS[0], Folders(tmp_path))])) == [{"id": "computed again"}]
    finally:
        workers.close()
    assert len(asked) == 1


def test_a_job_that_kills_every_worker_becomes_a_record_and_the_others_are_done(local: Any, tmp_path: Path) -> None:
    workers = Cluster(local.scheduler_address, attempt=deadly_attempt)
    try:
        trained, failed = complete(RUNS[:1], RecordStore(tmp_path), workers, Folders(tmp_path))
        assert (trained, failed) == (1, 1)
        (record,) = RecordStore(tmp_path).load()
        assert record["status"] == "killed"
        assert "KilledWorker" in record["message"]
        assert complete(RUNS, RecordStore(tmp_path), workers, Folders(tmp_path)) == (7, 0)
    finally:
        workers.close()


def test_missing_images_stop_the_study_and_leave_no_record(local: Any, tmp_path: Path) -> None:
    workers = Cluster(local.scheduler_address, attempt=no_images)
    try:
        with pytest.raises(ValueError, match="images is missing"):
            complete(RUNS, RecordStore(tmp_path), workers, Folders(tmp_path))
    finally:
        workers.close()
    assert RecordStore(tmp_path).load() == []


def test_a_device_runs_as_many_jobs_as_asked_and_a_measurement_alone(local: Any, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    workers = Cluster(local.scheduler_address, jobs=2, attempt=slow_attempt)
    try:
        workers._client.wait_for_workers(2)
        assert workers.text.startswith("2 at once on each of 2 devices")
        complete(RUNS, RecordStore(tmp_path), workers, Folders(marks))
        found = workers.measure(own_process, 7, "cpu")
        assert found["argument"] == 7
        assert found["pid"] not in {os.getpid(), *local_pids(workers)}
    finally:
        workers.close()
    assert most_at_once(marks) == 2


def most_at_once(marks: Path) -> int:
    """Return the largest number of jobs that one worker ran at the same time, from the times at which they began."""
    begun: dict[str, list[int]] = {}
    for mark in marks.iterdir():
        pid, _, nanoseconds = mark.name.split("-")
        begun.setdefault(pid, []).append(int(nanoseconds))
    return max(sum(0 <= other - one < SECONDS * 1e9 for other in times) for times in begun.values() for one in times)


def local_pids(workers: Cluster) -> list[int]:
    """Return the process ids of the workers."""
    return list(workers._client.run(os.getpid).values())


def test_without_dask_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RuntimeError, match="--scheduler needs Dask, which is not installed"):
        Cluster("tcp://127.0.0.1:1")


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.studies.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(RuntimeError, match=r"no scheduler answers at tcp://127.0.0.1:1"):
        Cluster("tcp://127.0.0.1:1")
