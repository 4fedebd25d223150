"""The server of ``commits``: a process that measures one commit's ``gcnn_impl``."""

import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.running.environment import set_measuring_environment
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.sweep.processes import ROUND_MODULE
from benchmarks.sweep.rounds import take_round
from benchmarks.sweep.tasks import Round

PACKAGE = "gcnn_impl"


class Server:
    """A process in a ``workplace`` that checks cases and measures rounds. Close it after use, or use it in ``with``.

    Raises:
        RuntimeError: when the process would measure another package than the workplace's, or has died.
    """

    def __init__(self, place: Path, timeout: float) -> None:
        set_measuring_environment()
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"from benchmarks.comparing.server import serve; serve({timeout})"],
            cwd=place,
            # A user's own layers are imported from the folder in which the command was given.
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C does not reach the process; ``close`` ends it
        )
        try:
            origin = self.ask(None)
            if origin != str(place / PACKAGE / "__init__.py"):
                raise RuntimeError(f"{origin} would be measured instead of {place / PACKAGE}; uninstall it")
        except BaseException:
            self.close()
            raise

    def ask(self, task: "Round | Case | None") -> Any:
        """Return a ``Taken`` for a round, an ``Outcome`` for a case to check, or the package's path for None."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            pickle.dump(task, self.process.stdin)
            self.process.stdin.flush()
            return pickle.load(self.process.stdout)
        except (EOFError, BrokenPipeError) as error:
            raise RuntimeError(f"a measuring server died with status {self.process.wait()}") from error

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, and with it the processes that it forked."""
        self.process.kill()
        self.process.communicate()


def check(case: Case, report: Report) -> dict[str, Any]:
    """Check the output of a case, in its own process; raise ``InvalidResult`` if it is wrong."""
    from benchmarks.measure.correctness import check_output
    from benchmarks.workloads.build import build_workload, configure

    configure(case)
    return {"equivariance_error": check_output(build_workload(case))}


def serve(timeout: float) -> None:
    """Answer the tasks that ``Server.ask`` sends, until the parent closes the pipe."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # printed output does not mix with the answers
    while True:
        try:
            task = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        if isinstance(task, Round):
            answer: Any = take_round(task, timeout)
        elif isinstance(task, Case):
            answer = run_isolated(check, task, device=task.device, preload=ROUND_MODULE, timeout=timeout)
        else:
            spec = importlib.util.find_spec(PACKAGE)
            answer = spec and spec.origin
        pickle.dump(answer, answers)
        answers.flush()
