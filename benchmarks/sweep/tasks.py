"""The tasks of the processes that a sweep starts: the probe of one contender, or a round of a block."""

from dataclasses import dataclass
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.measure.sampling import Sampling


@dataclass(frozen=True)
class Probe:
    """A contender to examine once; ``macs`` are the MACs of an equal module and input, if already counted."""

    case: Case
    sampling: Sampling
    macs: dict[str, Any] | None = None


@dataclass(frozen=True)
class Round:
    """Contenders that take turns in one process, each with its entry number in the block."""

    entries: tuple[tuple[int, Case], ...]
    number: int
    sampling: Sampling
