"""The environment variables that processes need in which something is measured. The standard library is enough."""

import os
from pathlib import Path

from benchmarks.cases.peers import AUTHORS_VARIABLE

# Read once, when a process starts or imports torch:
# - Idle threads that spin for long take the core that another one works on: beside other processes, medians of complete
#   runs then differ by up to 100 %. Threads that go to sleep at once take 0.15 ms to wake up for every operation, which
#   made generating the kernels of a layer on two threads seven times slower (3.7 ms, not 0.54). So they spin for some
#   ten microseconds first, and sleep then.
# - By default glibc gives large blocks back to the system as soon as they are freed, and every pass pays for fresh
#   pages: more than half of a layer's time at some sizes. With these settings it keeps them, for every contender alike.
# - The profiler's log is two lines for every measured pass.
MEASURING_ENVIRONMENT = {
    "GOMP_SPINCOUNT": "10000",
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967296"
    ":glibc.malloc.top_pad=268435456",
    "KINETO_LOG_LEVEL": "99",
}


def set_measuring_environment() -> None:
    """Set ``MEASURING_ENVIRONMENT`` for the processes that start from here on; what is set already stays."""
    for name, value in MEASURING_ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def use_authors(checkout: Path | None) -> None:
    """Tell the processes that measure, which inherit the environment, where the authors' code is."""
    if checkout is not None:
        os.environ[AUTHORS_VARIABLE] = str(checkout.resolve())
