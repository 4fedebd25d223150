"""Checkpoints: the state of a run on disk, so that a killed run resumes where its last checkpoint was written.

A file is the SHA-256 of its content, then the content: tensors and plain values in torch's own format. A damaged file
is detected before any of it is used, and loading runs no code. A file is replaced in one step, never half written.

The last checkpoint of a run holds its result. The one who stores the record deletes the checkpoint, afterwards.
"""

import hashlib
import importlib.util
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.durable import write_whole
from benchmarks.records.fields import record_problem
from benchmarks.records.provenance import ROOT, gpu_name, hardware
from benchmarks.records.record import machine_of

DIGEST_BYTES = 32
# The packages whose code changes what a run learns or how long it takes.
PACKAGES = ("gcnn_impl", *(f"benchmarks.{room}" for room in ("cases", "datasets", "measure", "training", "workloads")))
SOURCES = (".py", ".c", ".h")


def code_digest(folders: Iterable[Path]) -> str:
    """Return a hash of the names and contents of all source files in the folders, at any depth."""
    found = hashlib.sha256()
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.suffix in SOURCES):
            content = path.read_bytes()
            found.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return found.hexdigest()


def _package_folders() -> list[Path]:
    """Return the folders of ``PACKAGES``; ``gcnn_impl`` may be another one than this checkout's."""
    package = importlib.util.find_spec(PACKAGES[0])
    assert package is not None
    assert package.origin is not None
    return [Path(package.origin).parent, *(ROOT.joinpath(*name.split(".")) for name in PACKAGES[1:])]


# Read when this module is imported, with the code itself: the process server forks later runs from the code that it
# imported, even if the files have changed since.
CODE = code_digest(_package_folders())


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

    @classmethod
    def of(cls, numbers: dict[str, Any]) -> "Position":
        """Return the position with these fields; raise ``TypeError`` if a field is unknown or no number."""
        found = cls(**numbers)
        if not all(isinstance(value, int | float) for value in vars(found).values()):
            raise TypeError(f"{found} has a field that is no number")
        return found

    def add(self, seconds: float) -> None:
        """Add the seconds of training steps."""
        self.seconds += seconds
        self.epoch_seconds += seconds


class UnusableCheckpoint(ValueError):  # noqa: N818
    """A checkpoint that is damaged or was written under other conditions; the message is one line."""


class Checkpoint:
    """The checkpoint of one run; the run resumes only if nothing in ``made_by`` (code, data, machine) has changed."""

    def __init__(self, path: Path, made_by: dict[str, Any]) -> None:
        self.path = path
        self.made_by = made_by

    def save(self, state: dict[str, Any]) -> None:
        """Write the state and wait until it is on the disk.

        Raises:
            OSError: when the file cannot be written; the previous checkpoint stays.
        """
        buffer = io.BytesIO()
        torch.save({"made_by": self.made_by, "state": state}, buffer)
        content = buffer.getvalue()
        try:
            write_whole(self.path, hashlib.sha256(content).digest() + content)
        except OSError as error:
            raise OSError(f"cannot write a checkpoint to {self.path}: {error.strerror}") from error

    def load(self) -> dict[str, Any] | None:
        """Return the last saved state, with tensors on the CPU; None if there is no checkpoint.

        Raises:
            UnusableCheckpoint: when the file cannot be read, is damaged or was written under other conditions.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnusableCheckpoint(
                f"{self.path} cannot be read ({error.strerror}): trained from the beginning"
            ) from None
        digest, content = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            raise UnusableCheckpoint(f"{self.path} is damaged: trained from the beginning")
        try:
            saved = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            made_by, state = dict(saved["made_by"]), dict(saved["state"])
            if wrong := record_problem({"kind": "training", **state.get("result", {})}):
                raise ValueError(wrong)
        except Exception as error:  # torch and its unpickler raise almost anything
            raise UnusableCheckpoint(self.unusable(error)) from None
        for name, value in self.made_by.items():
            if made_by.get(name) != value:
                raise UnusableCheckpoint(f"{self.path} differs in {name}: trained from the beginning")
        return state

    def unusable(self, error: Exception) -> str:
        """Return the warning about a checkpoint from which a run cannot go on because of an error."""
        return f"{self.path} cannot be used ({type(error).__name__}): trained from the beginning"


def machine_of_run(run: TrainingRun) -> str:
    """Return what must be the same machine before and after a pause: the GPU, or the processor and its cores."""
    cpu, cores, _ = machine_of({"provenance": hardware()})
    return str(gpu_name()) if run.device == "cuda" else f"{cpu}, {cores} cores"
