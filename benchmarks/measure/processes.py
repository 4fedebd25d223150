"""The function that measures the machine's ceilings in a process of its own. This module needs no torch."""

from typing import Any


def ceilings_task(task: tuple[str, int, str], report: object) -> dict[str, Any]:
    """Run ``benchmarks.measure.roofline.ceilings`` for a device, a number of threads and a dtype."""
    from benchmarks.measure.roofline import ceilings

    return dict(ceilings(*task))
