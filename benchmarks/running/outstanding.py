"""The work that a store lacks, after everything that must hold before any of it runs."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

from benchmarks.cases.case import InvalidCase
from benchmarks.cases.cores import available_cores
from benchmarks.records.provenance import gpu_name, hardware, software
from benchmarks.records.record import machine_of
from benchmarks.records.store import RecordStore
from benchmarks.running.environment import set_measuring_environment


class Interrupted(Exception):  # noqa: N818
    """Ctrl-C; the message says what is kept."""


class Measurable(Protocol):
    """What a case and a training run share: work with an id, for a device and a number of threads."""

    @property
    def id(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def threads(self) -> int: ...


M = TypeVar("M", bound=Measurable)


@contextlib.contextmanager
def outstanding(jobs: Sequence[M], store: RecordStore, *, retry_failed: bool) -> Iterator[list[M]]:
    """The jobs that the store lacks, after everything that must hold before one of them runs.

    While this lasts, nobody else measures for the store.

    Raises:
        InvalidCase: when a job needs a device or more cores than there are.
        OSError: when the results cannot be written, or somebody else is measuring.
    """
    check_machine(jobs)
    with store.measuring(), tempfile.TemporaryDirectory(prefix="gcnn-compiled-") as compiled:
        there = there_already(jobs, store, retry_failed=retry_failed)
        store.warn_of_other_commits(there, software()["commit"])
        # Before the process server imports torch. What is compiled is compiled here for the first time.
        set_measuring_environment()
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", compiled)
        # Nor by a pool of processes: it starts beside what is timed, and is left behind by what is killed.
        os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
        yield [job for job in jobs if job.id not in there]


def there_already(jobs: Sequence[Measurable], store: RecordStore, *, retry_failed: bool) -> set[str]:
    """The ids of the jobs that need no measuring on this machine."""
    done = store.completed(retry_failed=retry_failed)
    return {job.id for job in jobs if (_machine(job), job.id) in done}


def check_machine(jobs: Sequence[Measurable]) -> None:
    """Raise ``InvalidCase`` when a job needs a device or more cores than there are."""
    if any(job.device == "cuda" for job in jobs) and gpu_name() is None:
        raise InvalidCase("device 'cuda' is not there; allowed on this machine: cpu")
    threads, cores = max((job.threads for job in jobs), default=1), available_cores()
    if threads > cores:
        raise InvalidCase(f"threads {threads} are more than there are cores; allowed on this machine: 1 to {cores}")


def _machine(job: Measurable) -> tuple[str, str, str]:
    gpu = gpu_name() if job.device == "cuda" else None
    return machine_of({"provenance": {**hardware(), "gpu": gpu}})
