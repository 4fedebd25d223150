"""The settings of a sweep, and the results that a sweep measures once and reuses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.cases.case import Case, short_hash
from benchmarks.measure.processes import ceilings_task
from benchmarks.measure.sampling import Sampling
from benchmarks.running.isolated import Report
from benchmarks.sweep.processes import probe_task
from benchmarks.sweep.tasks import INSTRUMENTS, Probe

# The axes that do not change a module's multiply–accumulates.
FREE_OF_MACS = ("direction", "kernels", "execution", "device", "dtype", "threads")


@dataclass(frozen=True)
class Engine:
    """Settings with which a sweep measures cases.

    Args:
        sampling: how often each pass is repeated.
        timeout: seconds without a report or a result after which a contender has failed.
        instruments: the fields that a probe measures, of ``INSTRUMENTS``. On a GPU the profiler alone may take seconds
            for each case.
        profiled: ids of the cases whose records say which operators a pass consists of; it takes a second for each.
        isolate: whether users' layers have processes of their own in the rounds.
        probe, ceilings: functions that run in their own processes; they must be importable by name.

    Raises:
        ValueError: for an unknown instrument.
    """

    sampling: Sampling
    timeout: float = 600.0
    instruments: tuple[str, ...] = INSTRUMENTS
    profiled: frozenset[str] = frozenset()
    isolate: bool = False
    probe: Callable[[Probe, Report], dict[str, Any]] = probe_task
    ceilings: Callable[[tuple[str, int, str], Report], dict[str, Any]] = ceilings_task

    def __post_init__(self) -> None:
        if unknown := [name for name in self.instruments if name not in INSTRUMENTS]:
            raise ValueError(f"unknown instrument {unknown[0]!r}; allowed: {', '.join(INSTRUMENTS)}")


@dataclass
class Known:
    """What a sweep has found out, and uses again.

    Args:
        macs: multiply–accumulates, by ``macs_key``.
        ceilings: the machine's ceilings, by device, threads and dtype.
        interfered: implementations, other people's or users', that changed the process in which they ran.
    """

    macs: dict[str, Any] = field(default_factory=dict)
    ceilings: dict[tuple[str, int, str], dict[str, Any]] = field(default_factory=dict)
    interfered: set[str] = field(default_factory=set)


def runs_apart(case: Case, engine: Engine, known: Known) -> bool:
    """Return whether a case has a process of its own in the rounds."""
    return (engine.isolate and case.own) or case.implementation in known.interfered


def macs_key(case: Case) -> str:
    """Return a key that cases with equal multiply–accumulates share: their shape.

    A network that is averaged over turned copies of its images does less in training.
    """
    shape = {axis: value for axis, value in case.fields().items() if axis not in FREE_OF_MACS}
    return short_hash({**shape, "copies": case.variant == "averaged" and case.direction == "forward"})
