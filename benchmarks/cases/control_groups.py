"""The control groups of this process, whose quotas and limits apply to it.

Groups are nested: a quota of any group that this process is in, directly or by way of groups inside, applies to it.
"""

from collections.abc import Iterator
from pathlib import Path

MEMBERSHIP, CONTROL_GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def control_groups(controller: str, membership: Path | None = None, root: Path | None = None) -> Iterator[Path]:
    """Yield the folders of a controller's groups (version 1 or 2) from this process's group up to the root.

    Args:
        controller: such as "cpu" or "memory".
        membership: the file with the process's control groups; default ``MEMBERSHIP``.
        root: the folder of all control groups; default ``CONTROL_GROUPS``.
    """
    for line in text(membership or MEMBERSHIP).splitlines():
        _, _, named = line.partition(":")
        controllers, _, path = named.partition(":")
        if controllers == "" or controller in controllers.split(","):
            top = _top(root or CONTROL_GROUPS, controllers)
            folder = top / path.strip("/")
            # Where a container sees only its own groups, the path may lead outside of them; the top then is its group.
            yield from (each for each in (folder, *folder.parents) if each.is_relative_to(top) and each.is_dir())


def _top(root: Path, controllers: str) -> Path:
    """Return where a hierarchy is mounted: version 2 at the root, or in "unified" beside hierarchies of version 1."""
    unified = root / "unified"
    return unified if controllers == "" and unified.is_dir() else root / controllers


def number(path: Path, key: str | None = None) -> int | None:
    """Return the number in a file, or that in its line ``KEY NUMBER``; None if there is none, as for "max"."""
    lines = [line.split() for line in text(path).splitlines()]
    wanted = [words[-1] for words in lines if (words[:-1] == [key] if key else len(words) == 1)]
    try:
        return int(wanted[0]) if wanted else None
    except ValueError:
        return None


def text(path: Path) -> str:
    """Return the content of a file of the kernel; nothing if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
