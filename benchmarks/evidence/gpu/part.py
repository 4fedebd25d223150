"""The process of one part: ``python -m benchmarks.evidence.gpu.part JOB``, started by ``running``."""

import importlib
import os
import signal
import sys
import traceback

from benchmarks.evidence.gpu import findings
from benchmarks.evidence.gpu.job import Job
from benchmarks.evidence.gpu.parts import PARTS
from benchmarks.records.outcome import outcome_of
from benchmarks.running.signals import Interrupted
from benchmarks.running.supervised import supervise


def main(text: str) -> int:
    """Run the part of a job, and return the exit status; a part that fails adds its reason to the findings."""
    supervise(os.dup(sys.stdin.fileno()))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have told its children to ignore it
    job = Job.from_json(text)
    module = next(part.module for part in PARTS if part.name == job.part)
    try:
        importlib.import_module(f"benchmarks.evidence.gpu.{module}").run(job)
    except (Interrupted, KeyboardInterrupt) as interruption:
        print(f"interrupted: {interruption}", flush=True)
        return 130
    except Exception as error:
        traceback.print_exc()
        findings.append(job.findings, {"part": job.part, "error": outcome_of(error).message})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
