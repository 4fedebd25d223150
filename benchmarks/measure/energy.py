"""Energy of a pass, where the machine can tell: NVML's counter on a GPU, RAPL's on a processor.

NVML is read through NVIDIA's own ``nvidia-ml-py``, one module, which is optional. RAPL is read from Linux itself: of
the libraries, pyRAPL and pyJoules have not been released since 2020, and zeus, which is well kept, brings thirty
packages to read the same file of microjoules that wraps around.

Both counters are of the whole device or processor, whoever uses it: idle neighbours belong to a measurement of energy
as quiet ones do to one of time. They are refreshed every few milliseconds at best and read zero over short windows, so
a window takes a second or more of passes.
"""

import time
from collections.abc import Callable
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
SHORTEST_WINDOW = 1.0

# Joules since a moment that does not matter.
Counter = Callable[[], float]


class NoEnergyCounter(Exception):  # noqa: N818
    """Why this machine cannot tell, in one line."""


def energy_per_pass(
    run: Callable[[], object], device: str, *, seconds: float = SHORTEST_WINDOW
) -> dict[str, float | int | str]:
    """Repeat a pass for a while, and divide the energy that was spent by how often.

    Args:
        run: the pass, with whatever must come before it.
        device: "cpu" or "cuda".
        seconds: how long, at least ``SHORTEST_WINDOW``.

    Returns:
        ``joules_per_pass``, ``passes``, ``seconds`` and the counter's ``method``; or the ``reason`` why not.

    Raises:
        ValueError: for a window that is too short.
    """
    if seconds < SHORTEST_WINDOW:
        raise ValueError(
            f"a window of {seconds} s is too short for energy counters; allowed: {SHORTEST_WINDOW} or more"
        )
    try:
        counter, method = (nvml_counter(), "NVML") if device == "cuda" else (rapl_counter(POWERCAP), "RAPL")
        return window(run, counter, time.perf_counter, seconds) | {"method": method}
    except NoEnergyCounter as error:
        return {"reason": str(error)}


def window(run: Callable[[], object], counter: Counter, clock: Counter, seconds: float) -> dict[str, float | int | str]:
    """Passes and joules until the time is over.

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
    """The sum over the processor packages below ``powercap``; call it more often than a counter wraps (minutes).

    Raises:
        NoEnergyCounter: when there is none, or it may not be read.
    """
    packages = [
        zone
        for zone in sorted(powercap.glob("intel-rapl:*"))  # of that name on AMD too; ":0:0" is a part of ":0"
        if zone.name.count(":") == 1 and (zone / "energy_uj").exists()
    ]
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
    """That of the GPU which torch uses.

    Raises:
        NoEnergyCounter: without ``nvidia-ml-py``, a driver, or a GPU that counts (Volta and later do).
    """
    try:
        import pynvml  # late: optional
    except ImportError as error:
        raise NoEnergyCounter("nvidia-ml-py is not installed") from error
    import torch

    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties().uuid}")
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except pynvml.NVMLError as error:
        raise NoEnergyCounter(f"NVML: {error}") from error

    def joules() -> float:
        torch.cuda.synchronize()
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3

    return joules
