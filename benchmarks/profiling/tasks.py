"""The tasks of the processes that a profile starts. ``worker.Answers`` carries them out."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases.case import Case


@dataclass(frozen=True)
class Examine:
    """Count and trace passes of a case; ``folder`` is where the trace is written, None for no trace."""

    case: Case
    folder: Path | None = None


@dataclass(frozen=True)
class Enter:
    """Build the workload of a case, and warm it up for turns of ``seconds`` in all."""

    case: Case
    seconds: float


@dataclass(frozen=True)
class Turn:
    """Take passes of the workload for ``seconds``; the answer is how long that took."""

    seconds: float


@dataclass(frozen=True)
class Finish:
    """Give the result of all turns."""


Task = Examine | Enter | Turn | Finish
