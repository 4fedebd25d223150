"""Where, when and with what something was measured: the provenance of a record."""

import functools
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.cases import available_cores

ROOT = Path(__file__).resolve().parents[2]

# Read once, when a process starts or imports torch:
# - Idle threads that spin take the core that another one works on: medians of complete runs then differ by up to
#   100 %, and by 1 to 4 % with threads that sleep.
# - By default glibc gives large blocks back to the system as soon as they are freed, and every pass pays for fresh
#   pages: more than half of a layer's time at some sizes. With these settings it keeps them, for every contender alike.
# - The profiler's log is two lines for every measured pass.
MEASURING_ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967296"
    ":glibc.malloc.top_pad=268435456",
    "KINETO_LOG_LEVEL": "99",
}


def provenance(*, device: str, threads: int, load_before: float | None) -> dict[str, Any]:
    """Everything about this machine and this moment that a reader needs to judge a measurement; JSON types only.

    Args:
        device: "cpu" or "cuda".
        threads: of torch's intra-op pool while measuring.
        load_before: ``load_average()`` when the measurement began; that of its end is taken now.
    """
    gpu = gpu_name() if device == "cuda" else None
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **software(),
        **hardware(),
        "gpu": gpu,
        "device_name": gpu or hardware()["cpu"],
        "threads": threads,
        "load_before": load_before,
        "load_after": load_average(),
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY"),
        "glibc_tunables": os.environ.get("GLIBC_TUNABLES"),
    }


def load_average() -> float | None:
    """Processes that ran or waited to run, averaged over the last minute, this one included; None where unknown."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


@functools.cache
def software() -> dict[str, Any]:
    """Commit and versions; ``commit`` and ``dirty`` are None outside of a git checkout."""
    commit, dirty = git_state(ROOT)
    return {
        "commit": commit,
        "dirty": dirty,
        "python": platform.python_version(),
        "torch": _version("torch"),
        "gcnn_impl": _version("gcnn-impl"),
        "fvcore": _version("fvcore"),
    }


@functools.cache
def hardware() -> dict[str, Any]:
    """Platform, processor and the cores that this process may use."""
    return {"platform": platform.platform(), "cpu": _cpu_name(), "cores": available_cores()}


@functools.cache
def gpu_name() -> str | None:
    """The CUDA device's name, None where there is none."""
    import torch  # late: the command line answers without paying two seconds for it

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def git_state(root: Path) -> tuple[str | None, bool | None]:
    """The commit checked out at ``root``, and whether tracked files differ from it; (None, None) for no checkout."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return None, None  # a copy that lies inside of somebody else's repository
        commit = git("rev-parse", "HEAD")
        return commit, bool(git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return None, None


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
