"""Independent jobs on a Dask cluster: whatever runs a scheduler, SLURM, Kubernetes, SSH or a laptop; docs/cluster.md.

Dask is optional (the dependency group ``cluster``) and imported when a scheduler is asked for. Workers need this
project, its data and the resource ``device=1``: a measurement takes all of it, a training run a part.
"""

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.field import empty
from benchmarks.records.outcome import MESSAGE_LENGTH
from benchmarks.records.record import SCHEMA, Record
from benchmarks.records.store import RecordStore
from benchmarks.records.training_fields import TRAINING_MEASURED
from benchmarks.running.environment import set_measuring_environment
from benchmarks.studies.workers import Task, measured
from benchmarks.training.missing import TIMEOUT, Job, attempt

RESOURCE = "device"
CONNECT_SECONDS = 30


class Cluster:
    """The workers of a Dask scheduler.

    Args:
        address: of the scheduler, tcp://host:port.
        jobs: training runs at once on one device.
        timeout: seconds without a sign of life after which a run is given up.
        attempt: what makes a record of a job, importable by name on the workers.

    Raises:
        RuntimeError: where Dask is not installed, or no scheduler answers.
    """

    def __init__(
        self,
        address: str,
        *,
        jobs: int = 1,
        timeout: float = TIMEOUT,
        attempt: Callable[[Job, float], Record] | None = None,
    ) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise RuntimeError(
                "--scheduler needs Dask, which is not installed; uv pip install distributed (group 'cluster')"
            ) from None
        if jobs < 1:
            raise ValueError(f"jobs {jobs} are not allowed; allowed: 1 or more")
        self.jobs, self.timeout, self._attempt = jobs, timeout, attempt or attempt_there
        self._address = address
        try:
            self._client = Client(address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise RuntimeError(f"no scheduler answers at {address}: {error}") from None

    @property
    def text(self) -> str:
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        devices = sum(RESOURCE in worker["resources"] for worker in workers)
        return f"{self.jobs} at once on each of {devices} devices of the cluster at {self._address}"

    @contextlib.contextmanager
    def outstanding(
        self, runs: Sequence[TrainingRun], store: RecordStore, *, retry_failed: bool
    ) -> Iterator[list[TrainingRun]]:
        """Unlike on this machine, a record of any machine will do."""
        with store.measuring():
            there = {id for _, id in store.completed(retry_failed=retry_failed)}
            yield [run for run in runs if run.id not in there]

    def measure(self, task: Task, argument: Any, device: str) -> dict[str, Any]:
        future = self._client.submit(
            measure_there, task, argument, device, self.timeout, resources={RESOURCE: 1}, pure=False
        )
        try:
            result: dict[str, Any] = future.result()
        except Exception as error:
            raise RuntimeError(_reason(error)) from None
        return result

    def attempts(self, jobs: Sequence[Job]) -> Iterator[Record]:
        from distributed import as_completed

        options: dict[str, Any] = {"resources": {RESOURCE: 1 / self.jobs}, "pure": False}
        futures = {self._client.submit(self._attempt, job, self.timeout, **options): job for job in jobs}
        try:
            for future in as_completed(futures):
                if future.status == "finished":
                    yield future.result()
                elif isinstance(
                    error := future.exception(), ValueError
                ):  # images that are not there say nothing of a run
                    raise error
                else:
                    yield _lost(futures[future], error)
        finally:
            self._client.cancel(list(futures))

    def close(self) -> None:
        """Leave the cluster, which goes on."""
        self._client.close()


def attempt_there(job: Job, timeout: float) -> Record:
    """``training.study.attempt``, on a worker."""
    _prepare_worker()
    return attempt(job, timeout=timeout)


def measure_there(task: Task, argument: Any, device: str, timeout: float) -> dict[str, Any]:
    """``jobs.measured``, on a worker."""
    _prepare_worker()
    return measured(task, argument, device, timeout)


def _prepare_worker() -> None:
    """Dask's workers are daemons, which multiprocessing forbids to start processes; ours end with them anyway."""
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    set_measuring_environment()


def _lost(job: Job, error: BaseException) -> Record:
    """The record of a job that took worker after worker down with it, or could not begin on any."""
    return {
        "schema": SCHEMA,
        "kind": "training",
        "id": job.run.id,
        "run": job.run.fields(),
        "status": "killed" if type(error).__name__ == "KilledWorker" else "failed",
        "message": _reason(error)[:MESSAGE_LENGTH],
        **empty(TRAINING_MEASURED),
        "provenance": {},
    }


def _reason(error: BaseException) -> str:
    """An error of Dask's, in one line."""
    text = " ".join(str(error).split())
    if "deserialization" in text or isinstance(error, ImportError):
        return "the scheduler or a worker cannot import this project; start them in its folder, with python -m dask"
    return text if isinstance(error, RuntimeError) else f"{type(error).__name__}: {text}"
