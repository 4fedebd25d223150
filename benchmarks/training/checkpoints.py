"""Checkpoints: the state of a run on disk, so that a killed run resumes where its last checkpoint was written.

A file is the SHA-256 of its content, then the content: tensors and plain values in torch's own format. A damaged file
is detected before any of it is used, and loading runs no code. A file is replaced in one step, never half written.
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
    """The progress of a run: steps and seconds of the whole run, and those of ``epoch``, 0 before the epoch begins.

    ``best_accuracy`` is the highest accuracy on the validation images so far.
    """

    epoch: int = 1
    epoch_steps: int = 0
    steps: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    best_accuracy: float = -1.0

    def add(self, seconds: float) -> None:
        """Add the seconds of training steps."""
        self.seconds += seconds
        self.epoch_seconds += seconds


class UnusableCheckpoint(ValueError):  # noqa: N818
    """A checkpoint that is damaged or was written under other conditions; the message is one line."""


class Checkpoint:
    """The checkpoint of one run; the run resumes only if the versions and the data in ``made_by`` have not changed."""

    def __init__(self, directory: Path, run: TrainingRun, made_by: dict[str, Any]) -> None:
        self.path = directory / f"{run.id}.checkpoint"
        self.made_by = made_by

    def save(self, state: dict[str, Any]) -> None:
        """Write the state and wait until it is on the disk.

        Raises:
            OSError: when the file cannot be written; the previous checkpoint stays.
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
        """Return the last saved state, with tensors on the CPU; None if there is no checkpoint.

        Raises:
            UnusableCheckpoint: when the file is damaged or was written under other conditions.
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
                raise UnusableCheckpoint(f"{self.path} differs in {name}: trained from the beginning")
        state: dict[str, Any] = saved["state"]
        return state

    def remove(self) -> None:
        """Delete the checkpoint of a run that has ended."""
        self.path.unlink(missing_ok=True)
