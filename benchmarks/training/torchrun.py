"""A study in the processes that ``torchrun`` started: the first keeps the records, the others train with it."""

from collections.abc import Sequence
from typing import Any

import torch.distributed as dist

from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.outcome import Outcome, outcome_of
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.running.isolated import Report
from benchmarks.training.loop import Diverged
from benchmarks.training.missing import Job, record_of, train_job, train_missing
from benchmarks.training.parallel import process_group

# What every process raises at the same place, so that they can go on together.
SHARED_FAILURES = (Diverged, ValueError)


def train_missing_together(
    runs: Sequence[TrainingRun], store: RecordStore, *, timeout: float, **options: Any
) -> tuple[int, int] | None:
    """``train_missing`` in all processes, without a process of its own for a run; None in all but the first.

    Raises:
        RuntimeError: when one process fails alone. Its run is started again, from its checkpoint, by the same command.
    """
    device = runs[0].device
    with process_group(device, timeout) as share:
        if share.rank > 0:
            while (job := _told(None)) is not None:
                _train(job, lambda fields: None)
            return None
        try:
            result = train_missing(runs, store, timeout=timeout, attempt=_lead, **options)
        except (ValueError, OSError):
            _told(None)
            raise
        _told(None)
        return result


def _told(job: Job | None) -> Job | None:
    """The job of the first process, in all of them."""
    told = [job]
    dist.broadcast_object_list(told)
    return told[0]


def _lead(job: Job, *, timeout: float, report: Report) -> Record:
    _told(job)
    return record_of(job.run, lambda told: _train(job, told), report)


def _train(job: Job, report: Report) -> Outcome:
    try:
        return Outcome("ok", "", train_job(job, report))
    except SHARED_FAILURES as error:
        return outcome_of(error)
