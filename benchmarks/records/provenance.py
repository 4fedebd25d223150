"""The provenance of a record: where, when and with what it was measured."""

import functools
import math
import os
import platform
import statistics
import subprocess
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.cases.cores import cores, cpu_quota, throttled_periods
from benchmarks.records.cost_fields import ENVIRONMENT
from benchmarks.records.gpu import gpu_facts, judged_states

ROOT = Path(__file__).resolve().parents[2]
# The kernel's counters of the processor's time.
STAT = Path("/proc/stat")
CPU_INFO = Path("/proc/cpuinfo")
# What tells the designs of processors apart: on x86, and on Arm.
CPU_DESIGN = {"cpu family": "family", "model": "model", "CPU implementer": "implementer", "CPU part": "part"}
# The number of columns of STAT that add up to all time (later columns are parts of these), and the index of the column
# with the time that the host gave to other machines.
STAT_COLUMNS, STEAL_COLUMN = 8, 7
# The time in which a load average forgets all but 1/e of an earlier load.
LOAD_SECONDS = 60.0


@dataclass(frozen=True)
class Moment:
    """The state of a machine at one time; None for values that the machine does not report."""

    time: float  # seconds on a monotonic clock
    load: float | None  # processes that run or wait to run, including this one, averaged over the last minute
    stolen: int | None  # time since boot that the host gave to other machines, in the kernel's ticks
    ticks: int | None  # all processor time since boot, in the kernel's ticks
    throttled_periods: int | None  # periods so far in which a CPU quota stopped this process


def moment() -> Moment:
    """Return the state of the machine now."""
    columns = [int(word) for word in _words(STAT, "cpu")[:STAT_COLUMNS]]
    return Moment(
        time=time.monotonic(),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        stolen=columns[STEAL_COLUMN] if len(columns) == STAT_COLUMNS else None,
        ticks=sum(columns) if columns else None,
        throttled_periods=throttled_periods(),
    )


def provenance(
    *,
    device: str,
    threads: int,
    before: Moment,
    own_code: Mapping[str, str] | None = None,
    frequencies: Sequence[float | None] = (),
    gpu_states: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return everything about the machine and the moment that helps to judge a measurement, in JSON types.

    Args:
        threads: size of torch's intra-op thread pool during the measurement.
        before: state of the machine at the beginning of the measurement; the state at its end is read now.
        own_code: a hash of the code of each user's module, by its name, from before the measurement.
        frequencies: frequencies of the device's clock during the measurement, MHz, in the order of reading.
        gpu_states: states of the GPU (``records.gpu``) during the measurement.
    """
    gpu = gpu_name() if device == "cuda" else None
    after = moment()
    stolen, ticks = _difference(after.stolen, before.stolen), _difference(after.ticks, before.ticks)
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **software(),
        **hardware(),
        "gpu": gpu,
        "device_name": gpu or hardware()["cpu"],
        "threads": threads,
        "load_before": before.load,
        "load_after": after.load,
        "load_between": load_between(before, after),
        "frequency_before": frequencies[0] if frequencies else None,
        "frequency_after": frequencies[-1] if frequencies else None,
        "steal_share": stolen / ticks if stolen is not None and ticks else None,
        "throttled_periods": _difference(after.throttled_periods, before.throttled_periods),
        **{name: os.environ.get(name.upper()) for name in ENVIRONMENT},
        "native": native_operators(),
        **({"own_code": own_code} if own_code else {}),
        **({**gpu_facts(), "triton": _version("triton")} if device == "cuda" else {}),
        **({"gpu_state": judged_states(gpu_states)} if gpu_states else {}),
    }


def load_between(before: Moment, after: Moment) -> float | None:
    """Return the mean load between two moments, without what ran before: a load average forgets 1 − e^(−t/60 s) in t.

    >>> load_between(Moment(0.0, 4.0, None, None, None), Moment(60.0, 2.0, None, None, None))
    0.84
    """
    kept = math.exp((before.time - after.time) / LOAD_SECONDS)
    if before.load is None or after.load is None or kept >= 1:
        return None
    return round(max((after.load - kept * before.load) / (1 - kept), 0.0), 2)


def _difference(after: int | None, before: int | None) -> int | None:
    return None if after is None or before is None else after - before


def cpu_frequency() -> float | None:
    """Return the frequency of the processor now, MHz (median of all cores); it is meaningful under load only."""
    megahertz = [float(value) for value in _cpu_facts("cpu MHz")]
    return statistics.median(megahertz) if megahertz else None


def _output(*command: str) -> str:
    english = {**os.environ, "LC_ALL": "C"}  # because messages are searched for words
    return subprocess.run(
        command, capture_output=True, check=True, timeout=30, env=english, encoding="utf-8", errors="replace"
    ).stdout


@functools.cache
def software() -> dict[str, Any]:
    """Return the commit and the versions; ``commit`` and ``dirty`` are None outside a git checkout.

    Where a copy of the checkout runs without git, the environment may name both: ``GCNN_COMMIT``, the commit, and
    ``GCNN_DIRTY``, any text if tracked files differ from it.
    """
    commit, dirty = git_state(ROOT)
    if commit is None and (commit := os.environ.get("GCNN_COMMIT") or None):
        dirty = bool(os.environ.get("GCNN_DIRTY"))
    versions = {name: _version(name.replace("_", "-")) for name in ("torch", "gcnn_impl", "fvcore")}
    return {"commit": commit, "dirty": dirty, "python": platform.python_version(), **versions}


@functools.cache
def hardware() -> dict[str, Any]:
    """Return the platform, the processor, and the cores that this process may use, with the quota of their time."""
    return {"platform": platform.platform(), "cpu": processor(), "cores": cores(), "cpu_quota": cpu_quota()}


def processor() -> str:
    """Return the name of the processor, with the numbers of its design where the kernel knows them.

    A virtual machine may hide all but the brand: processors of two generations, one twice as fast, are "AMD EPYC".
    """
    name = next(iter(_cpu_facts("model name")), "") or platform.processor() or platform.machine()
    numbers = [f"{word} {value}" for fact, word in CPU_DESIGN.items() for value in _cpu_facts(fact)[:1]]
    return f"{name} ({', '.join(numbers)})" if numbers else name


@functools.cache
def gpu_name() -> str | None:
    """Return the name of the CUDA device; None if there is none."""
    import torch  # late: importing torch takes two seconds, and the command line does not need it

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


@functools.cache
def native_operators() -> str:
    """Return whether our operators in C are in use, and if not, why; they are compiled and calibrated if necessary."""
    from gcnn_impl import calibration, native  # late: they import torch

    said, ratio = native.status(), calibration.ratio()
    return said if ratio == 1 else f"{said}; the Fourier transform at {ratio:g} × its fitted time"


def git_state(root: Path) -> tuple[str | None, bool | None]:
    """Return the commit of the checkout at ``root`` and whether tracked files differ; None, None for no checkout.

    Warns:
        UserWarning: when there is a checkout, but git refuses to read it because it belongs to another user.
    """

    if not (root / ".git").exists():  # an installed suite, or a copy; perhaps inside of another repository
        return None, None

    def git(*arguments: str) -> str:
        return _output("git", "-C", str(root), *arguments).strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return None, None
        return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", "--untracked-files=no"))
    except subprocess.CalledProcessError as error:
        if "dubious ownership" in error.stderr:
            remedy = f"git config --global --add safe.directory {root}"
            warnings.warn(
                f"the commit is unknown: {root} is another user's; allow git to read it: {remedy}", stacklevel=2
            )
        return None, None
    except (OSError, subprocess.SubprocessError):
        return None, None


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _words(path: Path, first: str) -> list[str]:
    """Return the words after ``first`` in a file's line that begins with it; none if there is no such line or file."""
    lines = (line.split() for line in _lines(path))
    return next((words[1:] for words in lines if words and words[0] == first), [])


def _cpu_facts(name: str) -> list[str]:
    """Return the value that the kernel reports under a name, for each core; none if it reports no such value."""
    facts = (line.partition(":") for line in _lines(CPU_INFO))
    return [value.strip() for key, _, value in facts if key.strip() == name]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
