"""The part "training": networks learn rotated digits for some seconds each; the records have accuracy by epoch."""

from pathlib import Path
from typing import Any

from benchmarks.cases.training_run import TrainingRun
from benchmarks.evidence.gpu.job import Job
from benchmarks.records.store import RecordStore
from benchmarks.training.folders import Folders
from benchmarks.training.missing import train_missing
from benchmarks.training.profiles import accuracy_table, profile_runs

VARIANTS = ("separable", "full", "plain")
# Of a training's share of the time, the share that is spent in steps; loading images and evaluating takes the rest.
STEPS_SHARE = 0.5
SIZES: dict[str, dict[str, Any]] = {
    "full": {"channels": 16, "kernel_size": 5, "resolutions": (8,)},
    "smoke": {"channels": 2, "kernel_size": 3, "resolutions": (2,), "limit": 256, "image_size": 16},
}
LONGEST_SECONDS = {"full": 12.0, "smoke": 2.0}


def runs(job: Job) -> list[TrainingRun]:
    """Return the trainings of the part; all of them last equally many seconds."""
    seconds = min(LONGEST_SECONDS[job.scale], round(STEPS_SHARE * job.seconds / len(VARIANTS), 1))
    return profile_runs(
        "quick",
        variants=VARIANTS,
        seeds=1,
        recipe="short",
        dataset="rotated-digits" if job.data_root is None else "rotated-mnist",
        budget_unit="seconds",
        budget=seconds,
        device=job.device,
        **SIZES[job.scale],
    )


def run(job: Job) -> None:
    """Train what has no record yet, one network after the other, and note each accuracy."""
    store = RecordStore(job.results)
    folders = Folders(data_root=job.data_root or Path("data"), checkpoints=job.out / "checkpoints")
    for planned in runs(job):
        train_missing([planned], store, folders=folders, timeout=job.left())
        record = next(record for record in reversed(store.load()) if record["id"] == planned.id)
        job.note(
            variant=planned.variant,
            seconds=planned.budget,
            epochs=len(record["epochs"] or ()),
            test_accuracy=record["test_accuracy"],
            outcome=record["status"],
            message=record["message"],
        )
    job.note(left_out="plain with augmentation", reason="no training run has augmentation yet")
    print(*accuracy_table(runs(job), store.load()), sep="\n")
