"""A supervisor above a process: nothing that the process starts outlives it, or the command that wants its work.

``supervise`` splits a process in two. The new child, the worker, goes on with the work. The process itself becomes the
supervisor, which only waits: until the worker has ended, or until the command has closed the lease, an end of a pipe or
a socket. The kernel closes it when the command dies, also by a kill -9. Then the supervisor kills all descendants, and
ends as the worker did. No user's code runs in the supervisor, so none can hold it up: neither code that never lets go
of Python's interpreter nor code that ignores signals.

On Linux the supervisor adopts the descendants whose parents have ended, so it also finds those in sessions of their own
(prctl(2), PR_SET_CHILD_SUBREAPER), and the kernel kills the worker should the supervisor itself be killed
(PR_SET_PDEATHSIG). Elsewhere descendants outside of the worker's group of processes are not found.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
# These signals ask the supervisor to end everything, and to end what processes that have ended left behind. Ctrl-C is
# passed on to the worker.
REQUESTS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
CLEAR = signal.SIGUSR1
HANDLED = (signal.SIGCHLD, signal.SIGINT, CLEAR, *REQUESTS)
# Seconds in which all processes of a work end. One that waits for a driver inside the kernel does not end; it is left
# behind, because waiting for it would stop everything.
END_SECONDS = 20.0
# Seconds between two attempts to kill all descendants; they double from the first to the last number.
PAUSES = (0.001, 0.5)


def supervise(lease: int) -> None:
    """Return in a new child of this process, which leads a session; this process becomes its supervisor.

    Call it in a small process with one thread, before other code runs.

    Args:
        lease: descriptor that can be read from when the other end is closed. All processes of the work end then.
    """
    given = {number: signal.getsignal(number) for number in HANDLED}
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    for number in HANDLED:
        signal.signal(number, _ignore)
    supervisor = os.getpid()
    worker = os.fork()
    if worker:
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        with contextlib.suppress(OSError):  # it leads a session already
            os.setsid()
        _close_others(lease, wake, woken)
        _end_as(_wait_and_end(worker, lease, wake))
    signal.set_wakeup_fd(-1)
    for number, handler in given.items():
        signal.signal(number, signal.SIG_DFL if handler is None else handler)
    for descriptor in (lease, wake, woken):
        os.close(descriptor)
    os.setsid()
    die_with_parent()
    if os.getppid() != supervisor:  # it died before the kernel was asked
        os._exit(1)


def die_with_parent() -> None:
    """Ask the kernel, on Linux, to kill this process when its parent dies."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def ended(process: "subprocess.Popen[Any]") -> int:
    """Return the exit status of a supervisor whose lease has been closed, after ``END_SECONDS`` at most."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(END_SECONDS)
    process.kill()  # it may have been stopped; without it, the kernel kills the worker
    return process.wait()


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing: the number of the signal arrives in the pipe that wakes the supervisor."""


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _close_others(*kept: int) -> None:
    """Close all descriptors but standard ones and those ``kept``: a reader waits until no process has the other end."""
    for number in [int(path.name) for path in Path("/dev/fd").iterdir()]:
        if number > 2 and number not in kept:
            with contextlib.suppress(OSError):  # the descriptor that listed the folder
                os.close(number)


def _wait_and_end(worker: int, lease: int, wake: int) -> int:
    """Wait until the worker has ended or is to end, kill all descendants, and return the worker's wait status."""
    found: dict[int, int] = {}
    poll = select.poll()
    poll.register(lease, select.POLLIN)
    poll.register(wake, select.POLLIN)
    wanted = True
    while wanted and _collect(found) and worker not in found:
        ready = dict(poll.poll())
        signals = os.read(wake, 4096) if wake in ready else b""
        if signal.SIGINT in signals:
            _kill(os.kill, worker, signal.SIGINT)
        if CLEAR in signals:
            _clear(worker, found)
        wanted = lease not in ready and not set(signals) & set(REQUESTS)
    if worker not in found:  # else its number may have another owner
        _kill(os.kill, worker, signal.SIGKILL)
    _kill(os.killpg, worker, signal.SIGKILL)
    pause = PAUSES[0]
    while _collect(found):
        for process in descendants(os.getpid()):
            _kill(os.kill, process, signal.SIGKILL)
        time.sleep(pause)
        pause = min(2 * pause, PAUSES[1])
    return found[worker]


def _clear(worker: int, found: dict[int, int]) -> None:
    """Kill the adopted processes and their descendants, until there are none."""
    pause = PAUSES[0]
    while (adopted := [one for one in _children() if one != worker]) and pause < PAUSES[1]:
        for one in adopted:
            for process in (one, *descendants(one)):
                _kill(os.kill, process, signal.SIGKILL)
        time.sleep(pause)
        pause = 2 * pause
        _collect(found)


def _children() -> list[int]:
    """Return the numbers of this process's children, on Linux; the kernel may have a list."""
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    return _by_parent().get(os.getpid(), [])


def _collect(found: dict[int, int]) -> bool:
    """Add the wait statuses of children that have ended, and return whether there are others."""
    try:
        while True:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                return True
            found[process] = status
    except ChildProcessError:
        return False


def descendants(ancestor: int) -> list[int]:
    """Return the numbers of all processes below a process, on Linux."""
    children = _by_parent()
    below = list(children.get(ancestor, ()))
    for process in below:
        below += children.get(process, ())
    return below


def _by_parent() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):  # the process has ended meanwhile
            parent = int(path.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.parent.name))
    return children


def _kill(kill: Callable[[int, int], None], number: int, sent: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        kill(number, sent)


def _end_as(status: int) -> None:
    """End this process as the one with this wait status ended: with its exit status, or by its signal."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the worker has left its core dump already
        with contextlib.suppress(OSError):  # SIGKILL has no handler
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
