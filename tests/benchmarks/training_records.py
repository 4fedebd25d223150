"""Made-up training records with the fields that tests need."""

from collections.abc import Sequence
from typing import Any

from benchmarks.records.record import SCHEMA, Record

MACHINE = {"cpu": "A", "cores": 2, "gpu": None}


def training_record(
    validation: Sequence[float],
    *,
    seed: int = 0,
    test_accuracy: float | None = None,
    seconds_per_epoch: float = 2.0,
    macs_per_epoch: float = 1e9,
    redundancy: dict[str, dict[str, float]] | None = None,
    parameters: int = 1000,
    peak_bytes: int = 10**6,
    status: str = "ok",
    **run: Any,
) -> Record:
    """Return a record with the validation accuracies of epochs 0, 1, 2, …; ``run`` replaces fields of the run."""
    fields = {
        "dataset": "rotated-digits",
        "variant": "separable",
        "group": "SO2",
        "resolution": 4,
        "scales": 1,
        "channels": 4,
        "kernel_size": 5,
        "image_size": 16,
        "batch_size": 64,
        "budget_unit": "epochs",
        "budget": len(validation) - 1,
        "learning_rate": 0.003,
        "weight_decay": 1e-4,
        "recipe": "short",
        "matched": "none",
        "seed": seed,
        "device": "cpu",
        "threads": 1,
        **run,
    }
    epochs = [
        {
            "epoch": epoch,
            "seconds": epoch * seconds_per_epoch,
            "macs": epoch * macs_per_epoch,
            "train_loss": None if epoch == 0 else 1.0,
            "validation_accuracy": accuracy,
            "peak_bytes": None if epoch == 0 else peak_bytes,
            "redundancy": redundancy,
        }
        for epoch, accuracy in enumerate(validation)
    ]
    identity = "-".join(str(fields[name]) for name in sorted(fields))
    return {
        "schema": SCHEMA,
        "kind": "training",
        "id": identity,
        "status": status,
        "run": fields,
        "parameters": parameters,
        "macs_per_image": {"kernel_generation_per_step": 1000, "convolution": 2_000_000},
        "data": {"train": 1200, "validation": 300, "test": 300},
        "epochs": epochs,
        "best_epoch": int(max(range(len(validation)), key=lambda epoch: validation[epoch])),
        "test_accuracy": validation[-1] if test_accuracy is None else test_accuracy,
        "provenance": {**MACHINE, "commit": "a" * 40},
    }
