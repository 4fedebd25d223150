"""The GPU of this machine, if it has one that torch can use. The module needs no torch."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Files and a program that NVIDIA's driver brings, on Linux, in containers, and in Linux inside of Windows.
DRIVER_FILES = (Path("/dev/nvidiactl"), Path("/dev/nvidia0"), Path("/dev/dxg"))
DRIVER_PROGRAM = "nvidia-smi"
VISIBLE = "CUDA_VISIBLE_DEVICES"
# Seconds until torch must have answered. The first import on a new machine takes up to half a minute.
TIMEOUT = 120.0
# An operation on the GPU shows more than its name does: that driver, torch and GPU fit together.
PROGRAM = """
import torch
if torch.version.cuda is None:
    raise RuntimeError(f"torch {torch.__version__} is built without CUDA")
assert torch.ones(8, device="cuda").sum().item() == 8
print(torch.cuda.get_device_name())
"""


@dataclass(frozen=True)
class Gpu:
    """A GPU: its name, or the ``fault`` because of which torch cannot use it, in one line."""

    name: str = ""
    fault: str = ""


def find_gpu(program: str = PROGRAM, timeout: float = TIMEOUT) -> Gpu | None:
    """Return the GPU of this machine; None if there is none, or if ``CUDA_VISIBLE_DEVICES`` hides it.

    Only where a driver is there, a process of its own imports torch and tries the GPU. This process stays without CUDA,
    and a driver that hangs is a fault.
    """
    if hidden(os.environ) or not has_driver():
        return None
    command = [sys.executable, "-W", "ignore", "-c", program]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return Gpu(fault=f"torch did not answer within {timeout:g} s")
    printed, said = done.stdout.split("\n"), done.stderr.strip().splitlines()
    if done.returncode == 0:
        return Gpu(name=printed[0])
    return Gpu(fault=_reason(said) or f"torch ended with status {done.returncode}")


def hidden(environment: Mapping[str, str]) -> bool:
    """Return whether the environment hides every GPU.

    >>> hidden({"CUDA_VISIBLE_DEVICES": ""}), hidden({"CUDA_VISIBLE_DEVICES": "0"}), hidden({})
    (True, False, False)
    """
    return VISIBLE in environment and environment[VISIBLE].strip() in ("", "-1")


def has_driver() -> bool:
    """Return whether NVIDIA's driver is on this machine."""
    return any(path.exists() for path in DRIVER_FILES) or shutil.which(DRIVER_PROGRAM) is not None


def _reason(lines: list[str]) -> str:
    """Return the first line of the exception that ended a program, without its traceback."""
    at = next((i for i, line in enumerate(lines) if line.startswith("Traceback")), -1)
    raised = (line for line in lines[at + 1 :] if line and not line.startswith(" "))
    return " ".join(next(raised, "").split())[:300]
