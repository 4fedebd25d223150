"""A request of the system to end is answered as Ctrl-C is: the work in progress is given up, and nothing is left."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

# Sent by ``kill``, by batch systems and containers before they kill, and when a terminal is closed.
REQUESTS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interrupted(Exception):  # noqa: N818
    """Raised on Ctrl-C; the message says which results are kept."""


@contextlib.contextmanager
def requests_as_ctrl_c() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` in the main thread at a request to end, or at Ctrl-C. Later requests are ignored.

    They would interrupt the cleaning up; a second Ctrl-C still does. Signals that the caller of the program ignores, as
    ``nohup`` does, stay ignored.
    """
    given = {number: signal.getsignal(number) for number in (signal.SIGINT, *REQUESTS)}
    heard = [number for number, handler in given.items() if handler not in (signal.SIG_IGN, None)]

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        for each in set(REQUESTS) & set(heard):
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in heard:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, given[number])


@contextlib.contextmanager
def first_request_deferred() -> Iterator[None]:
    """Answer the first Ctrl-C or request to end after the block, and the second at once, should the block take long.

    In a thread other than the main one this does nothing, because signals interrupt the main thread alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, *REQUESTS)}
    heard = {number: handler for number, handler in handlers.items() if handler not in (signal.SIG_IGN, None)}
    deferred: list[int] = []

    def restore() -> None:
        for number, handler in heard.items():
            signal.signal(number, handler)

    def defer(number: int, frame: FrameType | None) -> None:
        restore()
        deferred.append(number)

    for number in heard:
        signal.signal(number, defer)
    try:
        yield
    finally:
        restore()
        for number in deferred:
            signal.raise_signal(number)
