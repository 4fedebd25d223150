"""How much memory a new process can have."""

import os
from pathlib import Path


def available_bytes(device: str) -> int:
    """Memory that a new process can have now: what the system has left and the control group of this process allows."""
    if device == "cuda":
        import torch

        return torch.cuda.mem_get_info()[0]
    return min(_system_bytes(), *_control_group_bytes(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")))


def _system_bytes() -> int:
    """Memory that Linux says is available; elsewhere all that there is."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    sizes = dict(line.split(":", 1) for line in lines)
    return int(sizes["MemAvailable"].split()[0]) * 1024


def _control_group_bytes(membership: Path, root: Path) -> list[int]:
    """What every limit on the way from this process's control group to the root leaves, versions 1 and 2."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return []
    left = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        names = {"": ("memory.max", "memory.current"), "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes")}
        if controllers not in names:
            continue
        folder = root / controllers / path.strip("/")
        while folder != root.parent:
            limit, used = (_number(folder / name) for name in names[controllers])
            if limit is not None and used is not None:
                left.append(max(limit - used, 0))
            folder = folder.parent
    return left


def _number(path: Path) -> int | None:
    """The number in a file; None where there is none, as for the limit "max"."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
