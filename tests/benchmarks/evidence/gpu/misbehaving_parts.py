"""Parts that fail, hang or leave processes behind; tests run this module as the process of a part."""

import os
import subprocess
import sys
import time

from benchmarks.evidence.gpu.job import Job
from benchmarks.running.supervised import supervise


def main(text: str) -> int:
    """Behave as the name of the job's part says."""
    job = Job.from_json(text)
    supervise(os.dup(sys.stdin.fileno()))
    job.note(said="hello")
    if job.part == "fails":
        raise ValueError("planted")
    if job.part in ("hangs", "leaves"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.DEVNULL)
        job.note(child=child.pid)
        while job.part == "hangs":
            try:
                time.sleep(60)
            except KeyboardInterrupt:
                job.note(said="interrupted, and went on")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
