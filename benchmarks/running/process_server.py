"""The supervisor of Python's process server (``multiprocessing.forkserver``), which forks the isolated processes.

The server imports this module before all others, while it is small, and so gets a supervisor. ``clear`` tells the
supervisor to kill what ended processes have left behind. All this is on Linux; elsewhere the server has no supervisor.
A server that other code of this process has started is used as it is, without a supervisor, and is never told to clear.
"""

import contextlib
import functools
import multiprocessing.forkserver
import os
import socket
import sys

from benchmarks.running.supervised import CLEAR, supervise

SUPPORTED = sys.platform == "linux"
# The environment variable with the name of the socket whose closing ends the server.
LEASE = "GCNN_BENCHMARKS_LEASE"


def grant_lease() -> None:
    """Let the server that this process starts live as long as this process."""
    if SUPPORTED:
        _foreign_server(os.getpid())
        os.environ[LEASE] = _socket_name(os.getpid())


@functools.cache
def _foreign_server(process: int) -> int | None:
    """Return the number of the server that was there before this process granted its first lease; None for none."""
    return _server()


def _server() -> int | None:
    number: int | None = multiprocessing.forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    return number


@functools.cache
def _socket_name(process: int) -> str:
    """Open a socket until this process ends, and return its name, which the kernel chooses; it needs no file."""
    found = socket.socket(socket.AF_UNIX)
    found.bind("")
    found.listen()
    name: str = found.getsockname().decode()[1:]
    found.detach()  # no object closes it
    return name


def clear() -> None:
    """Let the supervisor of this process's server kill what processes that have ended left behind."""
    server = _server()
    if SUPPORTED and server is not None and server != _foreign_server(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(server, CLEAR)


def _is_server() -> bool:
    return SUPPORTED and any("multiprocessing.forkserver" in word for word in sys.orig_argv)


if _is_server() and LEASE in os.environ:
    _lease = socket.socket(socket.AF_UNIX)
    try:
        _lease.connect(f"\0{os.environ[LEASE]}")  # nobody accepts; the connection ends with the listener
    except OSError:  # the command has ended
        os._exit(1)
    supervise(_lease.detach())
