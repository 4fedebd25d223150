"""A run in progress on the disk, so that a process that was killed goes on where it last wrote.

A file is the SHA-256 of what follows, and torch's own format of tensors and plain values: what is damaged is found out
before any of it is used, and loading it runs no code. It is replaced in one step, never half written.
"""

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.cases.training_run import TrainingRun

DIGEST_BYTES = 32


@dataclass
class Position:
    """How far a run is; with the learner's state, all that a checkpoint has to hold.

    Args:
        epoch: that is in progress, or comes next.
        epoch_steps: done in it.
        steps: done in the whole run.
        seconds, evaluation_seconds: spent on them.
        epoch_seconds: of ``seconds``, those of the epoch in progress.
        best_accuracy: on the validation images, of the epochs before.
    """

    epoch: int = 1
    epoch_steps: int = 0
    steps: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    best_accuracy: float = -1.0

    def add(self, seconds: float) -> None:
        """Time that training steps took."""
        self.seconds += seconds
        self.epoch_seconds += seconds


class UnusableCheckpoint(ValueError):  # noqa: N818
    """A checkpoint that is damaged or another run's, in one line."""


class Checkpoint:
    """The checkpoint of one run.

    Args:
        directory: where the checkpoints of all runs are.
        run: whose it is.
        made_by: what must be the same for the run to go on: versions, data.
    """

    def __init__(self, directory: Path, run: TrainingRun, made_by: dict[str, Any]) -> None:
        self.path = directory / f"{run.id}.checkpoint"
        self.made_by = made_by

    def save(self, state: dict[str, Any]) -> None:
        """Write the state; when this returns, it is on the disk.

        Raises:
            OSError: when it cannot be written; what was there stays.
        """
        buffer = io.BytesIO()
        torch.save({"made_by": self.made_by, "state": state}, buffer)
        content = buffer.getvalue()
        partial = self.path.with_suffix(f".{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise OSError(f"cannot write a checkpoint to {self.path}: {error.strerror}") from error

    def load(self) -> dict[str, Any] | None:
        """The state that was saved last, on the CPU; None where there is none.

        Raises:
            UnusableCheckpoint: when it is damaged, or made by something else.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        digest, content = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            raise UnusableCheckpoint(f"{self.path} is damaged: trained from the beginning")
        saved = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        for name, value in self.made_by.items():
            if saved["made_by"].get(name) != value:
                raise UnusableCheckpoint(f"{self.path} is of another {name}: trained from the beginning")
        state: dict[str, Any] = saved["state"]
        return state

    def remove(self) -> None:
        """Once the run is done."""
        self.path.unlink(missing_ok=True)
