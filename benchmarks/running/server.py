"""A fresh process that measures with one commit's ``gcnn_impl``; ``served`` is the loop that runs in it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from benchmarks.records.outcome import Outcome
from benchmarks.running.environment import set_measuring_environment
from benchmarks.running.isolated import OUTPUT_TAIL
from benchmarks.running.served import PACKAGE
from benchmarks.running.supervised import ended

# Seconds that a process may take to start: importing torch takes three seconds on an idle machine.
START_TIMEOUT = 300.0


# The line of a traceback that names the error, as in "ModuleNotFoundError: No module named 'x'".
ERROR_LINE = re.compile(r"[A-Z_a-z][\w.]*(: .*)?")


class DoesNotStart(RuntimeError):  # noqa: N818
    """Raised when a process does not start: which side's it is, and why."""

    def __init__(self, side: str, why: str) -> None:
        super().__init__(f"{side} {why}")
        self.side, self.why = side, why


class Server:
    """A new interpreter in a ``workplace``. Close it after use, or use it in ``with``.

    Every process has its own random memory layout, which makes the same code faster or slower by a percent or so. A
    process that is forked shares the layout of its parent, so each pair of processes is started anew.

    The constructor only starts the process, so that two processes can start at the same time; call ``check`` next.

    Args:
        place: the ``workplace``.
        timeout: seconds after which a task has failed.
        module: the name of the module whose class ``Answers`` answers the tasks in the process.
    """

    def __init__(self, place: Path, timeout: float, module: str) -> None:
        set_measuring_environment()
        self.place, self.timeout = place, timeout
        self.connection, theirs = Pipe()
        lease, self.lent = Pipe(duplex=False)
        self.printed = tempfile.TemporaryFile()  # noqa: SIM115  closed by ``close``
        descriptors = theirs.fileno(), lease.fileno()
        program = f"from benchmarks.running.served import serve; serve(*{descriptors}, {module!r})"
        # The workplace comes first, because PYTHONSAFEPATH, which ``gcnn-bench`` sets, keeps it from being searched as
        # the current folder. A user's own layers are imported from the folder in which the command was given, or from
        # the user's PYTHONPATH. Code is compiled in the process that runs it: a pool of compiling processes would
        # outlive the process.
        paths = os.pathsep.join([str(place), str(Path.cwd()), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        variables = {**os.environ, "PYTHONPATH": paths, "TORCHINDUCTOR_COMPILE_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=place,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=self.printed,
            stderr=self.printed,
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl-C does not reach the process; ``close`` ends it
        )
        theirs.close()
        lease.close()

    def check(self, side: str) -> None:
        """Wait until the process is ready.

        Args:
            side: whose process it is, for the message.

        Raises:
            DoesNotStart: when the process does not start, because the package cannot be imported, say.
            RuntimeError: when the process would measure another package than the workplace's.
        """
        origin = self.ask(None, START_TIMEOUT)
        if isinstance(origin, Outcome):
            if error := self._import_error():
                why = "; perhaps this suite needs what the commit lacks" if error.startswith("ImportError") else ""
                raise DoesNotStart(side, f"does not import: {error}{why}")
            raise DoesNotStart(side, f"does not start: {origin.message}")
        if origin != str(self.place / PACKAGE / "__init__.py"):
            raise RuntimeError(f"{origin} would be measured instead of {self.place / PACKAGE}; uninstall it")

    def ask(self, task: Any, timeout: float | None = None) -> Any:
        """Return the process's answer; an ``Outcome`` if the task failed, took too long or ended the process."""
        allowed = self.timeout if timeout is None else timeout
        try:
            self.connection.send(task)
            if not self.connection.poll(allowed):
                self._end()
                return Outcome("timeout", f"no answer within {allowed:g} s", {})
            return self.connection.recv()
        except (EOFError, OSError):
            status = self._end()
            how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
            return Outcome("killed", f"{how}{self._last_words()}", {})

    def _last_words(self) -> str:
        self.printed.seek(0)
        words = " ".join(self.printed.read().decode(errors="replace").split())
        return f"; its last output: {words[-OUTPUT_TAIL:]}" if words else ""

    def _import_error(self) -> str:
        """Return the line of a printed traceback that names the error; empty if there is none."""
        self.printed.seek(0)
        _, traceback, lines = (
            self.printed.read().decode(errors="replace").rpartition("Traceback (most recent call last)")
        )
        errors = [line for line in lines.splitlines()[1:] if ERROR_LINE.fullmatch(line)]
        return errors[0] if traceback and errors else ""

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end(self) -> int:
        """End the process and its descendants, by closing the supervisor's lease; return the exit status."""
        self.lent.close()
        return ended(self.process)

    def close(self) -> None:
        """End the process and its descendants."""
        self._end()
        self.connection.close()
        self.printed.close()
