"""A part in its own process: its time limit holds, and no process of a part outlives the command."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.evidence.gpu.job import Job
from benchmarks.running.supervised import ended

ROOT = Path(__file__).resolve().parents[3]
MODULE = "benchmarks.evidence.gpu.part"
# At the end of its time a part is interrupted, as by Ctrl-C, so that it can store what it has; later it is killed.
GRACE_SECONDS = 3.0


@dataclass(frozen=True)
class Ended:
    """How a part ended: "ok", "failed", "out of time", "stopped" or "skipped", and a reason unless it is ok."""

    status: str
    reason: str = ""


def run_part(job: Job, log: Path, environment: Mapping[str, str], module: str = MODULE) -> Ended:
    """Run a part, and return how it ended; when this returns or raises, all its processes have been killed.

    Args:
        job: settings of the part.
        log: file to which the printed output of the part is appended.
        environment: variables that the part's process gets besides this process's own.
        module: module that runs the part, with the job as its argument.
    """
    command = [sys.executable, "-m", module, job.to_json()]
    with log.open("ab") as output:
        # The pipe that is the part's standard input is the lease of its supervisor: nothing of the part outlives it.
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        status = _wait(process, job.seconds)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        ended(process)
    if status is None:
        return Ended("out of time", f"ended after {job.seconds:.0f} s")
    if status < 0:
        return Ended("failed", f"killed by {signal.Signals(-status).name}")
    return Ended("ok") if status == 0 else Ended("failed", f"exit status {status}")


def _wait(process: "subprocess.Popen[bytes]", seconds: float) -> int | None:
    """Return the exit status of a process; None if it did not end by itself within some seconds."""
    try:
        return process.wait(max(seconds - GRACE_SECONDS, seconds / 2))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(min(GRACE_SECONDS, seconds / 2))
    return None
