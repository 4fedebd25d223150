"""How long the threads of this process have waited for a core, as the kernel counts it."""

import os
from pathlib import Path

TASKS = Path("/proc/self/task")


class Waiting:
    """Reads the time that this process's threads have spent waiting for a core.

    The kernel counts, for each thread, the nanoseconds in which the thread was ready to run and another thread had the
    core (Linux, ``Documentation/scheduler/sched-stats.rst``). Where there is no such count, the time is always 0.
    """

    def __init__(self) -> None:
        self.files: list[int] = []
        try:
            for task in TASKS.iterdir():
                self.files.append(os.open(task / "schedstat", os.O_RDONLY))
        except OSError:
            self.files.clear()

    def seconds(self) -> float:
        """Return the waiting time, added up over all threads that existed when this object was made."""
        try:
            return sum(int(os.pread(file, 64, 0).split()[1]) for file in self.files) / 1e9
        except (OSError, IndexError, ValueError):  # a thread has ended
            return 0.0
