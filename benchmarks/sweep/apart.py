"""A contender in a process of its own, whose turns alternate with those of the contenders of a shared process.

Its process is forked from the round's before anything is computed there. Only one of the processes runs at a time.
"""

import os
import signal
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from benchmarks.measure.python_settings import EXPECTED_CHILDREN
from benchmarks.records.outcome import Outcome, outcome_of
from benchmarks.running.isolated import died
from benchmarks.sweep.contender import Contender


class ApartFailed(Exception):  # noqa: N818
    """A contender in a process of its own that failed there, with its ``outcome``."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


class Apart:
    """A contender that ``make`` makes in a process of its own; the process is forked at once.

    The functions raise ``ApartFailed``. A process that hangs makes its caller hang.
    """

    def __init__(self, make: Callable[[], Contender]) -> None:
        self.connection, theirs = Pipe()
        self.process = os.fork()
        if self.process == 0:
            self.connection.close()  # otherwise this process would not notice that the other one has ended
            try:
                _serve(theirs, make)
            finally:
                os._exit(0)
        theirs.close()
        EXPECTED_CHILDREN.add(self.process)

    def enter(self) -> None:
        self._ask("enter")

    def warm_up(self) -> None:
        self._ask("warm up")

    def turn(self, most: int) -> list[float]:
        return self._ask(most)

    def close(self) -> None:
        if self.process:
            os.kill(self.process, signal.SIGKILL)
            self._end()

    def _ask(self, task: str | int) -> list[float]:
        try:
            self.connection.send(task)
            answer: Outcome | list[float] = self.connection.recv()
        except (EOFError, OSError):
            answer = died(self._end())
        if isinstance(answer, Outcome):
            raise ApartFailed(answer)
        return answer

    def _end(self) -> int:
        """Wait for the end of the process, and return its exit status, or minus the signal that killed it."""
        _, status = os.waitpid(self.process, 0)
        self.connection.close()
        EXPECTED_CHILDREN.discard(self.process)
        self.process = 0
        return os.waitstatus_to_exitcode(status)


def _serve(connection: Connection, make: Callable[[], Contender]) -> None:
    """Enter or warm up when asked to, take a turn of at most n passes when asked for n, and answer the seconds."""
    process = os.getpid()
    contender = make()
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        answer: Outcome | list[float] = []
        try:
            if task == "enter":
                contender.enter()
            elif task == "warm up":
                contender.warm_up()
            else:
                answer = contender.turn(task)
        except Exception as error:
            answer = outcome_of(error)
        if os.getpid() != process:  # the contender forked this process, and the original answers
            return
        connection.send(answer)
