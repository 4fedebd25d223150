"""Training in the processes that ``torchrun`` started: the first one keeps the records, and all train every run."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch.distributed as dist

from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.outcome import Outcome, outcome_of
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.running.isolated import Report
from benchmarks.running.supervised import die_with_parent
from benchmarks.training.loop import Diverged
from benchmarks.training.missing import Job, record_of, train_job, train_missing
from benchmarks.training.parallel import process_group


def train_missing_together(
    runs: Sequence[TrainingRun], store: RecordStore, *, timeout: float, **options: Any
) -> tuple[int, int] | None:
    """Train every run in all processes; return the result of ``train_missing`` in the first process, else None.

    Raises:
        RuntimeError: when only some processes fail. The same command resumes the run from its checkpoint.
    """
    die_with_parent()  # torchrun itself ends its processes when it ends, but not when it is killed
    device = runs[0].device
    with process_group(device, timeout) as share:
        if share.rank > 0:
            while (job := _share_job(None)) is not None:
                _train(job, lambda fields: None)
            return None
        try:
            result = train_missing(runs, store, timeout=timeout, attempt=_lead, **options)
        except (ValueError, OSError):
            _share_job(None)
            raise
        _share_job(None)
        return result


def _share_job(job: Job | None) -> Job | None:
    """Send the first process's job, or None at the end of the jobs, to all processes; return it in each of them."""
    shared = [job]
    dist.broadcast_object_list(shared)
    return shared[0]


def _lead(job: Job, *, timeout: float, report: Report) -> Record:
    """Train a job with all processes and return its record."""
    _share_job(job)
    return record_of(job.run, partial(_train, job), report)


def _train(job: Job, report: Report) -> Outcome:
    try:
        return Outcome("ok", "", train_job(job, report))
    except (Diverged, ValueError) as error:  # all processes raise these at the same step, so all can go on
        return outcome_of(error)
