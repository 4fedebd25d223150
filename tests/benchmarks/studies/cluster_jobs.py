"""Functions that replace training in tests of a cluster; its workers import them by name."""

import os
import time
from pathlib import Path
from typing import Any

from benchmarks.records.record import Record
from benchmarks.running.isolated import Report
from benchmarks.training.missing import Job
from tests.benchmarks.training_records import training_record

SECONDS = 0.3


def record_of(job: Job) -> Record:
    """Return a record that depends on the job alone, not on the worker that runs the job."""
    seed = job.run.seed
    return {**training_record([0.1, 0.9 - seed / 100], seed=seed), "id": job.run.id}


def slow_attempt(job: Job, timeout: float) -> Record:
    """Create a file named after the process, the seed and the time; wait and return a record."""
    Path(job.folders.data_root, f"{os.getpid()}-{job.run.seed}-{time.monotonic_ns()}").touch()
    time.sleep(SECONDS)
    return record_of(job)


def deadly_attempt(job: Job, timeout: float) -> Record:
    """End the worker's process if the seed is 0, else return a record."""
    if job.run.seed == 0:
        os._exit(1)
    return record_of(job)


def own_process(argument: Any, report: Report) -> dict[str, Any]:
    """Return the process id and the argument of a measurement."""
    return {"pid": os.getpid(), "argument": argument}


def no_images(job: Job, timeout: float) -> Record:
    """Fail like a worker that has no images."""
    raise ValueError(f"{job.folders.data_root}/images is missing")
