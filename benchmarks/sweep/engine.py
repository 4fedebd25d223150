"""How a sweep measures, and what it finds out once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.cases.case import Case, short_hash
from benchmarks.measure.sampling import Sampling
from benchmarks.running.isolated import Report
from benchmarks.sweep.tasks import Probe, Round, ceilings_task, probe_task, round_task

# What does not change how many multiply–accumulates a module has.
FREE_OF_MACS = ("direction", "kernels", "execution", "device", "dtype", "threads")


@dataclass(frozen=True)
class Engine:
    """How cases are measured.

    Args:
        sampling: how often each pass is repeated.
        timeout: seconds without a sign of life after which a contender is given up.
        probe, measure_round, ceilings: what runs in the processes, importable by name there.
    """

    sampling: Sampling
    timeout: float = 600.0
    probe: Callable[[Probe, Report], dict[str, Any]] = probe_task
    measure_round: Callable[[Round, Report], dict[str, Any]] = round_task
    ceilings: Callable[[tuple[str, int, str], Report], dict[str, Any]] = ceilings_task


@dataclass
class Known:
    """What one sweep finds out once: MACs by ``macs_key``, and the machine's ceilings by device, threads and dtype."""

    macs: dict[str, Any] = field(default_factory=dict)
    ceilings: dict[tuple[str, int, str], dict[str, Any]] = field(default_factory=dict)


def macs_key(case: Case) -> str:
    """The same for cases with the same multiply–accumulates (an input that needs no gradient has fewer)."""
    shape = {axis: value for axis, value in case.fields().items() if axis not in FREE_OF_MACS}
    return short_hash({**shape, "backward": case.direction != "forward"})
