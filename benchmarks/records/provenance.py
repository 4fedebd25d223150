"""Where, when and with what something was measured: the provenance of a record."""

import functools
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.cases.cores import available_cores

ROOT = Path(__file__).resolve().parents[2]
# The kernel's counters: of the processor's time, and of how often a container's quota stopped it.
STAT = Path("/proc/stat")
CPU_QUOTA = Path("/sys/fs/cgroup/cpu.stat")
CPU_INFO = Path("/proc/cpuinfo")
# Of the columns of STAT, those that are no part of a larger one, and the one with what the host took for others.
STAT_COLUMNS, STEAL_COLUMN = 8, 7


@dataclass(frozen=True)
class Moment:
    """What a machine says about itself at one time; None for what it does not say.

    Args:
        load: processes that ran or waited to run, averaged over the last minute, this one included.
        stolen, ticks: time that the host took for others, and all time, since boot, in the kernel's ticks.
        throttled_periods: in which a CPU quota stopped this container, so far.
    """

    load: float | None
    stolen: int | None
    ticks: int | None
    throttled_periods: int | None


def moment() -> Moment:
    """The machine now."""
    times = _words(STAT, "cpu")
    columns = [int(word) for word in times[:STAT_COLUMNS]] if times else None
    periods = _words(CPU_QUOTA, "nr_throttled")
    return Moment(
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        stolen=columns[STEAL_COLUMN] if columns and len(columns) == STAT_COLUMNS else None,
        ticks=sum(columns) if columns else None,
        throttled_periods=int(periods[0]) if periods else None,
    )


def provenance(
    *, device: str, threads: int, before: Moment, frequencies: Sequence[float | None] = ()
) -> dict[str, Any]:
    """Everything about this machine and this moment that a reader needs to judge a measurement; JSON types only.

    Args:
        device: "cpu" or "cuda".
        threads: of torch's intra-op pool while measuring.
        before: the machine when the measurement began; that of its end is taken now.
        frequencies: of the device's clock while it was measuring, MHz, in the order they were read.
    """
    gpu = gpu_name() if device == "cuda" else None
    after = moment()
    stolen, ticks, periods = (
        None if then is None or now is None else now - then
        for then, now in (
            (before.stolen, after.stolen),
            (before.ticks, after.ticks),
            (before.throttled_periods, after.throttled_periods),
        )
    )
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **software(),
        **hardware(),
        "gpu": gpu,
        "device_name": gpu or hardware()["cpu"],
        "threads": threads,
        "load_before": before.load,
        "load_after": after.load,
        "frequency_before": frequencies[0] if frequencies else None,
        "frequency_after": frequencies[-1] if frequencies else None,
        "steal_share": stolen / ticks if stolen is not None and ticks else None,
        "throttled_periods": periods,
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY"),
        "gomp_spincount": os.environ.get("GOMP_SPINCOUNT"),
        "glibc_tunables": os.environ.get("GLIBC_TUNABLES"),
        "native": native_operators(),
    }


def _words(path: Path, first: str) -> list[str]:
    """What follows the first word in the line that begins with it; nothing where there is no such line or file."""
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return []
    return next((words[1:] for words in lines if words and words[0] == first), [])


def frequency(device: str) -> float | None:
    """MHz of the device's clock now, the median of all cores on the CPU; it means something under load alone."""
    if device == "cuda":
        return _gpu_frequency()
    megahertz = [float(value) for value in _cpu_facts("cpu MHz")]
    return statistics.median(megahertz) if megahertz else None


def _gpu_frequency() -> float | None:
    command = ["nvidia-smi", "--query-gpu=clocks.sm", "--format=csv,noheader,nounits"]
    try:
        return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.split()[0])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None


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


@functools.cache
def native_operators() -> str:
    """Whether our operators in C are in use on this machine, and why not; compiles them if nobody has yet."""
    from gcnn_impl import native  # late: with torch, as above

    return native.status()


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
    return next(iter(_cpu_facts("model name")), "") or platform.processor() or platform.machine()


def _cpu_facts(name: str) -> list[str]:
    """What the kernel says under a name about every core; nothing where it says nothing."""
    try:
        lines = [line.partition(":") for line in CPU_INFO.read_text().splitlines()]
    except OSError:
        return []
    return [value.strip() for key, _, value in lines if key.strip() == name]
