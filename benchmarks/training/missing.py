"""Runs → records: each in a process of its own, resumable, failures kept as rows. Needs no torch itself."""

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tqdm import tqdm

from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.field import empty
from benchmarks.records.outcome import FAILURES, Outcome
from benchmarks.records.provenance import moment, provenance
from benchmarks.records.record import SCHEMA, Record
from benchmarks.records.store import RecordStore
from benchmarks.records.training_fields import TRAINING_MEASURED
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.running.outstanding import Interrupted, outstanding
from benchmarks.training.folders import DEFAULT_FOLDERS, Folders
from benchmarks.training.tensorboard import EventWriter, check_tensorboard

# What the process server imports: everything that a run needs.
PRELOAD = "benchmarks.training.loop"
# Seconds without a sign of life, of which there is one after every epoch, until a run is given up.
TIMEOUT = 3600.0


@dataclass(frozen=True)
class Job:
    """A run and where it is at home: all that another process, or another machine, has to be told."""

    run: TrainingRun
    folders: Folders = DEFAULT_FOLDERS


# How an outcome begins whose run could not begin: its images are not there or damaged.
NO_DATA = "DataError: "


class Attempt(Protocol):
    """How a job becomes a record."""

    def __call__(self, job: Job, *, timeout: float, report: Report) -> Record: ...


def train_job(job: Job, report: Report) -> dict[str, Any]:
    """``loop.train``, imported where it runs, and its event files."""
    from benchmarks.training.loop import train

    with contextlib.ExitStack() as stack:
        writer = None
        if job.folders.tensorboard is not None:
            writer = EventWriter(job.folders.tensorboard, job.run)
            stack.callback(writer.close)

        def told(fields: dict[str, Any]) -> None:
            report(fields)
            if writer is not None:
                writer.write(fields)

        result = train(job.run, told, folders=job.folders)
        told(result)
        return result


def attempt(job: Job, *, timeout: float = TIMEOUT, report: Report = lambda fields: None) -> Record:
    """Train a run in a process of its own; the record says what became of it, whatever that is.

    Args:
        timeout: seconds without a report until it is given up.
        report: called with what is known of the record's measured fields, after every epoch at least.

    Raises:
        ValueError: for images that are not there or damaged, in one line: that says nothing about the run.
    """

    def isolated(told: Report) -> Outcome:
        return run_isolated(train_job, job, device=job.run.device, preload=PRELOAD, timeout=timeout, report=told)

    return record_of(job.run, isolated, report)


def record_of(run: TrainingRun, trained: Callable[[Report], Outcome], report: Report) -> Record:
    """The record of a run that ``trained`` trains and reports of."""
    before = moment()
    latest: dict[str, Any] = {}

    def told(fields: dict[str, Any]) -> None:
        latest.update(fields)
        report(fields)

    try:
        outcome = trained(told)
    except KeyboardInterrupt:
        done = max(len(latest.get("epochs", [])) - 1, 0)
        outcome = Outcome("interrupted", f"interrupted after {done} epochs", {})
    if outcome.message.startswith(NO_DATA):
        raise ValueError(outcome.message.removeprefix(NO_DATA))
    return {
        "schema": SCHEMA,
        "kind": "training",
        "id": run.id,
        "run": run.fields(),
        "status": outcome.status,
        "message": outcome.message,
        **empty(TRAINING_MEASURED),
        **latest,
        **outcome.fields,
        "provenance": provenance(device=run.device, threads=run.threads, before=before),
    }


def train_missing(
    runs: Sequence[TrainingRun],
    store: RecordStore,
    *,
    folders: Folders = DEFAULT_FOLDERS,
    timeout: float = TIMEOUT,
    retry_failed: bool = False,
    attempt: Attempt = attempt,
) -> tuple[int, int]:
    """Train the runs that the store lacks; every one becomes a record.

    Args:
        folders: where images are. Without a folder for checkpoints there, they are kept beside the records.
        timeout: seconds without a sign of life until a run is given up.
        retry_failed: train again what failed before.
        attempt: how a run becomes a record: in a process of its own.

    Returns:
        How many were trained, and how many of these failed.

    Raises:
        InvalidCase: when a run needs a device or more cores than there are.
        ValueError: for images that are not there or damaged, or event files without ``tensorboard``.
        OSError: when the results cannot be written, or somebody else is measuring.
        Interrupted: on Ctrl-C; the run in progress is stored as such, with the epochs it had, and goes on from its
            checkpoint next time.
    """
    if folders.checkpoints is None:
        folders = dataclasses.replace(folders, checkpoints=store.path.parent / "checkpoints")
    if folders.tensorboard is not None:
        check_tensorboard()
    trained = failed = 0
    with (
        outstanding(runs, store, retry_failed=retry_failed) as missing,
        tqdm(
            total=len(missing), unit="run", unit_scale=True, desc="train", dynamic_ncols=True, smoothing=0
        ) as progress,
    ):
        for run in missing:
            progress.set_postfix_str(run.label)

            def follow(fields: dict[str, Any], run: TrainingRun = run, before: int = trained) -> None:
                if fields.get("epochs"):
                    progress.update(before + run.progress(fields["epochs"][-1]) - progress.n)

            record = attempt(Job(run, folders), timeout=timeout, report=follow)
            store.append(record)
            for warning in record["warnings"]:
                progress.write(f"{run.label}: warning: {warning}", file=sys.stderr)
            if record["status"] == "interrupted":
                left = len(missing) - trained
                raise Interrupted(f"{trained} new runs kept, {left} left; the same command goes on from here")
            trained += 1
            progress.update(trained - progress.n)
            failed += record["status"] in FAILURES
            if record["status"] in FAILURES:
                progress.write(f"{run.label}: {record['status']}: {record['message']}", file=sys.stderr)
    return trained, failed
