"""Tests that no process outlives its work or the command that wants it, whatever the processes do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.records.outcome import Outcome
from benchmarks.running import supervised
from benchmarks.running.isolated import COPIED, SPAWN, run_isolated
from tests.benchmarks.running import leaving

ROOT = Path(__file__).resolve().parents[3]
linux = pytest.mark.skipif(sys.platform != "linux", reason="the supervisor adopts orphans on Linux")
PROGRAM = """
import sys
from benchmarks.running.isolated import run_isolated
from tests.benchmarks.running import leaving
if __name__ == "__main__":
    run_isolated(getattr(leaving, sys.argv[1]), sys.argv[2], device=sys.argv[3], preload="os", timeout=600.0)
"""


def isolate(function: Any, folder: Path, timeout: float = 60.0) -> Outcome:
    return run_isolated(function, str(folder), device="cpu", preload="benchmarks.running.isolated", timeout=timeout)


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def alive(folder: Path) -> list[int]:
    return [number for number in leaving.numbers(folder) if leaving.alive(number)]


@linux
@pytest.mark.parametrize(
    ("function", "status", "message"),
    [
        (leaving.return_at_once, "ok", ""),
        (leaving.exit_at_once, "failed", "exited with status 3 and no result"),
        (leaving.crash, "killed", "killed by SIGSEGV"),
        (leaving.hold_interpreter, "timeout", "no result within 3 s"),
    ],
)
def test_the_outcome_is_that_of_the_process_and_its_descendants_are_gone(
    function: Any, status: str, message: str, tmp_path: Path
) -> None:
    outcome = isolate(function, tmp_path, timeout=3.0)
    assert (outcome.status, outcome.message) == (status, message)
    assert len(leaving.numbers(tmp_path)) == 3
    assert wait_until(lambda: not alive(tmp_path))


@linux
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGQUIT])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_nothing_outlives_a_killed_command(how: signal.Signals, device: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), SPAWN: "1"}  # with "cuda" the process is a new interpreter
    command = [sys.executable, program, "hold_interpreter", tmp_path, device]
    process = subprocess.Popen(command, env=environment, start_new_session=True, stderr=subprocess.DEVNULL)
    assert wait_until(lambda: len(leaving.numbers(tmp_path)) == 3)
    assert len(alive(tmp_path)) == 3
    started = supervised.descendants(process.pid)
    process.send_signal(how)
    assert process.wait(30) == -how
    assert wait_until(lambda: not alive(tmp_path))
    assert wait_until(lambda: not any(map(leaving.alive, started)))


@linux
def test_nothing_outlives_a_killed_group_of_processes(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, program, "hold_interpreter", tmp_path, "cpu"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True)
    assert wait_until(lambda: len(leaving.numbers(tmp_path)) == 3)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert wait_until(lambda: not alive(tmp_path))


@linux
@pytest.mark.parametrize("whom", ["server", "supervisor"])
def test_a_process_dies_with_the_server_that_forked_it_and_the_next_one_gets_another(whom: str, tmp_path: Path) -> None:
    (tmp_path / whom).touch()
    assert isolate(leaving.kill_parents, tmp_path).status in ("killed", "failed")
    assert wait_until(lambda: not alive(tmp_path))
    assert isolate(leaving.return_at_once, tmp_path).status == "ok"


def test_a_process_that_kills_its_group_kills_itself_alone(tmp_path: Path) -> None:
    assert isolate(leaving.kill_group, tmp_path).message == "killed by SIGKILL (often: out of memory)"


def test_a_copy_of_the_process_that_comes_back_is_a_failure_and_not_a_timeout(tmp_path: Path) -> None:
    assert isolate(leaving.come_back_twice, tmp_path) == COPIED


def test_something_else_than_a_message_in_the_pipe_is_a_failure(tmp_path: Path) -> None:
    outcome = isolate(leaving.write_into_pipe, tmp_path)
    assert outcome.status == "failed"
    assert outcome.message.startswith("UnpicklingError")
