"""``Workers`` run independent jobs; ``Here`` does so on this machine. ``complete`` stores the jobs' records."""

import contextlib
import multiprocessing
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.cases.case import InvalidCase
from benchmarks.cases.cores import available_cores
from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.outcome import FAILURES
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.running.environment import set_measuring_environment
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.running.outstanding import outstanding
from benchmarks.running.progress import Progress
from benchmarks.running.signals import Interrupted
from benchmarks.training.folders import Folders
from benchmarks.training.missing import NO_DATA, PRELOAD, TIMEOUT, Job, attempt, keep, remove_old_checkpoints

Task = Callable[[Any, Report], dict[str, Any]]


class Workers(Protocol):
    """Runs independent jobs: several training runs at once, or one measurement alone."""

    @property
    def text(self) -> str:
        """A description: how many jobs run at once, and where."""
        ...

    def outstanding(
        self, runs: Sequence[TrainingRun], store: RecordStore, *, retry_failed: bool
    ) -> contextlib.AbstractContextManager[list[TrainingRun]]:
        """Yield the runs that the store lacks; until the context ends, no other process writes to the store."""
        ...

    def measure(self, task: Task, argument: Any, device: str) -> dict[str, Any]:
        """Return the result of a task that has the device to itself; see ``measured`` for errors."""
        ...

    def attempts(self, jobs: Sequence[Job]) -> Generator[Record, None, None]:
        """Yield the records of jobs in the order in which they end; the record of a job may come more than once."""
        ...


@dataclass(frozen=True)
class Here:
    """Processes on this machine.

    Args:
        jobs: number of training runs at once.
        timeout: seconds without a report after which a run is given up.
        attempt: function that trains a job and returns its record; None means ``training.missing.attempt``.
    """

    jobs: int = 1
    timeout: float = TIMEOUT
    attempt: Callable[[Job], Record] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.jobs <= available_cores():
            raise InvalidCase(f"jobs {self.jobs} is not allowed; allowed on this machine: 1 to {available_cores()}")

    @property
    def text(self) -> str:
        return f"{self.jobs} at once on this machine"

    def outstanding(
        self, runs: Sequence[TrainingRun], store: RecordStore, *, retry_failed: bool
    ) -> contextlib.AbstractContextManager[list[TrainingRun]]:
        return outstanding(runs, store, retry_failed=retry_failed)

    def measure(self, task: Task, argument: Any, device: str) -> dict[str, Any]:
        set_measuring_environment()
        return measured(task, argument, device, self.timeout)

    def attempts(self, jobs: Sequence[Job]) -> Generator[Record, None, None]:
        one = self.attempt or (lambda job: attempt(job, timeout=self.timeout))
        pool = ThreadPoolExecutor(self.jobs)
        try:
            for future in as_completed([pool.submit(one, job) for job in jobs]):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():  # processes remain only after an interruption
                process.kill()
            pool.shutdown()


def measured(task: Task, argument: Any, device: str, timeout: float) -> dict[str, Any]:
    """Run a task in its own process and return its result.

    Raises:
        ValueError: when images are missing or damaged; the message is one line.
        RuntimeError: when the task fails.
    """
    outcome = run_isolated(task, argument, device=device, preload=PRELOAD, timeout=timeout)
    if outcome.message.startswith(NO_DATA):
        raise ValueError(outcome.message.removeprefix(NO_DATA))
    if outcome.status != "ok":
        raise RuntimeError(f"a measurement {outcome.status}: {outcome.message}")
    return outcome.fields


def complete(
    runs: Sequence[TrainingRun],
    store: RecordStore,
    workers: Workers,
    folders: Folders,
    *,
    retry_failed: bool = False,
    text: str = "train",
) -> tuple[int, int]:
    """Train the runs that the store lacks; return how many were trained, and how many of these failed.

    The first record of each run is stored. Only this process writes to the store, so lost or slow workers and jobs
    that run twice do not change the stored results.

    Raises:
        InvalidCase: when a run needs a device that is missing, or more cores than there are.
        OSError: when the results cannot be written, or another process is writing to the store.
        Interrupted: on Ctrl-C; the records so far are kept.
    """
    failed = 0
    kept: set[str] = set()
    with workers.outstanding(runs, store, retry_failed=retry_failed) as missing:
        labels = {run.id: run.label for run in missing}
        remove_old_checkpoints([run for run in runs if run.id not in labels], store, folders)
        with (
            Progress(total=len(missing), unit="run", desc=text, smoothing=0) as progress,
            contextlib.closing(workers.attempts([Job(run, folders) for run in missing])) as records,
        ):
            try:
                for record in records:
                    if record["id"] in kept or record["id"] not in labels:
                        continue
                    keep(record, store, folders)
                    kept.add(record["id"])
                    progress.update()
                    if record["status"] in FAILURES:
                        failed += 1
                        progress.write(f"{labels[record['id']]}: {record['status']}: {record['message']}")
                    if len(kept) == len(labels):
                        break  # later records of the same jobs are dropped
            except KeyboardInterrupt:
                left = len(labels) - len(kept)
                message = f"{len(kept)} new runs kept, {left} left; the same command goes on from here"
                raise Interrupted(message) from None
    return len(kept), failed
