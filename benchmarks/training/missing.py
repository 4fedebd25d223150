"""Training of the runs that a store lacks, each in its own process; needs no torch. Failed runs get records too."""

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.configurations import has_diverged
from benchmarks.records.durable import check_folder
from benchmarks.records.field import empty
from benchmarks.records.outcome import FAILURES, Outcome
from benchmarks.records.provenance import moment, provenance
from benchmarks.records.record import SCHEMA, Record
from benchmarks.records.store import RecordStore
from benchmarks.records.training_fields import TRAINING_MEASURED
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.running.outstanding import outstanding, own_code_of
from benchmarks.running.progress import Progress
from benchmarks.running.signals import Interrupted
from benchmarks.training.folders import DEFAULT_FOLDERS, Folders
from benchmarks.training.tensorboard import EventWriter, check_tensorboard

# The module that the process server imports, and with it all modules that a run needs.
PRELOAD = "benchmarks.training.preloaded"
# Seconds without a report after which a run is given up. Every epoch ends with a report.
TIMEOUT = 3600.0
# The start of an outcome's message when images are missing or damaged, so that the run could not begin.
NO_DATA = "DataError: "
# The same when a checkpoint cannot be written, as on a full disk: the run itself has not failed, and can be resumed.
NO_CHECKPOINT = "OSError: cannot write a checkpoint"


@dataclass(frozen=True)
class Job:
    """A run and its folders: all that another process or another machine needs to train it."""

    run: TrainingRun
    folders: Folders = DEFAULT_FOLDERS


def train_job(job: Job, report: Report) -> dict[str, Any]:
    """Train a job and write its event files. Only the process that trains imports ``loop``, and with it torch."""
    from benchmarks.training.loop import train

    if job.folders.tensorboard is None:
        return train(job.run, report, folders=job.folders)
    with contextlib.closing(EventWriter(job.folders.tensorboard, job.run)) as writer:

        def report_and_write(fields: dict[str, Any]) -> None:
            report(fields)
            writer.write(fields)

        result = train(job.run, report_and_write, folders=job.folders)
        writer.write(result)
        return result


def attempt(job: Job, *, timeout: float = TIMEOUT, report: Report = lambda fields: None) -> Record:
    """Train a run in its own process and return its record, also when the run fails.

    Args:
        timeout: seconds without a report after which the run is given up.
        report: called with the measured fields known so far, at least after every epoch.

    Raises:
        ValueError: when images are missing or damaged; the message is one line, and the run gets no record.
        OSError: when a checkpoint cannot be written; the run gets no record either.
    """

    def isolated(report: Report) -> Outcome:
        return run_isolated(train_job, job, device=job.run.device, preload=PRELOAD, timeout=timeout, report=report)

    return record_of(job.run, isolated, report)


def record_of(run: TrainingRun, trained: Callable[[Report], Outcome], report: Report) -> Record:
    """Return the record of a run, also when the run fails or is interrupted.

    Args:
        trained: function that trains the run, and calls its argument with the measured fields known so far.
        report: called with the same fields.

    Raises:
        ValueError: when images are missing or damaged; the message is one line, and there is no record.
        OSError: when a checkpoint cannot be written; there is no record either.
    """
    before, code = moment(), own_code_of([run])
    latest: dict[str, Any] = {}

    def keep_and_report(fields: dict[str, Any]) -> None:
        latest.update(fields)
        report(fields)

    try:
        outcome = trained(keep_and_report)
    except KeyboardInterrupt:
        done = max(len(latest.get("epochs", [])) - 1, 0)
        outcome = Outcome("interrupted", f"interrupted after {done} epochs", {})
    if outcome.message.startswith(NO_DATA):
        raise ValueError(outcome.message.removeprefix(NO_DATA))
    if outcome.message.startswith(NO_CHECKPOINT):
        raise OSError(outcome.message.removeprefix("OSError: "))
    where = provenance(device=run.device, threads=run.threads, before=before, own_code=code)
    return make_record(run, outcome._replace(fields={**latest, **outcome.fields}), where)


def make_record(run: TrainingRun, outcome: Outcome, where: dict[str, Any]) -> Record:
    """Return the record of a run with the provenance ``where``; measured fields that the outcome lacks are empty."""
    return {
        "schema": SCHEMA,
        "kind": "training",
        "id": run.id,
        "run": run.fields(),
        "status": outcome.status,
        "message": outcome.message,
        **empty(TRAINING_MEASURED),
        **outcome.fields,
        "provenance": where,
    }


def keep(record: Record, store: RecordStore, folders: Folders) -> None:
    """Store the record of a run; only when the record is on the disk, delete the checkpoint of a run that has ended.

    Raises:
        OSError: when the record cannot be written; the checkpoint stays.
    """
    store.append(record)
    if has_ended(record):
        folders.remove_checkpoint(record["id"])


def remove_old_checkpoints(runs: Sequence[TrainingRun], store: RecordStore, folders: Folders) -> None:
    """Delete the checkpoints of ended runs that a process left when it was killed after it had stored the record."""
    ended = {record["id"] for record in store.load() if has_ended(record)}
    for run in runs:
        if run.id in ended:
            folders.remove_checkpoint(run.id)


def has_ended(record: Record) -> bool:
    """Return whether nothing can be resumed from the checkpoint of a run: it met its budget, or diverged."""
    return record["status"] == "ok" or has_diverged(record)


def train_missing(
    runs: Sequence[TrainingRun],
    store: RecordStore,
    *,
    folders: Folders = DEFAULT_FOLDERS,
    timeout: float = TIMEOUT,
    retry_failed: bool = False,
    attempt: Callable[..., Record] = attempt,
) -> tuple[int, int]:
    """Train the runs that the store lacks; return how many were trained, and how many of these failed.

    Args:
        folders: folders of images, checkpoints and event files; checkpoints default to a folder beside the records.
        timeout: seconds without a report after which a run is given up.
        retry_failed: whether to train again the runs that failed before.
        attempt: function with the arguments of ``missing.attempt`` that trains a job and returns its record.

    Raises:
        InvalidCase: when a run needs a device or more cores than this machine has.
        ValueError: for missing or damaged images, or when event files are wanted and ``tensorboard`` is not installed.
        OSError: when results, checkpoints or event files cannot be written, or another process is writing to the store.
        Interrupted: on Ctrl-C. The run in progress is stored as "interrupted" with its epochs so far, and the next call
            resumes it from its checkpoint.
    """
    if folders.checkpoints is None:
        folders = dataclasses.replace(folders, checkpoints=store.path.parent / "checkpoints")
    else:
        check_folder(folders.checkpoints)
    if folders.tensorboard is not None:
        check_tensorboard()
        check_folder(folders.tensorboard)
    trained = failed = 0
    with (
        outstanding(runs, store, retry_failed=retry_failed) as missing,
        Progress(total=len(missing), unit="run", unit_scale=True, desc="train", smoothing=0) as progress,
    ):
        remove_old_checkpoints([run for run in runs if run not in missing], store, folders)
        for run in missing:
            progress.set_postfix_str(run.label)

            def follow(fields: dict[str, Any], run: TrainingRun = run, before: int = trained) -> None:
                if fields.get("epochs"):
                    progress.update(before + run.progress(fields["epochs"][-1]) - progress.n)

            record = attempt(Job(run, folders), timeout=timeout, report=follow)
            keep(record, store, folders)
            for warning in record["warnings"]:
                progress.write(f"{run.label}: warning: {warning}", file=sys.stderr)
            if record["status"] == "interrupted":
                left = len(missing) - trained
                raise Interrupted(f"{trained} new runs kept, {left} left; the same command goes on from here")
            trained += 1
            progress.update(trained - progress.n)
            if record["status"] in FAILURES:
                failed += 1
                progress.write(f"{run.label}: {record['status']}: {record['message']}", file=sys.stderr)
    return trained, failed
