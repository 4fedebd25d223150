"""Counts events of the processor during a function, such as instructions, by Linux's ``perf_event_open``.

Virtual machines and containers often have no such counters; the reason is then said in words.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Callable
from pathlib import Path

# Type and number of an event in linux/perf_event.h. The kernel itself counts the nanoseconds of a thread.
INSTRUCTIONS, TASK_CLOCK = (0, 1), (1, 1)
_SYSTEM_CALL = {"x86_64": 298, "aarch64": 241}
_REASONS = {
    errno.ENOENT: "the machine has no such counter",
    errno.EACCES: "the system lets no user read the counter",
    errno.EPERM: "the system lets no user read the counter",
    errno.ENOSYS: "the system has no counters",
}
# ``struct perf_event_attr``: its size, and the flags that leave out the kernel and the hypervisor.
_SIZE, _USER_ONLY = 112, 1 << 5 | 1 << 6


class NotAvailable(RuntimeError):  # noqa: N818
    """This machine cannot count the event; the message says why."""


def count_events(run: Callable[[], object], event: tuple[int, int] = INSTRUCTIONS) -> int:
    """Return how often an event happened in all threads of this process while ``run`` ran.

    Raises:
        NotAvailable: when the system has no such counter, or does not let this process read it.
    """
    if sys.platform != "linux" or platform.machine() not in _SYSTEM_CALL:
        raise NotAvailable(f"no counters on {sys.platform} {platform.machine()}")
    counters: list[int] = []
    try:
        for thread in Path("/proc/self/task").iterdir():
            counters.append(_open(int(thread.name), event))
        before = sum(map(_read, counters))
        run()
        return sum(map(_read, counters)) - before
    finally:
        for counter in counters:
            os.close(counter)


def _open(thread: int, event: tuple[int, int]) -> int:
    kind, number = event
    fields = struct.pack("=IIQQQQQ", kind, _SIZE, number, 0, 0, 0, _USER_ONLY)
    attributes = ctypes.create_string_buffer(fields.ljust(_SIZE, b"\0"), _SIZE)
    library = ctypes.CDLL(None, use_errno=True)
    counter = int(library.syscall(_SYSTEM_CALL[platform.machine()], attributes, thread, -1, -1, 0))
    if counter < 0:
        reason = _REASONS.get(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        raise NotAvailable(reason)
    return counter


def _read(counter: int) -> int:
    return int.from_bytes(os.read(counter, 8), sys.byteorder)
