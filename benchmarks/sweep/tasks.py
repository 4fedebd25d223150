"""What a sweep asks of its processes: the probe of one contender, or a round of a block."""

from dataclasses import dataclass
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.measure.sampling import Sampling


@dataclass(frozen=True)
class Probe:
    """A contender to examine once; ``macs`` are those already counted for an equal module and input."""

    case: Case
    sampling: Sampling
    macs: dict[str, Any] | None = None


@dataclass(frozen=True)
class Round:
    """Contenders that take turns in one process, each with its entry number in the block."""

    entries: tuple[tuple[int, Case], ...]
    number: int
    sampling: Sampling
