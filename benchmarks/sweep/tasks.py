"""What a sweep asks of its processes: a probe of one contender, a round of all, the ceilings of the machine.

Tasks are importable without torch: the code they run is imported in the process that runs it.
"""

from dataclasses import dataclass
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.measure.sampling import Sampling
from benchmarks.running.isolated import Report


@dataclass(frozen=True)
class Probe:
    """A contender to look at once; ``macs`` is what was counted before for the same module and input."""

    case: Case
    sampling: Sampling
    macs: dict[str, Any] | None = None


@dataclass(frozen=True)
class Round:
    """Contenders to time in turns, in one process, each under a number."""

    entries: tuple[tuple[int, Case], ...]
    number: int
    sampling: Sampling


def probe_task(task: Probe, report: Report) -> dict[str, Any]:
    """``benchmarks.sweep.probe.probe``, imported where it runs: the sweep itself does without torch."""
    from benchmarks.sweep.probe import probe

    return probe(task, report)


def ceilings_task(task: tuple[str, int, str], report: Report) -> dict[str, Any]:
    """``benchmarks.measure.roofline.ceilings`` of a device, threads and dtype, imported where it runs."""
    from benchmarks.measure.roofline import ceilings

    return dict(ceilings(*task))


# What the process server imports for rounds, and for everything.
ROUND_MODULE, PROBE_MODULE = "benchmarks.sweep.worker", "benchmarks.sweep.probe"


def round_task(task: Round, report: Report) -> dict[str, Any]:
    """``benchmarks.sweep.worker.measure_round``, imported where it runs."""
    from benchmarks.sweep.worker import measure_round

    return measure_round(task, report)
