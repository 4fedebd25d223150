"""The memory that a new process can have."""

from pathlib import Path

import psutil

from benchmarks.cases.control_groups import control_groups, number

# The files with the limit and the use of a control group, in version 2 and in version 1.
CONTROL_GROUP_FILES = (
    ("memory.max", "memory.current"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes"),
)


def available_bytes(device: str) -> int:
    """Return the bytes that a new process can have now, as far as the system and this process's control group allow."""
    if device == "cuda":
        import torch

        return torch.cuda.mem_get_info()[0]
    available: int = psutil.virtual_memory().available
    return min(available, *_control_group_bytes())


def _control_group_bytes(membership: Path | None = None, root: Path | None = None) -> list[int]:
    """Return the bytes left below each memory limit from this process's control group (v1 or v2) up to the root."""
    left = []
    for folder in control_groups("memory", membership, root):
        for names in CONTROL_GROUP_FILES:
            limit, used = (number(folder / name) for name in names)
            if limit is not None and used is not None:
                left.append(max(limit - used, 0))
    return left
