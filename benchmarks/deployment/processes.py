"""The functions that run in the processes of a deployment.

This module needs no torch: each function imports the code that needs torch in the process that runs the function.
"""

from typing import Any

from benchmarks.deployment.forms import FormTask, WritingTask
from benchmarks.running.isolated import Report

# The module that the process server imports before it forks processes.
WORKER = "benchmarks.deployment.worker"


def writing_task(task: WritingTask, report: Report) -> dict[str, Any]:
    """Run ``benchmarks.deployment.worker.write_file``."""
    from benchmarks.deployment.worker import write_file

    return write_file(task)


def form_task(task: FormTask, report: Report) -> dict[str, Any]:
    """Run ``benchmarks.deployment.worker.measure_form``."""
    from benchmarks.deployment.worker import measure_form

    return measure_form(task)
