"""A function call in its own process: a crash, a kill or a lack of memory becomes an ``Outcome``.

Processes are forked from a server that has imported torch but computed nothing. So each starts within milliseconds,
in the same state, and has the environment variables that were set when the server started.

For CUDA this is sound because CUDA does not survive a fork only once it has been initialised. The server is a new
interpreter that imports modules and then waits; no module that it imports asks for a device, so each process
initialises CUDA itself, for the first time. torch notes in a process whether CUDA was asked for anything, even for the
number of devices, and tells the processes that are forked afterwards; such a process refuses to begin. With
``GCNN_BENCHMARKS_SPAWN=1`` each process for CUDA is a new interpreter instead, which starts seconds later.

On Linux the server and each new interpreter have a supervisor (``supervised``), so no process outlives this one, and
none that a function has started outlives the function's process.

Printed output is discarded, except for its end, which is quoted if the process dies.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

from benchmarks.records.outcome import Outcome, outcome_of
from benchmarks.records.printable import escaped
from benchmarks.running.process_server import SUPPORTED, clear, grant_lease
from benchmarks.running.signals import first_request_deferred
from benchmarks.running.supervised import END_SECONDS, die_with_parent, supervise

# Bytes of printed output: the most that is read at once, and the most that is kept.
OUTPUT_CHUNK = 65536
OUTPUT_TAIL = 200
# Seconds between two attempts to start a process.
PAUSE = 0.01
SPAWN = "GCNN_BENCHMARKS_SPAWN"
MAIN = "__main__"
COPIED = Outcome("failed", "the process was forked by the code that it measured, and the copy came back from there", {})
Report = Callable[[dict[str, Any]], None]
_HIDING = threading.Lock()  # studies start processes in several threads


def run_isolated(
    function: Callable[[Any, Report], dict[str, Any]],
    argument: Any,
    *,
    device: str,
    preload: str,
    timeout: float,
    report: Report = lambda fields: None,
) -> Outcome:
    """Call ``function(argument, report)`` in its own process, and end it and its descendants before returning.

    Args:
        function: a function that can be imported by name, with a result that can be pickled. The process imports the
            main module of this one only if the function is defined there.
        argument: any value that can be pickled.
        device: "cpu" or "cuda", the device of the computation.
        preload: the module that the process server imports beforehand.
        timeout: seconds without a report or a result after which the process is killed.
        report: called in this process with every report of the function.
    """
    context = _context(device, preload)
    receiver, sender = context.Pipe(duplex=False)
    printed, printer = context.Pipe(duplex=False)
    lease, lent = context.Pipe(duplex=False)
    spawned = context.get_start_method() == "spawn"
    arguments = lease if spawned else None, sender, printer, device, function, argument
    process = context.Process(target=_child, args=arguments, daemon=True)  # type: ignore[attr-defined]
    with lent, receiver, printed:
        try:
            with lease, sender, printer, _main_module(shown=function.__module__ == MAIN):
                _start(process)
            outcome = _follow(process, receiver, printed, timeout, report)
        finally:
            lent.close()
            ended = _end(process, spawned)
    left = "" if ended else "; the process cannot be killed and keeps its device and memory"
    return outcome._replace(message=outcome.message + left)


@contextlib.contextmanager
def _main_module(*, shown: bool) -> Iterator[None]:
    """Show this process's main module to a process that starts, which imports what it is shown, or hide it.

    To import it takes most of a second for some commands, and runs a user's script again.
    """
    with _HIDING:
        main = sys.modules[MAIN]
        sys.modules[MAIN] = main if shown else ModuleType(MAIN)
        try:
            yield
        finally:
            sys.modules[MAIN] = main


def _start(process: BaseProcess) -> None:
    """Start a process, from a new server if the last one has just died: its supervisor then ends within a moment.

    Ctrl-C has to wait until the server has the whole request; it would print a traceback about half of one.
    """
    deadline = time.monotonic() + END_SECONDS
    while True:
        try:
            with first_request_deferred():
                return process.start()
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)


def _follow(process: BaseProcess, receiver: Connection, printed: Connection, timeout: float, report: Report) -> Outcome:
    """Pass the function's reports on until there is an outcome: the function's own, or that of its process."""
    tail = b""
    deadline = time.monotonic() + timeout
    listening: list[Connection | int] = [receiver, printed, process.sentinel]
    while ready := wait(listening, max(deadline - time.monotonic(), 0)):  # a closed pipe counts as ready
        if printed in ready:
            chunk = os.read(printed.fileno(), OUTPUT_CHUNK)
            tail = (tail + chunk)[-OUTPUT_TAIL:]
            if not chunk:
                listening.remove(printed)
        if receiver in ready:
            try:
                message = receiver.recv()
            except (EOFError, OSError):  # the process died before its result was complete
                process.join(END_SECONDS)
                return died(process.exitcode, tail)
            except Exception as error:  # it ran code that wrote into the pipe
                return outcome_of(error)
            if isinstance(message, Outcome):
                return message
            report(message)
            deadline = time.monotonic() + timeout
        elif process.sentinel in ready:  # a process that it left has the other end of its pipe
            return died(process.exitcode, tail)
        elif time.monotonic() > deadline:  # the function prints without end
            break
    return Outcome("timeout", f"no result within {timeout:g} s", {})


def _end(process: BaseProcess, spawned: bool) -> bool:
    """End a process and what it has started, wait ``END_SECONDS`` at most, and return whether the process has ended."""
    if process.pid is None:  # it was not started
        return True
    if not spawned:
        process.kill()
    process.join(END_SECONDS)
    if not spawned:
        clear()
    if process.is_alive():
        process.kill()  # the supervisor may have been stopped; without it, the kernel kills the process
        multiprocessing.process._children.discard(process)  # type: ignore[attr-defined]  # at exit Python waits for these
        return False
    return True


def _context(device: str, preload: str) -> BaseContext:
    if device == "cuda" and os.environ.get(SPAWN) == "1":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.running.process_server", preload])
    grant_lease()
    return context


def _child(
    lease: Connection | None,
    sender: Connection,
    printer: Connection,
    device: str,
    function: Callable[[Any, Report], dict[str, Any]],
    argument: Any,
) -> None:
    if lease is not None:
        supervise(os.dup(lease.fileno()))
        lease.close()
    elif SUPPORTED:  # the server has a supervisor
        os.setsid()
        die_with_parent()
    else:
        threading.Thread(target=_die_with_parent, daemon=True).start()
    own = os.getpid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ignore Ctrl-C: the parent ends this process
    for stream in (1, 2):  # file descriptors, because C++ code writes to them directly
        os.dup2(printer.fileno(), stream)
    printer.close()

    def send(message: dict[str, Any] | Outcome) -> None:
        if os.getpid() != own:
            sender.send(COPIED)
            os._exit(1)
        sender.send(message)

    try:
        if device == "cuda":
            _check_fork()
        outcome = Outcome("ok", "", function(argument, send))
    except Exception as error:
        outcome = outcome_of(error)
    send(outcome)


def _check_fork() -> None:
    """Raise ``RuntimeError`` if this process was forked from one that had asked for a CUDA device."""
    import torch  # late: the process server has imported it, or this process needs it

    if torch.cuda._is_in_bad_fork():
        raise RuntimeError(f"the process server has used CUDA, so no process of it can; allowed: {SPAWN}=1")


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def died(exitcode: int | None, tail: bytes = b"") -> Outcome:
    """Return the outcome of a process that ended without a result; ``tail`` is the end of what it printed."""
    words = escaped(" ".join(tail.decode(errors="replace").split()))
    quoted = f"; its last output: {words}" if words else ""
    if exitcode is not None and exitcode < 0:
        hint = " (often: out of memory)" if -exitcode == signal.SIGKILL else ""
        return Outcome("killed", f"killed by {signal.Signals(-exitcode).name}{hint}{quoted}", {})
    ended = "closed its connection" if exitcode is None else f"exited with status {exitcode} and no result"
    return Outcome("failed", f"{ended}{quoted}", {})
