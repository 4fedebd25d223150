"""The tasks of the processes that a profile starts: a round of a case, or its examination."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases.case import Case


@dataclass(frozen=True)
class RoundTask:
    """A round of a case: one process, which takes passes for ``seconds``."""

    case: Case
    seconds: float


@dataclass(frozen=True)
class ExaminationTask:
    """An examination of a case; ``folder`` is where the trace is written, None for no trace."""

    case: Case
    folder: Path | None = None
