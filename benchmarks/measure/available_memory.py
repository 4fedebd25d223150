"""The memory that a new process can have."""

from pathlib import Path

import psutil

# The files with the limit and the use of a control group, by the name of its controllers ("" in version 2).
CONTROL_GROUP_FILES = {
    "": ("memory.max", "memory.current"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes"),
}


def available_bytes(device: str) -> int:
    """Return the bytes that a new process can have now, as far as the system and this process's control group allow."""
    if device == "cuda":
        import torch

        return torch.cuda.mem_get_info()[0]
    available: int = psutil.virtual_memory().available
    return min(available, *_control_group_bytes(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")))


def _control_group_bytes(membership: Path, root: Path) -> list[int]:
    """Return the bytes left below each memory limit from this process's control group (v1 or v2) up to the root."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return []
    left = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        folder = root / controllers / path.strip("/")
        while controllers in CONTROL_GROUP_FILES and folder != root.parent:
            limit, used = (_number(folder / name) for name in CONTROL_GROUP_FILES[controllers])
            if limit is not None and used is not None:
                left.append(max(limit - used, 0))
            folder = folder.parent
    return left


def _number(path: Path) -> int | None:
    """Return the number in a file; None if there is no number, as for the limit "max", or no file."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
