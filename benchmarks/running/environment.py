"""The environment variables of processes that measure. This module needs only the standard library."""

import os
from pathlib import Path

from benchmarks.cases.peers import AUTHORS_VARIABLE

# A process reads these once, when it starts or imports torch:
# - GOMP_SPINCOUNT: Idle threads that spin for long take the core of another thread. Next to other processes the medians
#   of complete runs then differ by up to 100 %. Threads that sleep at once need 0.15 ms to wake up for every operation:
#   a layer's kernels then took 3.7 ms instead of 0.54 ms. So idle threads spin some ten microseconds before they sleep.
# - GLIBC_TUNABLES: By default glibc returns freed large blocks to the system, and every pass gets new pages, which
#   takes over half of a layer's time at some sizes. With these settings glibc keeps the blocks, for all contenders.
# - KINETO_LOG_LEVEL: The profiler would log two lines for every measured pass.
MEASURING_ENVIRONMENT = {
    "GOMP_SPINCOUNT": "10000",
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967296"
    ":glibc.malloc.top_pad=268435456",
    "KINETO_LOG_LEVEL": "99",
}


def set_measuring_environment() -> None:
    """Set ``MEASURING_ENVIRONMENT`` for the processes that start from now on. Variables that are already set stay."""
    for name, value in MEASURING_ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def set_compiling_environment(folder: str) -> None:
    """Let torch's compiler work in this and new processes as in a measurement, with its cache in a new ``folder``."""
    # The cache is empty, so that code is compiled for the first time even if an earlier run compiled the same code.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", folder)
    # No pool of compiling processes: the pool would start during timed passes, and outlive a killed process.
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")


def use_authors(checkout: Path | None) -> None:
    """Set the variable with the folder of the authors' code, for this and new processes. None changes nothing."""
    if checkout is not None:
        os.environ[AUTHORS_VARIABLE] = str(checkout.resolve())
