"""A function call in its own process: a crash, a kill or a lack of memory becomes an ``Outcome``.

Processes are forked from a server that has imported torch but computed nothing. So each starts within milliseconds,
in the same state. CUDA does not survive a fork, but the server never opens it: a process for CUDA opens it by itself.
With ``GCNN_NEW_INTERPRETERS=1`` each process for CUDA is a new interpreter, which takes five seconds more.

Printed output is discarded, except for its end, which is quoted if the process dies.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from typing import Any

from benchmarks.records.outcome import Outcome, outcome_of

# Bytes of printed output: the most that is read at once, and the most that is kept.
OUTPUT_CHUNK = 65536
OUTPUT_TAIL = 200
NEW_INTERPRETERS = "GCNN_NEW_INTERPRETERS"
Report = Callable[[dict[str, Any]], None]


def run_isolated(
    function: Callable[[Any, Report], dict[str, Any]],
    argument: Any,
    *,
    device: str,
    preload: str,
    timeout: float,
    report: Report = lambda fields: None,
) -> Outcome:
    """Call ``function(argument, report)`` in its own process, and end this process before returning or raising.

    Args:
        function: a function that can be imported by name, with a result that can be pickled.
        argument: any value that can be pickled.
        device: "cpu" or "cuda", the device of the computation.
        preload: the module that the process server imports beforehand.
        timeout: seconds without a report or a result after which the process is killed.
        report: called in this process with every report of the function.
    """
    context = _context(device, preload)
    receiver, sender = context.Pipe(duplex=False)
    printed, printer = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, printer, function, argument), daemon=True)  # type: ignore[attr-defined]
    process.start()
    sender.close()
    printer.close()
    tail = b""
    deadline = time.monotonic() + timeout
    listening = [receiver, printed]
    try:
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
                    process.join()
                    return _died(process.exitcode, tail)
                if isinstance(message, Outcome):
                    return message
                report(message)
                deadline = time.monotonic() + timeout
            elif time.monotonic() > deadline:  # the function prints without end
                break
        return Outcome("timeout", f"no result within {timeout:g} s", {})
    finally:
        process.kill()
        process.join()
        receiver.close()
        printed.close()


def _context(device: str, preload: str) -> BaseContext:
    if device == "cuda" and os.environ.get(NEW_INTERPRETERS) == "1":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([preload])
    return context


def _child(
    sender: Connection, printer: Connection, function: Callable[[Any, Report], dict[str, Any]], argument: Any
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ignore Ctrl-C: the parent ends this process
    for stream in (1, 2):  # file descriptors, because C++ code writes to them directly
        os.dup2(printer.fileno(), stream)
    printer.close()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        outcome = Outcome("ok", "", function(argument, sender.send))
    except Exception as error:
        outcome = outcome_of(error)
    sender.send(outcome)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _died(exitcode: int | None, tail: bytes) -> Outcome:
    words = " ".join(tail.decode(errors="replace").split())
    quoted = f"; its last output: {words}" if words else ""
    if exitcode is not None and exitcode < 0:
        hint = " (often: out of memory)" if -exitcode == signal.SIGKILL else ""
        return Outcome("killed", f"killed by {signal.Signals(-exitcode).name}{hint}{quoted}", {})
    return Outcome("failed", f"exited with status {exitcode} and no result{quoted}", {})
