"""One core for processes that take turns.

Another program, or another virtual machine on the same host, can slow one core for as long as the turns last. If A ran
on this core and B on another one, B would look faster.
"""

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.cases.case import Case

STAT = Path("/proc/stat")
# How long the cores are watched, and how many hundredths of a second of idleness make no difference.
WATCH_SECONDS, TOLERANCE = 0.1, 2


def share_a_core(processes: Iterable[int], cases: Iterable[Case], number: int) -> None:
    """Bind the main threads of these processes to one core, a quiet one, if all cases have one thread on the CPU.

    Nothing happens where the system binds no process to a core. Call this before the processes start other processes
    or threads, which are then bound as well.

    Args:
        processes: the numbers of the processes, which never compute at the same time.
        cases: all that the processes will measure.
        number: number of the pair or round. Where several cores are quiet, they take turns from number to number.
    """
    alone = all((case.device, case.threads) == ("cpu", 1) for case in cases)
    core = quiet_core(number) if alone else None
    if core is not None:
        for process in processes:
            with contextlib.suppress(OSError):  # a process that has died is noticed by the next question
                os.sched_setaffinity(process, {core})


def quiet_core(number: int) -> int | None:
    """Return one of the cores that did least for a moment, or None where the system does not say."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    before = idleness(STAT)
    time.sleep(WATCH_SECONDS)
    after = idleness(STAT)
    known = sorted(os.sched_getaffinity(0) & before.keys() & after.keys())
    idle = {core: after[core] - before[core] for core in known}
    quiet = [core for core in known if idle[core] >= max(idle.values()) - TOLERANCE]
    return quiet[number % len(quiet)] if quiet else None


def idleness(stat: Path) -> dict[int, int]:
    """Return how long each core has been idle or has waited for a disk, in hundredths of a second.

    ``stat`` is a file as the manual page proc_stat(5) describes it; without it, the result is empty.
    """
    found = {}
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in stat.read_text().splitlines():
            name, *ticks = line.split()
            if name.startswith("cpu") and name != "cpu":
                found[int(name.removeprefix("cpu"))] = int(ticks[3]) + int(ticks[4])
    return found
