"""TensorBoard event files of training runs; ``tensorboard`` is an optional package."""

import importlib.util
from pathlib import Path
from typing import Any

from benchmarks.cases.training_run import TrainingRun

# TensorBoard's names, which it groups by the word before the slash, and the fields of an entry of ``epochs``.
SCALARS = {
    "loss/train": "train_loss",
    "loss/validation": "validation_loss",
    "accuracy/train": "train_accuracy",
    "accuracy/validation": "validation_accuracy",
    "cost/seconds": "seconds",
    "cost/evaluation_seconds": "evaluation_seconds",
    "cost/macs": "macs",
    "cost/peak_bytes": "peak_bytes",
    "cost/images_per_second": "images_per_second",
    "learning_rate": "learning_rate",
    "equivariance_error": "equivariance_error",
}


def check_tensorboard() -> None:
    """Raise ``ValueError``, with a message of one line, when ``tensorboard`` is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        raise ValueError("event files need tensorboard, which is not installed; get it with: pip install tensorboard")


class EventWriter:
    """Writes the entries of a run's ``epochs`` to event files, in the run's own folder inside ``directory``."""

    def __init__(self, directory: Path, run: TrainingRun) -> None:
        from torch.utils.tensorboard import SummaryWriter  # imported late: optional and slow

        name = "".join(c if c.isalnum() or c in "-_.=" else "_" for c in run.label)
        self._writer = SummaryWriter(str(directory / f"{name}-{run.id}"))
        self._written: set[tuple[str, int]] = set()  # names and epochs

    def write(self, fields: dict[str, Any]) -> None:
        """Write the numbers that this writer has not written yet. A resumed run writes its earlier epochs again."""
        for entry in fields["epochs"]:
            numbers = {name: entry[key] for name, key in SCALARS.items()}
            for layer, shares in (entry["redundancy"] or {}).items():  # None until the run ends, except in epoch 0
                numbers |= {f"redundancy/{layer}/{variant}": share for variant, share in shares.items()}
            for name, value in numbers.items():
                if value is not None and (name, entry["epoch"]) not in self._written:
                    self._writer.add_scalar(name, value, entry["epoch"])
                    self._written.add((name, entry["epoch"]))
        self._writer.flush()

    def close(self) -> None:
        """Close the event files."""
        self._writer.close()
