"""Tests of functions in their own process: however the process ends, the result is an ``Outcome``."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.records.outcome import InvalidResult, Outcome, Skipped
from benchmarks.running.isolated import OUTPUT_TAIL, SPAWN, Report, run_isolated


def report_and_return(argument: int, report: Report) -> dict[str, Any]:
    report({"half": argument / 2})
    return {"double": 2 * argument, "process": os.getpid()}


def fail(argument: str, report: Report) -> dict[str, Any]:
    raise {"failed": RuntimeError, "invalid": InvalidResult, "out_of_memory": MemoryError, "skipped": Skipped}[
        argument
    ]("two\nlines")


def kill_itself(argument: None, report: Report) -> dict[str, Any]:
    report({"alive": True})
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def exit_silently(argument: None, report: Report) -> dict[str, Any]:
    os._exit(3)


def print_and_die(argument: int, report: Report) -> dict[str, Any]:
    for _ in range(argument):
        os.write(1, b"x" * 1_000_000)
    os.write(2, b"\nlast\nwords\n")
    os._exit(3)


def report_slowly(argument: float, report: Report) -> dict[str, Any]:
    for _ in range(5):
        time.sleep(argument)
        report({})
    return {}


def print_for_ever(argument: None, report: Report) -> dict[str, Any]:
    while True:
        os.write(1, b"x" * 1000)


def sleep(argument: float, report: Report) -> dict[str, Any]:
    time.sleep(argument)
    return {}


def isolate(function: Any, argument: Any, **options: Any) -> Outcome:
    return run_isolated(
        function, argument, **{"device": "cpu", "preload": "benchmarks.running.isolated", "timeout": 60.0, **options}
    )


def test_reports_and_then_the_result_come_from_another_process() -> None:
    reports: list[dict[str, Any]] = []
    outcome = isolate(report_and_return, 3, report=reports.append)
    assert (outcome.status, outcome.fields["double"]) == ("ok", 6)
    assert outcome.fields["process"] != os.getpid()
    assert reports == [{"half": 1.5}]


@pytest.mark.parametrize("status", ["failed", "invalid", "out_of_memory", "skipped"])
def test_an_exception_becomes_a_status_and_one_line(status: str) -> None:
    outcome = isolate(fail, status)
    assert outcome.status == status
    assert outcome.message.endswith("two lines")


def test_a_kill_is_named_and_earlier_reports_are_kept() -> None:
    reports: list[dict[str, Any]] = []
    outcome = isolate(kill_itself, None, report=reports.append)
    assert outcome == Outcome("killed", "killed by SIGKILL (often: out of memory)", {})
    assert reports == [{"alive": True}]


def test_a_silent_exit_is_a_failure() -> None:
    assert isolate(exit_silently, None) == Outcome("failed", "exited with status 3 and no result", {})


def test_a_timeout_ends_the_process() -> None:
    assert isolate(sleep, 60.0, timeout=0.2) == Outcome("timeout", "no result within 0.2 s", {})


def test_reports_restart_the_timeout_and_printing_does_not() -> None:
    assert isolate(report_slowly, 0.5, timeout=2.0).status == "ok"
    assert isolate(print_for_ever, None, timeout=0.2).status == "timeout"


def test_printed_megabytes_are_discarded_except_for_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    outcome = isolate(print_and_die, 5)
    assert outcome.status == "failed"
    assert outcome.message.startswith("exited with status 3 and no result; its last output: xxx")
    assert outcome.message.endswith("x last words")
    assert len(outcome.message) < OUTPUT_TAIL + 100
    assert capfd.readouterr() == ("", "")


def test_a_process_that_cannot_be_killed_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck: list[BaseProcess] = []
    monkeypatch.setattr(BaseProcess, "kill", lambda process: stuck.append(process))
    monkeypatch.setattr("benchmarks.running.isolated.END_SECONDS", 0.2)
    outcome = isolate(sleep, 60.0, timeout=0.2)
    assert outcome.status == "timeout"
    assert outcome.message == "no result within 0.2 s; the process cannot be killed and keeps its device and memory"
    assert stuck[0].is_alive()
    assert stuck[0] not in multiprocessing.active_children()  # Python would wait for it at exit
    assert stuck[0].pid is not None
    os.kill(stuck[0].pid, signal.SIGKILL)


SCRIPT = """
import sys
from benchmarks.running.isolated import run_isolated
from tests.benchmarks.running.test_isolated import report_and_return

with open(sys.argv[1], "a") as file:
    file.write("imported ")

def own(argument, report):
    return {"double": 2 * argument}

if __name__ == "__main__":
    for function in (report_and_return, own):
        outcome = run_isolated(function, 3, device="cpu", preload="json", timeout=60)
        assert outcome.fields.get("double") == 6, outcome
        assert sys.modules["__main__"].own is own
        with open(sys.argv[1], "a") as file:
            file.write("called ")
"""


def test_a_process_imports_the_main_module_only_for_a_function_of_its_own(tmp_path: Path) -> None:
    script, log = tmp_path / "script.py", tmp_path / "log"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    program = [sys.executable, str(script), str(log)]
    done = subprocess.run(program, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert log.read_text().split() == ["imported", "called", "imported", "called"]


FORKED = """
from benchmarks.running.isolated import run_isolated
from tests.benchmarks.running.test_isolated import report_and_return
if __name__ == "__main__":
    print(run_isolated(report_and_return, 3, device="cuda", preload="preloaded", timeout=60.0))
"""


@pytest.mark.parametrize(
    ("preloaded", "spawn", "status"),
    [
        ("import torch", "", "status='ok'"),
        ("import torch; torch.cuda.is_available()", "", f"it can; allowed: {SPAWN}=1"),
        ("import torch; torch.cuda.is_available()", "1", "status='ok'"),
    ],
)
def test_a_process_for_cuda_is_forked_unless_the_server_has_used_cuda(
    tmp_path: Path, preloaded: str, spawn: str, status: str
) -> None:
    import torch  # late: the isolated processes import this module

    if not hasattr(torch._C, "_cuda_isInBadFork"):
        pytest.skip("this torch was built without CUDA")
    (tmp_path / "preloaded.py").write_text(preloaded)
    (tmp_path / "program.py").write_text(FORKED)
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
    environment = {**os.environ, "PYTHONPATH": path, SPAWN: spawn}
    done = subprocess.run(
        [sys.executable, tmp_path / "program.py"], env=environment, capture_output=True, text=True, timeout=120
    )
    assert status in done.stdout, done.stderr


def test_no_module_that_the_server_imports_asks_for_a_device() -> None:
    program = "import benchmarks.sweep.probe, benchmarks.training.preloaded, os, sys, torch\n"
    program += "if os.fork() == 0:\n    os._exit(torch.cuda._is_in_bad_fork())\n"
    program += "sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))"
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[3], timeout=120).returncode == 0


FOREIGN = """
import multiprocessing, operator
from multiprocessing import forkserver
from benchmarks.running.isolated import run_isolated
from tests.benchmarks.running.test_isolated import report_and_return

if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    def start():
        process = context.Process(target=operator.add, args=(1, 2))
        process.start()
        process.join()
        return process.exitcode, forkserver._forkserver._forkserver_pid
    first = start()
    outcomes = [run_isolated(report_and_return, n, device="cpu", preload="json", timeout=60) for n in (1, 2)]
    assert [outcome.fields.get("double") for outcome in outcomes] == [2, 4], outcomes
    assert start() == first, "the server of other code is left alone"
"""


def test_a_server_that_other_code_has_started_is_used_and_left_alone(tmp_path: Path) -> None:
    script = tmp_path / "foreign.py"
    script.write_text(FOREIGN)
    environment = {name: value for name, value in os.environ.items() if name != "GCNN_BENCHMARKS_LEASE"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[3])
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
