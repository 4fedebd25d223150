"""The functions that run in the processes of a profile.

This module needs no torch: each function imports the code that needs torch in the process that runs the function.
"""

from typing import Any

from benchmarks.profiling.tasks import ExaminationTask, RoundTask
from benchmarks.running.isolated import Report

# The module that the process server imports before it forks processes.
WORKER = "benchmarks.profiling.worker"


def round_task(task: RoundTask, report: Report) -> dict[str, Any]:
    """Run ``benchmarks.profiling.worker.measure_round``."""
    from benchmarks.profiling.worker import measure_round

    return measure_round(task)


def examination_task(task: ExaminationTask, report: Report) -> dict[str, Any]:
    """Run ``benchmarks.profiling.worker.examine``."""
    from benchmarks.profiling.worker import examine

    return examine(task)
