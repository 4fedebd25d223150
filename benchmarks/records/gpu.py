"""The GPU that torch uses, as NVIDIA's driver describes it: constant facts, and its state at a moment.

The driver is asked through NVML, with ``nvidia-ml-py``, which is optional and one module. Without it only the clock and
the driver's version are known, from the program ``nvidia-smi``. A value that a GPU does not report is None.

This module asks for nothing when it is imported, and imports torch late.
"""

import functools
import os
import subprocess
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

# Why the driver may lower the clock, by NVML's bits, in words. An idle GPU, and clocks that somebody has set
# (bits 1 and 2), are no reasons to distrust a measurement.
SLOWDOWNS = {
    0x04: "the power limit",
    0x08: "the hardware, for its temperature or power supply",
    0x10: "the clocks of other GPUs that run in step",
    0x20: "the temperature, by the driver",
    0x40: "the temperature, by the hardware",
    0x80: "the power supply",
    0x100: "the display",
    0x200: "a limit of the board",
    0x400: "its reliability",
}
NVIDIA_SMI_SECONDS = 30

State = dict[str, Any]


class NoNVML(Exception):  # noqa: N818
    """NVML cannot be used; the message is the reason, in one line."""


@functools.cache
def nvml() -> tuple[Any, Any]:
    """Return the module ``pynvml`` and its handle of the GPU that torch uses; NVML is initialised once for a process.

    Raises:
        NoNVML: without ``nvidia-ml-py``, a driver, or this GPU.
    """
    try:
        import pynvml  # late: optional
    except ImportError as error:
        raise NoNVML("nvidia-ml-py is not installed") from error
    try:
        pynvml.nvmlInit()
        return pynvml, _handle(pynvml)
    except pynvml.NVMLError as error:
        raise NoNVML(f"NVML: {error}") from error


def _uuid() -> str:
    import torch  # late: importing torch takes seconds

    return str(torch.cuda.get_device_properties().uuid)


def _handle(pynvml: Any) -> Any:
    """Return the handle of the GPU, also if torch uses an instance of the GPU (MIG), which has no clocks of its own."""
    try:
        return pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{_uuid()}")
    except pynvml.NVMLError:
        instance = pynvml.nvmlDeviceGetHandleByUUID(f"MIG-{_uuid()}")
        return pynvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(instance)


def _asked(pynvml: Any, ask: Callable[[], Any]) -> Any:
    """Return what the driver answers; None if this GPU, driver or version of ``pynvml`` does not know."""
    try:
        return ask()
    except (pynvml.NVMLError, AttributeError):
        return None


def gpu_state() -> State:
    """Return the state of the GPU now. It says something about a measurement directly after passes only.

    Returns:
        ``source``: NVML, or why it is not; ``clock`` and ``clock_max``, of the multiprocessors, MHz; ``temperature``,
        °C; ``power``, W; ``slowdowns``, the driver's bits; ``other_processes`` that use the GPU.
    """
    try:
        pynvml, gpu = nvml()
    except NoNVML as reason:
        clock = _number(_nvidia_smi("clocks.sm"))
        source = "nvidia-smi, the clock alone" if clock is not None else "none, nor does nvidia-smi answer"
        unknown = dict.fromkeys(("clock_max", "temperature", "power", "slowdowns", "other_processes"))
        return {"source": f"{source}; {reason}", "clock": clock, **unknown}
    ask = functools.partial(_asked, pynvml)
    power = ask(lambda: pynvml.nvmlDeviceGetPowerUsage(gpu))
    slowdowns = ask(lambda: pynvml.nvmlDeviceGetCurrentClocksEventReasons(gpu))
    if slowdowns is None:  # the name before driver 535
        slowdowns = ask(lambda: pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu))
    processes = ask(lambda: pynvml.nvmlDeviceGetComputeRunningProcesses(gpu))
    return {
        "source": "NVML",
        "clock": ask(lambda: float(pynvml.nvmlDeviceGetClockInfo(gpu, pynvml.NVML_CLOCK_SM))),
        "clock_max": ask(lambda: float(pynvml.nvmlDeviceGetMaxClockInfo(gpu, pynvml.NVML_CLOCK_SM))),
        "temperature": ask(lambda: pynvml.nvmlDeviceGetTemperature(gpu, pynvml.NVML_TEMPERATURE_GPU)),
        "power": None if power is None else power / 1e3,  # from milliwatts
        "slowdowns": slowdowns,
        "other_processes": None if processes is None else _others({process.pid for process in processes}),
    }


def _others(pids: Collection[int]) -> int:
    """Return how many of the processes on the GPU are not ours: this one, and those that wait for its result.

    In a container the driver may number processes differently. One of them is then taken for this process.
    """
    own = len({os.getpid(), os.getppid()} & set(pids))
    return len(pids) - max(own, 1) if pids else 0


def judged_states(states: Sequence[State]) -> State:
    """Return what the states during a measurement say together: extremes, and every reason for a lower clock."""
    bits = functools.reduce(lambda a, b: a | b, _known(states, "slowdowns"), 0)
    return {
        "source": states[0]["source"],
        "clock_lowest": min(_known(states, "clock"), default=None),
        "clock_max": max(_known(states, "clock_max"), default=None),
        "temperature_highest": max(_known(states, "temperature"), default=None),
        "power_highest": max(_known(states, "power"), default=None),
        "slowdowns": [words for bit, words in SLOWDOWNS.items() if bits & bit],
        "other_processes": max(_known(states, "other_processes"), default=None),
    }


def _known(states: Iterable[State], name: str) -> list[Any]:
    return [state[name] for state in states if state[name] is not None]


@functools.cache
def gpu_facts() -> dict[str, Any]:
    """Return the versions of the driver and the libraries, the GPU's sizes, and whether our operators are in use."""
    import torch

    from gcnn_impl import gpu as operators  # late: it imports torch

    properties = torch.cuda.get_device_properties()
    try:
        pynvml, gpu = nvml()
        driver = _asked(pynvml, lambda: str(pynvml.nvmlSystemGetDriverVersion()))
        mig = _asked(pynvml, lambda: bool(pynvml.nvmlDeviceGetMigMode(gpu)[0]))
    except NoNVML:
        driver, mig = _nvidia_smi("driver_version"), None
    return {
        "driver": driver,
        "cuda": torch.version.cuda,
        "cudnn": None if (version := torch.backends.cudnn.version()) is None else str(version),
        "gpu_memory_bytes": properties.total_memory,
        "l2_bytes": properties.L2_cache_size,
        "compute_capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count,
        "mig": mig,
        "gpu_operators": operators.status(),
    }


def _nvidia_smi(field: str) -> str | None:
    """Return a field of torch's GPU from the program ``nvidia-smi``; None if the program does not tell."""
    command = ["nvidia-smi", f"--id=GPU-{_uuid()}", f"--query-gpu={field}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=NVIDIA_SMI_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return None
    return next(iter(done.stdout.split()), None)


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
