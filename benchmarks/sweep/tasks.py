"""The tasks that a sweep gives to its processes: a probe of one contender, a round of a block, the machine's ceilings.

This module needs no torch: each task imports the code that needs torch in the process that runs the task.
"""

from dataclasses import dataclass
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.measure.sampling import Sampling
from benchmarks.running.isolated import Report

# The modules that the process server imports: for rounds alone, and for every task.
ROUND_MODULE, PROBE_MODULE = "benchmarks.sweep.worker", "benchmarks.sweep.probe"


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


def probe_task(task: Probe, report: Report) -> dict[str, Any]:
    """Run ``benchmarks.sweep.probe.probe``."""
    from benchmarks.sweep.probe import probe

    return probe(task, report)


def ceilings_task(task: tuple[str, int, str], report: Report) -> dict[str, Any]:
    """Run ``benchmarks.measure.roofline.ceilings`` for a device, a number of threads and a dtype."""
    from benchmarks.measure.roofline import ceilings

    return dict(ceilings(*task))


def round_task(task: Round, report: Report) -> dict[str, Any]:
    """Run ``benchmarks.sweep.worker.measure_round``."""
    from benchmarks.sweep.worker import measure_round

    return measure_round(task, report)
