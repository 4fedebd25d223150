"""The processor cores that this process may use: those that the system gives it, and a quota of their time."""

import math
import os
from pathlib import Path

from benchmarks.cases.control_groups import control_groups, number, text


def available_cores() -> int:
    """Return how many threads can run at once in this process: the whole cores of its quota, but at least one."""
    quota = cpu_quota()
    return cores() if quota is None else max(math.floor(quota), 1)


def cores() -> int:
    """Return on how many cores this process may run, whatever its quota."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_quota(membership: Path | None = None, root: Path | None = None) -> float | None:
    """Return how many cores' time this process gets: the lowest quota of its control group and all groups above it.

    None means that there is no quota below the number of cores. Containers and batch systems set quotas.

    Args:
        membership, root: as of ``control_groups``.
    """
    folders = control_groups("cpu", membership, root)
    quotas = [quota for folder in folders for quota in (_quota_v2(folder), _quota_v1(folder)) if quota is not None]
    lowest = min(quotas, default=math.inf)
    return lowest if lowest < cores() else None


def throttled_periods(membership: Path | None = None, root: Path | None = None) -> int | None:
    """Return in how many periods so far a quota stopped this process's control group or a group above it.

    None means that the kernel does not say. A period in which two of the groups were stopped counts twice.

    Args:
        membership, root: as of ``control_groups``.
    """
    counts = [number(folder / "cpu.stat", "nr_throttled") for folder in control_groups("cpu", membership, root)]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = text(folder / "cpu.max").partition(" ")
    return _ratio(quota, period)


def _quota_v1(folder: Path) -> float | None:
    return _ratio(text(folder / "cpu.cfs_quota_us"), text(folder / "cpu.cfs_period_us"))


def _ratio(quota: str, period: str) -> float | None:
    """Return the quota in cores; None for no quota, which is "max" in version 2 and -1 in version 1."""
    try:
        return int(quota) / int(period) if int(quota) > 0 else None
    except (ValueError, ZeroDivisionError):
        return None
