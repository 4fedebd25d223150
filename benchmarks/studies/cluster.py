"""A ``Cluster`` runs independent jobs on the workers of a Dask scheduler; docs/cluster.md.

The scheduler may run on SLURM, Kubernetes, SSH or a laptop. Dask is optional (the dependency group ``cluster``); only
a ``Cluster`` imports it. Workers need this project, its data and the resource ``device=1``. A measurement takes the
whole resource, a training run a part of it.
"""

import contextlib
import multiprocessing
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.outcome import MESSAGE_LENGTH, Outcome
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.running.environment import set_measuring_environment
from benchmarks.studies.workers import Task, measured
from benchmarks.training.missing import TIMEOUT, Job, attempt, make_record

RESOURCE = "device"
CONNECT_SECONDS = 30


def attempt_on_worker(job: Job, timeout: float) -> Record:
    """Call ``training.missing.attempt`` on a worker."""
    _prepare_worker()
    return attempt(job, timeout=timeout)


def measure_on_worker(task: Task, argument: Any, device: str, timeout: float) -> dict[str, Any]:
    """Call ``workers.measured`` on a worker."""
    _prepare_worker()
    return measured(task, argument, device, timeout)


def _prepare_worker() -> None:
    """Let a Dask worker, a daemon process, start child processes, and set the environment for measuring.

    multiprocessing forbids children to daemons. The children end when the worker ends (``running.supervised``).
    """
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    set_measuring_environment()


class Cluster:
    """The workers of a Dask scheduler.

    Args:
        address: address of the scheduler, tcp://host:port.
        jobs: number of training runs at once on one device.
        timeout: seconds without a report after which a run is given up.
        attempt: function that trains a job and returns its record; workers import it by name.

    Raises:
        RuntimeError: when Dask is not installed, or no scheduler answers.
    """

    def __init__(
        self,
        address: str,
        *,
        jobs: int = 1,
        timeout: float = TIMEOUT,
        attempt: Callable[[Job, float], Record] = attempt_on_worker,
    ) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise RuntimeError(
                "--scheduler needs Dask, which is not installed; uv pip install distributed (group 'cluster')"
            ) from None
        if jobs < 1:
            raise ValueError(f"jobs {jobs} is not allowed; allowed: 1 or more")
        self.jobs, self.timeout, self._attempt = jobs, timeout, attempt
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
        """Yield the runs that have no record of any machine (``Here`` accepts only records of its own machine)."""
        with store.measuring():
            done = {id for _, id in store.completed(retry_failed=retry_failed)}
            yield [run for run in runs if run.id not in done]

    def measure(self, task: Task, argument: Any, device: str) -> dict[str, Any]:
        future = self._client.submit(
            measure_on_worker, task, argument, device, self.timeout, resources={RESOURCE: 1}, pure=False
        )
        try:
            result: dict[str, Any] = future.result()
        except ValueError:  # images are missing
            raise
        except Exception as error:
            raise RuntimeError(_reason(error)) from None
        return result

    def attempts(self, jobs: Sequence[Job]) -> Generator[Record, None, None]:
        from distributed import as_completed

        options: dict[str, Any] = {"resources": {RESOURCE: 1 / self.jobs}, "pure": False}
        futures = {self._client.submit(self._attempt, job, self.timeout, **options): job for job in jobs}
        try:
            for future in as_completed(futures):
                try:
                    # The result may be gone again, with a worker that has died; this waits until it is computed anew.
                    record = future.result()
                except ValueError:  # images are missing: the run itself has not failed
                    raise
                except Exception as error:
                    status = "killed" if type(error).__name__ == "KilledWorker" else "failed"
                    outcome = Outcome(status, _reason(error)[:MESSAGE_LENGTH], {})
                    record = make_record(futures[future].run, outcome, {})
                yield record
        finally:
            self._client.cancel(list(futures))

    def close(self) -> None:
        """Disconnect from the cluster, which keeps running."""
        self._client.close()


def _reason(error: BaseException) -> str:
    """Return an error of Dask in one line."""
    text = " ".join(str(error).split())
    if "deserialization" in text or isinstance(error, ImportError):
        return "the scheduler or a worker cannot import this project; start them in its folder, with python -m dask"
    return text if isinstance(error, RuntimeError) else f"{type(error).__name__}: {text}"
