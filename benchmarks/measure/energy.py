"""Energy of a pass, on machines with a counter: NVML's on a GPU, RAPL's on a processor.

NVML is read through NVIDIA's own ``nvidia-ml-py``, which is optional and one module. RAPL is read from Linux itself:
pyRAPL and pyJoules have had no release since 2020, and zeus, which is maintained, installs thirty packages to read the
same file.

Both counters include every process on the device, so nothing else should run during a measurement. They are refreshed
every few milliseconds at best, NVML's less often, and read zero over short windows, so a window takes at least a second
of passes.
"""

import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.records.gpu import NoNVML, nvml

POWERCAP = Path("/sys/class/powercap")
SHORTEST_WINDOW = 1.0

# Joules since an arbitrary moment.
Counter = Callable[[], float]
Energy = dict[str, float | int | str]


class NoEnergyCounter(Exception):  # noqa: N818
    """No energy can be measured on this machine; the message is the reason, in one line."""


def energy_per_pass(run: Callable[[], object], device: str, *, seconds: float = SHORTEST_WINDOW) -> Energy:
    """Repeat a pass and measure its mean energy.

    Args:
        run: the pass and the preparation that must precede it.
        seconds: length of the window, at least ``SHORTEST_WINDOW``.

    Returns:
        ``joules_per_pass``, ``passes``, ``seconds`` and the counter's ``method``; or the ``reason`` why not.

    Raises:
        ValueError: for a window that is too short.
    """
    if seconds < SHORTEST_WINDOW:
        raise ValueError(f"{seconds} s are too short for an energy counter; allowed: at least {SHORTEST_WINDOW}")
    try:
        counter, method = (nvml_counter(), "NVML") if device == "cuda" else (rapl_counter(POWERCAP), "RAPL")
        return window(run, counter, time.perf_counter, seconds) | {"method": method}
    except NoEnergyCounter as error:
        return {"reason": str(error)}


def window(run: Callable[[], object], counter: Counter, clock: Counter, seconds: float) -> Energy:
    """Run one pass to warm up, then passes until the window is over; return their number, mean energy and time.

    Raises:
        NoEnergyCounter: when the counter did not move.
    """
    run()
    before, start, passes = counter(), clock(), 0
    while clock() - start < seconds:
        run()
        passes += 1
    joules, elapsed = counter() - before, clock() - start
    if joules <= 0:
        raise NoEnergyCounter(f"the energy counter did not move in {elapsed:.1f} s")
    return {"joules_per_pass": joules / passes, "passes": passes, "seconds": elapsed}


def rapl_counter(powercap: Path) -> Counter:
    """Return a counter of all processor packages below ``powercap``. It wraps around: read it at least every minute.

    Raises:
        NoEnergyCounter: when there is no file, or it may not be read.
    """
    zones = sorted(powercap.glob("intel-rapl:*"))  # AMD has this name too; zone ":0:0" is a part of zone ":0"
    packages = [zone for zone in zones if zone.name.count(":") == 1 and (zone / "energy_uj").exists()]
    if not packages:
        raise NoEnergyCounter(f"no RAPL counter below {powercap}: a virtual machine, another system, or no driver")

    def read(zone: Path, name: str) -> int:
        try:
            return int((zone / name).read_text())
        except OSError as error:
            raise NoEnergyCounter(f"{zone / name} cannot be read: {error.strerror}") from error

    ranges = {zone: read(zone, "max_energy_range_uj") + 1 for zone in packages}
    last = {zone: read(zone, "energy_uj") for zone in packages}
    total = 0

    def joules() -> float:
        nonlocal total
        for zone, wrap in ranges.items():
            now = read(zone, "energy_uj")
            total += (now - last[zone]) % wrap
            last[zone] = now
        return total / 1e6

    return joules


def nvml_counter() -> Counter:
    """Return the counter of the GPU that torch uses.

    Raises:
        NoEnergyCounter: without ``nvidia-ml-py``, a driver, or a GPU that has a counter (Volta and later).
    """
    import torch

    try:
        pynvml, gpu = nvml()
    except NoNVML as reason:
        raise NoEnergyCounter(str(reason)) from reason
    try:
        pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu)
    except pynvml.NVMLError as error:
        raise NoEnergyCounter(f"NVML: {error}") from error

    def joules() -> float:
        torch.cuda.synchronize()
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu)) / 1e3  # from millijoules

    return joules
