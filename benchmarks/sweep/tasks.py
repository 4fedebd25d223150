"""The tasks of the processes that a sweep starts: the probe of one contender, or a round of a block."""

from dataclasses import dataclass
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.measure.sampling import Sampling

# The fields that a probe measures besides the check of the output; some of them on CUDA or of some cases alone.
INSTRUMENTS = (
    *("device_seconds", "warm_seconds", "memory", "macs", "zero_counted_time_share", "stages", "moved_bytes"),
    *("rounding_error", "operators", "energy"),
)


@dataclass(frozen=True)
class Probe:
    """A contender to examine once.

    ``macs`` are the MACs of an equal module and input, if already counted. ``instruments`` are those of ``INSTRUMENTS``
    that are wanted.
    """

    case: Case
    sampling: Sampling
    macs: dict[str, Any] | None = None
    instruments: tuple[str, ...] = INSTRUMENTS


@dataclass(frozen=True)
class Round:
    """Contenders that take turns in one process, each with its entry number in the block.

    The entries that are ``apart`` have processes of their own, and take turns with the others.
    """

    entries: tuple[tuple[int, Case], ...]
    number: int
    sampling: Sampling
    apart: frozenset[int] = frozenset()
