"""``python -m benchmarks.evidence.gpu --out DIR``: all parts in less than eight minutes, and one table at the end."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from benchmarks.evidence.gpu import findings, told
from benchmarks.evidence.gpu.job import DEVICES, SCALES, Job
from benchmarks.evidence.gpu.parts import PARTS, TOTAL_SECONDS, Part, allowed_seconds, environment
from benchmarks.evidence.gpu.running import Ended, run_part
from benchmarks.records.durable import write_whole
from benchmarks.running.devices import find_gpu

EPILOG = """\
DIR gets findings.jsonl (a line for each finding), results/ and results-triton/ (records), report.html, summary.json and
parts.log. Whatever ends the command, they have all that was found until then. A repeated command measures what is
missing in DIR. The exit status is 0 even if parts fail, which the table names; 2 for a wrong call; 143 after SIGTERM.
"""


STOPS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Stopped(Exception):  # noqa: N818
    """The command was asked to stop by a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; exit with status 2 for a wrong call."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.evidence.gpu",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of all results")
    parser.add_argument("--device", choices=DEVICES, default="cuda", help="(default: cuda)")
    parser.add_argument("--scale", choices=SCALES, default="full", help="smoke: sizes for a processor (default: full)")
    names = [part.name for part in PARTS]
    parser.add_argument("--parts", nargs="+", choices=names, default=names, metavar="PART", help=", ".join(names))
    text = "time of all parts together (default: %(default)g)"
    parser.add_argument("--seconds", type=float, default=TOTAL_SECONDS, metavar="X", help=text)
    text = "folder with the images of MNIST (default: train on the digits of scikit-learn)"
    parser.add_argument("--data-root", type=Path, metavar="DIR", help=text)
    args = parser.parse_args(argv)
    if not 0 < args.seconds < float("inf"):
        parser.error(f"--seconds {args.seconds} is not allowed; allowed: positive numbers")
    if args.data_root is not None and not args.data_root.is_dir():
        parser.error(f"--data-root {args.data_root} is not a folder")
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out {args.out} cannot be made: {error.strerror}")
    if args.device == "cuda":
        gpu = find_gpu()
        if gpu is None or gpu.fault:
            what = "is not there" if gpu is None else f"cannot be used ({gpu.fault})"
            parser.error(f"--device cuda {what}; allowed on this machine: cpu")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Run the parts, print the table, and return the exit status."""
    args = arguments(argv)
    end, status = time.monotonic() + args.seconds, 0
    out, root = args.out.resolve(), args.data_root and args.data_root.resolve()
    chosen = [part for part in PARTS if part.name in args.parts]
    jobs = [Job(part.name, out, args.device, args.scale, part.seconds, root) for part in chosen]
    for number in STOPS:
        signal.signal(number, _stop)
    try:
        for place, (part, job) in enumerate(zip(chosen, jobs, strict=True)):
            seconds = allowed_seconds(part, end - time.monotonic(), chosen[place + 1 :])
            run_and_note(part, replace(job, seconds=seconds))
            write_summary(jobs)
    except Stopped as stopped:
        status = stopped.status
        print(f"stopped by {stopped}", flush=True)
    write_summary(jobs)
    print(*told.table(jobs), sep="\n", flush=True)
    return status


def run_and_note(part: Part, job: Job) -> None:
    """Run a part, and add its beginning and its end to the findings."""
    began = time.monotonic()
    if not job.seconds:
        findings.append(job.findings, {"part": part.name, "begins": False})
        ended = Ended("skipped", "no time left")
    else:
        print(f"{part.name}: at most {job.seconds:.0f} s: {part.shows}", flush=True)
        findings.append(job.findings, {"part": part.name, "begins": time.strftime("%FT%TZ", time.gmtime())})
        try:
            ended = run_part(job, job.out / "parts.log", environment(part, job.device))
        except Stopped as stopped:
            ended = Ended("stopped", str(stopped))
            _note(job, ended, began)
            raise
    _note(job, ended, began)


def _note(job: Job, ended: Ended, began: float) -> None:
    seconds = round(time.monotonic() - began, 1)
    findings.append(
        job.findings, {"part": job.part, "status": ended.status, "reason": ended.reason, "seconds": seconds}
    )


def write_summary(jobs: Sequence[Job]) -> None:
    """Write summary.json: the table, everything that was found, and what follows from the records."""
    text = json.dumps(told.summary(jobs), indent=1, ensure_ascii=False)
    write_whole(jobs[0].out / "summary.json", text.encode())


def _stop(number: int, frame: object) -> NoReturn:
    for other in STOPS:  # the table is written in any case
        signal.signal(other, signal.SIG_IGN)
    raise Stopped(number)


if __name__ == "__main__":
    sys.exit(main())
