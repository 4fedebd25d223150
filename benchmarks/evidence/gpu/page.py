"""The part "page": the report of the records, in one HTML file."""

import subprocess
import sys

from benchmarks.evidence.gpu.job import Job
from benchmarks.evidence.gpu.running import ROOT


def run(job: Job) -> None:
    """Write the page; raise ``RuntimeError`` with the last line of the output if that fails."""
    # A process of its own, because benchmarks does not import reports.
    command = [sys.executable, "-m", "reports", "--results", str(job.results), "--output", str(job.page)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    print(done.stdout, done.stderr, sep="\n")
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1])
    job.note(page=str(job.page), bytes=job.page.stat().st_size)
