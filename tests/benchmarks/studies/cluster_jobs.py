"""What stands for training on the workers of a test's cluster: importable there by name."""

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
    """The record that a job always has, wherever it runs."""
    seed = job.run.seed
    return {**training_record([0.1, 0.9 - seed / 100], seed=seed), "id": job.run.id}


def slow_attempt(job: Job, timeout: float) -> Record:
    """Leaves a file with the name of the process and the seed, and takes its time."""
    Path(job.folders.data_root, f"{os.getpid()}-{job.run.seed}-{time.monotonic_ns()}").touch()
    time.sleep(SECONDS)
    return record_of(job)


def deadly_attempt(job: Job, timeout: float) -> Record:
    """Takes its worker with it, for the seed 0."""
    if job.run.seed == 0:
        os._exit(1)
    return record_of(job)


def own_process(argument: Any, report: Report) -> dict[str, Any]:
    """A measurement that says where it ran."""
    return {"pid": os.getpid(), "argument": argument}


def no_images(job: Job, timeout: float) -> Record:
    """What a worker says that has no data."""
    raise ValueError(f"{job.folders.data_root}/images is missing")
