"""The processor cores that this process may use: those that the system gives it, and a quota of their time."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

MEMBERSHIP, CONTROL_GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


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
        membership: the file with the process's control groups; default ``MEMBERSHIP``.
        root: the folder of all control groups; default ``CONTROL_GROUPS``.
    """
    folders = control_groups("cpu", membership or MEMBERSHIP, root or CONTROL_GROUPS)
    quotas = [quota for folder in folders for quota in (_quota_v2(folder), _quota_v1(folder)) if quota is not None]
    lowest = min(quotas, default=math.inf)
    return lowest if lowest < cores() else None


def control_groups(controller: str, membership: Path, root: Path) -> Iterator[Path]:
    """Yield the folders of a controller's groups (version 1 or 2) from this process's group up to the root."""
    for line in _text(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "" or controller in controllers.split(","):
            top = root / controllers
            folder = top / path.strip("/")
            # Where a container sees only its own groups, the path may lead outside of them; the root then is its group.
            yield from (each for each in (folder, *folder.parents) if each.is_relative_to(top) and each.is_dir())


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    return _ratio(quota, period)


def _quota_v1(folder: Path) -> float | None:
    return _ratio(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))


def _ratio(quota: str, period: str) -> float | None:
    """Return the quota in cores; None for no quota, which is "max" in version 2 and -1 in version 1."""
    try:
        return int(quota) / int(period) if int(quota) > 0 else None
    except (ValueError, ZeroDivisionError):
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
