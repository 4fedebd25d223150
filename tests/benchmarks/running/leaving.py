"""Functions of isolated processes that start others in many ways; every process notes its number in a folder."""

import ctypes
import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.running.isolated import Report


def note(folder: str) -> None:
    Path(folder, str(os.getpid())).touch()


def numbers(folder: Path) -> list[int]:
    """Return the numbers of the processes that noted theirs."""
    return [int(path.name) for path in folder.iterdir() if path.name.isdigit()]


def alive(number: int) -> bool:
    """Return whether a process runs; one that has ended and is not yet collected counts as dead."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def start_stubborn(folder: str) -> None:
    """Fork a process that ignores requests to end."""
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        note(folder)
        time.sleep(600)
        os._exit(0)


def start_detached(folder: str) -> None:
    """Start a daemon: in a session of its own, without a parent, with another program and an empty environment."""
    if child := os.fork():
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork() == 0:
        note(folder)
        os.execve("/bin/sleep", ["sleep", "600"], {})
    os._exit(0)


def start_both(folder: str) -> None:
    start_stubborn(folder)
    start_detached(folder)
    while len(numbers(Path(folder))) < 2:
        time.sleep(0.01)
    note(folder)


def return_at_once(folder: str, report: Report) -> dict[str, Any]:
    start_both(folder)
    return {}


def exit_at_once(folder: str, report: Report) -> dict[str, Any]:
    start_both(folder)
    os._exit(3)


def crash(folder: str, report: Report) -> dict[str, Any]:
    start_both(folder)
    ctypes.string_at(0)
    return {}


def hold_interpreter(folder: str, report: Report) -> dict[str, Any]:
    """Call a function in C that never lets go of the interpreter, so that no thread of Python runs."""
    start_both(folder)
    ctypes.PyDLL(None).sleep(600)
    return {}


def kill_parents(folder: str, report: Report) -> dict[str, Any]:
    """Kill the process server, or also its supervisor."""
    note(folder)
    server = os.getppid()
    supervisor = int(Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(supervisor if Path(folder, "supervisor").exists() else server, signal.SIGKILL)
    ctypes.PyDLL(None).sleep(600)
    return {}


def kill_group(folder: str, report: Report) -> dict[str, Any]:
    note(folder)
    os.killpg(0, signal.SIGKILL)
    return {}


def come_back_twice(folder: str, report: Report) -> dict[str, Any]:
    """Fork as a layer might, and return in both processes."""
    if os.fork():
        time.sleep(600)
    return {}


def write_into_pipe(folder: str, report: Report) -> dict[str, Any]:
    """Write into the pipe of the messages, as a copy of the process would that sends at the same moment."""
    cells: Any = report.__closure__
    (pipe,) = (cell.cell_contents for cell in cells if isinstance(cell.cell_contents, Connection))
    pipe.send_bytes(b"not one!")
    time.sleep(600)
    return {}
