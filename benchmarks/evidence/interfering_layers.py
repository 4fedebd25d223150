"""Layers that change the process in which they run, each in another way; ``isolation`` and tests measure others next to
them.

Each computes a separable convolution of ours and then does something to its process. To add a way, add a line to
``WAYS``: the name of the layer's class, what it does, and the beginning of what the message says.
"""

import gc
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from gcnn_impl import SeparableGroupConv2d


class Slow(TorchDispatchMode):
    """A mode that every operator of torch passes through."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


def slow_operators() -> None:
    """Let every operator pass through Python."""
    Slow().__enter__()  # type: ignore[no-untyped-call]


def burn() -> None:
    """Keep a core and the interpreter busy until the process ends."""
    while True:
        pass


def slow_clock() -> None:
    """Let the clock show a tenth of the time that has passed."""
    clock = time.perf_counter
    time.perf_counter = lambda: clock() / 10


def slow_convolution() -> None:
    """Exchange torch's convolution for a slower one."""
    convolution = nn.functional.conv2d

    def twice(*args: Any, **kwargs: Any) -> Tensor:
        convolution(*args, **kwargs)
        return convolution(*args, **kwargs)

    nn.functional.conv2d = twice


def trace(frame: Any, event: str, argument: Any) -> Any:
    """Do nothing at every event."""
    return trace


def draw() -> None:
    """Draw from every generator, as dropout and augmentations do; this is no fault."""
    torch.rand(1), np.random.rand(1), random.random()  # noqa: NPY002


WAYS: dict[str, tuple[Callable[[], object], str]] = {
    "Threads": (lambda: torch.set_num_threads(1 + torch.get_num_threads()), "torch.get_num_threads() from "),
    "DefaultDtype": (lambda: torch.set_default_dtype(torch.float64), "torch.get_default_dtype() from torch.float32 to"),
    "DefaultDevice": (lambda: torch.set_default_device("cpu"), "torch's default device from None to cpu"),
    "Autocast": (lambda: torch.set_autocast_enabled("cpu", True), "autocast (cpu: (False, torch.bfloat16) to (True,"),
    "AutocastLeftOpen": (lambda: torch.autocast("cpu").__enter__(), "autocast (cpu: "),
    "GradMode": (lambda: torch._C._set_grad_enabled(False), "torch.is_grad_enabled() from"),
    "Denormals": (lambda: torch.set_flush_denormal(True), "whether denormal numbers are flushed from False to True"),
    "Mkldnn": (lambda: torch._C._set_mkldnn_enabled(False), "torch.backends.mkldnn.enabled from True to False"),
    "MatmulPrecision": (
        lambda: torch.set_float32_matmul_precision("medium"),
        "torch.get_float32_matmul_precision() from highest to medium",
    ),
    "Deterministic": (lambda: torch.use_deterministic_algorithms(True), "torch's deterministic mode"),
    "Anomaly": (lambda: torch.autograd.set_detect_anomaly(True), "autograd's anomaly mode"),
    "Hook": (
        lambda: nn.modules.module.register_module_forward_hook(lambda *_: None),
        "torch's global hooks (_global_forward_hooks",
    ),
    "DispatchMode": (slow_operators, "the numbers of torch's function modes and dispatch modes from"),
    "Seed": (lambda: torch.manual_seed(1234), "torch.initial_seed() from "),
    "Clock": (slow_clock, "the module time (perf_counter: "),
    "Convolution": (slow_convolution, "the module torch.nn.functional (conv2d: "),
    "Trace": (lambda: sys.settrace(trace), "sys.gettrace() from"),
    "Environment": (lambda: os.environ.update(KMP_BLOCKTIME="7"), "os.environ (KMP_BLOCKTIME: None to 7)"),
    "Signal": (lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN), "the signal handlers (10: 0 to "),
    "Alarm": (lambda: signal.setitimer(signal.ITIMER_REAL, 3600.0), "the running interval timers from (False,"),
    "Folder": (lambda: os.chdir("/"), "the working directory from "),
    "Mask": (lambda: os.umask(0o077), "the umask from "),
    "Limit": (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200)), "the resource limits (RLIMIT_NOFILE"),
    "Affinity": (lambda: os.sched_setaffinity(0, {max(os.sched_getaffinity(0))}), "os.sched_getaffinity() from 0, "),
    "Nice": (lambda: os.nice(1), "the nice value from "),
    "Collector": (gc.disable, "gc.isenabled() from True to False"),
    "SwitchInterval": (lambda: sys.setswitchinterval(1e-6), "sys.getswitchinterval() from 0.005 to "),
    "BusyThread": (lambda: threading.Thread(target=burn, daemon=True).start(), "the number of Python's threads from"),
    "BusyChild": (
        lambda: subprocess.Popen([sys.executable, "-c", "while True: pass"]),
        "the child processes from none to ",
    ),
}


class Interfering(SeparableGroupConv2d):
    """A layer that does something to its process after every forward."""

    interfere: Callable[[], object]

    def forward(self, x: Tensor, in_elements: Tensor | None = None, out_elements: Tensor | None = None) -> Tensor:
        y = super().forward(x, in_elements, out_elements)
        type(self).interfere()
        return y


class Draws(Interfering):
    """A layer that draws random numbers, which is no fault."""

    interfere = draw


class Late(Interfering):
    """A layer that changes its process only after many passes, while it is timed in turns with others."""

    passes = 0

    @staticmethod
    def interfere() -> None:
        Late.passes += 1
        if Late.passes > 40:
            torch.set_num_threads(1 + torch.get_num_threads())


for name, (act, _) in WAYS.items():
    globals()[name] = type(name, (Interfering,), {"interfere": staticmethod(act), "__module__": __name__})
