"""How long the threads of this process have waited for a core, as the kernel counts it."""

import contextlib
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
        self.refresh()

    def refresh(self) -> None:
        """Count the threads that have started meanwhile, too."""
        with contextlib.suppress(OSError):
            for task in TASKS.iterdir():
                if task.name not in self.files:
                    self.files[task.name] = os.open(task / "schedstat", os.O_RDONLY)

    def seconds(self) -> Waited:
        """Return the waiting times so far; a thread that has ended is not counted any more."""
        main = others = 0.0
        for task, file in list(self.files.items()):
            try:
                waited = int(os.pread(file, 64, 0).split()[1]) / 1e9
            except (OSError, IndexError, ValueError):
                os.close(self.files.pop(task))
                continue
            if task == str(os.getpid()):  # the main thread has the number of the process
                main = waited
            else:
                others += waited
        return Waited(main, others)
