"""Independent jobs, here: so many training runs at once, or one measurement alone; ``cluster`` is for elsewhere."""

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, Protocol

from tqdm import tqdm

from benchmarks.cases.case import InvalidCase
from benchmarks.cases.cores import available_cores
from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.outcome import FAILURES
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.running.environment import set_measuring_environment
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.running.outstanding import Interrupted, outstanding
from benchmarks.training.folders import Folders
from benchmarks.training.missing import PRELOAD, TIMEOUT, Job, attempt

Task = Callable[[Any, Report], dict[str, Any]]


class Workers(Protocol):
    """Where jobs run."""

    @property
    def text(self) -> str:
        """For people: how many at once, and where."""
        ...

    def outstanding(
        self, runs: Sequence[TrainingRun], store: RecordStore, *, retry_failed: bool
    ) -> contextlib.AbstractContextManager[list[TrainingRun]]:
        """The runs that the store lacks; while this lasts, nobody else writes there."""
        ...

    def measure(self, task: Task, argument: Any, device: str) -> dict[str, Any]:
        """What a task returns that has the device to itself.

        Raises:
            RuntimeError: when it fails.
        """
        ...

    def attempts(self, jobs: Sequence[Job]) -> Iterator[Record]:
        """The records of jobs in the order in which they end; an id may come twice, or late."""
        ...


@dataclass(frozen=True)
class Here:
    """Processes of this machine.

    Args:
        jobs: training runs at once.
        timeout: seconds without a sign of life after which one is given up.
        attempt: what makes a record of a job.
    """

    jobs: int = 1
    timeout: float = TIMEOUT
    attempt: Callable[[Job], Record] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.jobs <= available_cores():
            raise InvalidCase(f"jobs {self.jobs} are not allowed; allowed on this machine: 1 to {available_cores()}")

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

    def attempts(self, jobs: Sequence[Job]) -> Iterator[Record]:
        one = self.attempt or (lambda job: attempt(job, timeout=self.timeout))
        pool = ThreadPoolExecutor(self.jobs)
        try:
            for future in as_completed([pool.submit(one, job) for job in jobs]):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():  # none, unless we were interrupted
                process.kill()
            pool.shutdown()


def measured(task: Task, argument: Any, device: str, timeout: float) -> dict[str, Any]:
    """What a task returns in a process of its own.

    Raises:
        RuntimeError: when it fails.
    """
    outcome = run_isolated(task, argument, device=device, preload=PRELOAD, timeout=timeout)
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
    """Train the runs that the store lacks; every one becomes one record, the first that comes.

    Only this process writes to the store: a worker that is lost, and one that is slow, and a job that ran twice change
    nothing in it.

    Returns:
        How many were trained, and how many of these failed.

    Raises:
        InvalidCase: when a run needs what is not there.
        OSError: when the results cannot be written, or somebody else is measuring.
        Interrupted: on Ctrl-C; what is done is kept.
    """
    failed = 0
    kept: set[str] = set()
    with workers.outstanding(runs, store, retry_failed=retry_failed) as missing:
        labels = {run.id: run.label for run in missing}
        with tqdm(total=len(missing), unit="run", desc=text, dynamic_ncols=True, smoothing=0) as progress:
            records = workers.attempts([Job(run, folders) for run in missing])
            try:
                for record in records:
                    if record["id"] in kept or record["id"] not in labels:
                        continue
                    store.append(record)
                    kept.add(record["id"])
                    progress.update()
                    if record["status"] in FAILURES:
                        failed += 1
                        progress.write(f"{labels[record['id']]}: {record['status']}: {record['message']}")
                    if len(kept) == len(labels):
                        break  # whoever else is on his way comes late
            except KeyboardInterrupt:
                left = len(labels) - len(kept)
                message = f"{len(kept)} new runs kept, {left} left; the same command goes on from here"
                raise Interrupted(message) from None
            finally:
                close = getattr(records, "close", None)
                if close is not None:
                    close()
    return len(kept), failed
