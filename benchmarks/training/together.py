"""A study in the processes that ``torchrun`` started: the first keeps the records, the others train with it."""

from collections.abc import Sequence
from typing import Any

import torch.distributed as dist

from benchmarks.isolation import Outcome, Report, outcome_of
from benchmarks.records import Record, RecordStore
from benchmarks.runs import TrainingRun
from benchmarks.training.loop import Diverged
from benchmarks.training.parallel import process_group
from benchmarks.training.study import Job, record_of, study, train_job

# What every process raises at the same place, so that they can go on together.
SHARED_FAILURES = (Diverged, ValueError)


def study_together(
    runs: Sequence[TrainingRun], store: RecordStore, *, timeout: float, **options: Any
) -> tuple[int, int] | None:
    """``study`` in all processes, without a process of its own for a run; None in all but the first.

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
            result = study(runs, store, timeout=timeout, attempt=_lead, **options)
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
