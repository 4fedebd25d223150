"""Runs → records: each in a process of its own, resumable, failures kept as rows. Needs no torch itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from benchmarks.isolation import Outcome, Report, run_isolated
from benchmarks.measure.environment import moment, provenance
from benchmarks.records import FAILURES, SCHEMA, Record, RecordStore
from benchmarks.runs import TrainingRun
from benchmarks.sweep import Interrupted, outstanding
from benchmarks.training.places import DEFAULT_PLACES, Places

# What the process server imports: everything that a run needs.
PRELOAD = "benchmarks.training.loop"
# Seconds without a sign of life, of which there is one after every epoch, until a run is given up.
TIMEOUT = 3600.0
# The fields of a run that has not come that far.
NOTHING_MEASURED: dict[str, Any] = {
    "parameters": None,
    "macs_per_image": None,
    "data": None,
    "epochs": [],
    "best_epoch": None,
    "test_accuracy": None,
    "test_loss": None,
    "weights_sha256": None,
    "stopped": None,
}


@dataclass(frozen=True)
class Job:
    """A run and where it is at home: all that another process, or another machine, has to be told."""

    run: TrainingRun
    places: Places = DEFAULT_PLACES


def train_job(job: Job, report: Report) -> dict[str, Any]:
    """``loop.train``, imported where it runs."""
    from benchmarks.training.loop import train

    return train(job.run, report, places=job.places)


def study(
    runs: Sequence[TrainingRun],
    store: RecordStore,
    *,
    places: Places = DEFAULT_PLACES,
    timeout: float = TIMEOUT,
    retry_failed: bool = False,
) -> tuple[int, int]:
    """Train the runs that the store lacks, each in a process of its own; every one becomes a record.

    Returns:
        How many were trained, and how many of these failed.

    Raises:
        InvalidCase: when a run needs a device or more cores than there are.
        OSError: when the results cannot be written, or somebody else is measuring.
        Interrupted: on Ctrl-C; the run in progress is stored as such, with the epochs it had, and trained again next
            time.
    """
    trained = failed = 0
    with (
        outstanding(runs, store, retry_failed=retry_failed) as missing,
        tqdm(total=len(missing), unit="run", desc="train", dynamic_ncols=True, smoothing=0) as progress,
    ):
        for run in missing:
            progress.set_postfix_str(run.label)

            def follow(fields: dict[str, Any], run: TrainingRun = run, before: int = trained) -> None:
                if fields.get("epochs"):
                    progress.update(before + run.progress(fields["epochs"][-1]) - progress.n)

            record = attempt(Job(run, places), timeout=timeout, report=follow)
            store.append(record)
            if record["status"] == "interrupted":
                left = len(missing) - trained
                raise Interrupted(f"{trained} new runs kept, {left} left; the same command goes on from here")
            trained += 1
            progress.update(trained - progress.n)
            failed += record["status"] in FAILURES
            if record["status"] in FAILURES:
                progress.write(f"{run.label}: {record['status']}: {record['message']}")
    return trained, failed


def attempt(job: Job, *, timeout: float = TIMEOUT, report: Report = lambda fields: None) -> Record:
    """Train a run in a process of its own; the record says what became of it, whatever that is.

    Args:
        report: called with what is known of the record's measured fields after every epoch.
    """
    run, before = job.run, moment()
    latest: dict[str, Any] = {}

    def told(fields: dict[str, Any]) -> None:
        latest.update(fields)
        report(fields)

    try:
        outcome = run_isolated(train_job, job, device=run.device, preload=PRELOAD, timeout=timeout, report=told)
    except KeyboardInterrupt:
        done = max(len(latest.get("epochs", [])) - 1, 0)
        outcome = Outcome("interrupted", f"interrupted after {done} epochs", {})
    return {
        "schema": SCHEMA,
        "kind": "training",
        "id": run.id,
        "run": run.fields(),
        "status": outcome.status,
        "message": outcome.message,
        **NOTHING_MEASURED,
        **latest,
        **outcome.fields,
        "provenance": provenance(device=run.device, threads=run.threads, before=before),
    }
