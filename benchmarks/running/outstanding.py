"""The work that a store lacks, and the checks and settings before any of it runs."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from benchmarks.cases.case import InvalidCase
from benchmarks.cases.cores import available_cores
from benchmarks.records.outcome import FAILURES
from benchmarks.records.own_code import own_code
from benchmarks.records.provenance import gpu_name, hardware, software
from benchmarks.records.record import machine_of
from benchmarks.records.store import RecordStore
from benchmarks.running.already_there import warn_of
from benchmarks.running.environment import set_compiling_environment, set_measuring_environment


class Measurable(Protocol):
    """A case or a training run: work with an id, for a device and a number of threads, perhaps of a user's module."""

    @property
    def id(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def threads(self) -> int: ...
    @property
    def own_module(self) -> str: ...


M = TypeVar("M", bound=Measurable)


@contextlib.contextmanager
def outstanding(jobs: Sequence[M], store: RecordStore, *, retry_failed: bool) -> Iterator[list[M]]:
    """Yield the jobs that the store lacks. Inside the context no other process measures into the store.

    Raises:
        InvalidCase: when this machine lacks a device or the cores that a job needs.
        OSError: when the results cannot be written, or another process is measuring into the store.
    """
    check_machine(jobs)
    with store.measuring(), tempfile.TemporaryDirectory(prefix="gcnn-compiled-") as compiled:
        there = there_already(jobs, store, retry_failed=retry_failed)
        records = [record for record in store.load() if record["id"] in there]
        warn_of(records, software()["commit"], own_code_of(jobs), retried=retry_failed)
        # All of these are set before the process server imports torch.
        set_measuring_environment()
        set_compiling_environment(compiled)
        yield [job for job in jobs if job.id not in there]


def failed_jobs(jobs: Sequence[M], store: RecordStore) -> list[M]:
    """Return the jobs whose newest record is of a failure, now or in an earlier command."""
    statuses = {record["id"]: record["status"] for record in store.load()}
    return [job for job in jobs if statuses.get(job.id) in FAILURES]


def own_code_of(jobs: Iterable[Measurable]) -> dict[str, str]:
    """Return a hash of the code of each user's layer or network in some jobs, by its name."""
    return own_code(dict.fromkeys(job.own_module for job in jobs if job.own_module))


def there_already(jobs: Sequence[Measurable], store: RecordStore, *, retry_failed: bool) -> set[str]:
    """Return the ids of the jobs that were measured on this machine and need not be measured again."""
    done = store.completed(retry_failed=retry_failed)
    return {job.id for job in jobs if (_machine(job), job.id) in done}


def check_machine(jobs: Sequence[Measurable]) -> None:
    """Raise ``InvalidCase`` when this machine lacks a device or the cores that a job needs."""
    if any(job.device == "cuda" for job in jobs) and gpu_name() is None:
        raise InvalidCase("device 'cuda' is not there; allowed on this machine: cpu")
    threads, cores = max((job.threads for job in jobs), default=1), available_cores()
    if threads > cores:
        raise InvalidCase(f"threads {threads} are more than there are cores; allowed on this machine: 1 to {cores}")


def _machine(job: Measurable) -> tuple[str, str, str]:
    gpu = gpu_name() if job.device == "cuda" else None
    return machine_of({"provenance": {**hardware(), "gpu": gpu}})
