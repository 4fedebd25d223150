"""How long the threads of this process have waited for a core, as the kernel counts it."""

import os
from pathlib import Path
from typing import NamedTuple

TASKS = Path("/proc/self/task")


class Waited(NamedTuple):
    """Seconds of waiting: of the main thread, and of all other threads added up."""

    main: float
    others: float


class Waiting:
    """Reads the time that this process's threads have spent waiting for a core.

    The kernel counts, for each thread, the nanoseconds in which the thread was ready to run and another thread had the
    core (Linux, ``Documentation/scheduler/sched-stats.rst``). Where there is no such count, the time is always 0.
    """

    def __init__(self) -> None:
        self.files: dict[str, int] = {}
        try:
            for task in TASKS.iterdir():
                self.files[task.name] = os.open(task / "schedstat", os.O_RDONLY)
        except OSError:
            self.files.clear()

    def seconds(self) -> Waited:
        """Return the waiting times of the threads that existed when this object was made."""
        main = str(os.getpid())  # the main thread has the number of the process
        try:
            found = {task: int(os.pread(file, 64, 0).split()[1]) / 1e9 for task, file in self.files.items()}
        except (OSError, IndexError, ValueError):  # a thread has ended
            return Waited(0.0, 0.0)
        own = found.pop(main, 0.0)
        return Waited(own, sum(found.values()))
