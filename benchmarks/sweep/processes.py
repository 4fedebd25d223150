"""The functions that run in the processes of a sweep.

This module needs no torch: each function imports the code that needs torch in the process that runs the function.
"""

from typing import Any

from benchmarks.running.isolated import Report
from benchmarks.sweep.tasks import Probe, Round

# The module that the process server imports before it forks processes: for rounds alone, or for all tasks.
ROUND_MODULE, PROBE_MODULE = "benchmarks.sweep.worker", "benchmarks.sweep.probe"


def probe_task(task: Probe, report: Report) -> dict[str, Any]:
    """Run ``benchmarks.sweep.probe.probe``."""
    from benchmarks.sweep.probe import probe

    return probe(task, report)


def round_task(task: Round, report: Report) -> dict[str, Any]:
    """Run ``benchmarks.sweep.worker.measure_round``."""
    from benchmarks.sweep.worker import measure_round

    return measure_round(task, report)
