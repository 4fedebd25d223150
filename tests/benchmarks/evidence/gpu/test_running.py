"""Tests of parts in their own processes: limits hold, findings stay, and no process stays behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.evidence.gpu import findings, running
from benchmarks.evidence.gpu.job import Job
from benchmarks.evidence.gpu.running import Ended, run_part

MODULE = "tests.benchmarks.evidence.gpu.misbehaving_parts"


def job(name: str, out: Path, seconds: float = 20.0) -> Job:
    return Job(name, out, "cpu", "smoke", seconds)


def run(name: str, out: Path, seconds: float = 20.0) -> Ended:
    return run_part(job(name, out, seconds), out / "parts.log", {}, MODULE)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and is not yet collected counts as dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_dead(pid: int, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not is_alive(pid)


def child_of(out: Path) -> int:
    return next(int(finding["child"]) for finding in findings.load(out / "findings.jsonl") if "child" in finding)


def test_a_part_that_fails_leaves_its_findings_and_its_output(tmp_path: Path) -> None:
    assert run("fails", tmp_path) == Ended("failed", "exit status 1")
    assert findings.load(tmp_path / "findings.jsonl") == [{"part": "fails", "said": "hello"}]
    assert "ValueError: planted" in (tmp_path / "parts.log").read_text()


def test_a_part_that_hangs_is_interrupted_then_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "GRACE_SECONDS", 0.5)
    began = time.monotonic()
    ended = run("hangs", tmp_path, seconds=4.0)
    assert ended.status == "out of time"
    assert time.monotonic() - began < 6
    said = [finding.get("said") for finding in findings.load(tmp_path / "findings.jsonl")]
    assert said == ["hello", None, "interrupted, and went on"]
    assert wait_until_dead(child_of(tmp_path))


def test_processes_that_a_part_leaves_behind_are_killed(tmp_path: Path) -> None:
    assert run("leaves", tmp_path) == Ended("ok")
    assert wait_until_dead(child_of(tmp_path))


def test_a_part_dies_with_the_command_that_started_it(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from benchmarks.evidence.gpu.running import run_part;"
        "from benchmarks.evidence.gpu.job import Job; import sys;"
        f"run_part(Job.from_json(sys.argv[1]), Path({str(tmp_path / 'parts.log')!r}), {{}}, {MODULE!r})"
    )
    command = subprocess.Popen([sys.executable, "-c", program, job("hangs", tmp_path).to_json()], cwd=running.ROOT)
    path = tmp_path / "findings.jsonl"
    end = time.monotonic() + 20
    while not any("child" in finding for finding in findings.load(path)) and time.monotonic() < end:
        time.sleep(0.05)
    os.kill(command.pid, signal.SIGKILL)
    command.wait()
    assert wait_until_dead(child_of(tmp_path))
