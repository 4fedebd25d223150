"""Tests of functions in their own process: however the process ends, the result is an ``Outcome``."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.records.outcome import InvalidResult, Outcome, Skipped
from benchmarks.running import isolated
from benchmarks.running.isolated import OUTPUT_TAIL, Report, run_isolated


def report_and_return(argument: int, report: Report) -> dict[str, Any]:
    report({"half": argument / 2})
    return {"double": 2 * argument, "process": os.getpid()}


def fail(argument: str, report: Report) -> dict[str, Any]:
    raise {"failed": RuntimeError, "invalid": InvalidResult, "out_of_memory": MemoryError, "skipped": Skipped}[
        argument
    ]("two\nlines")


def own_parent(argument: None, report: Report) -> dict[str, Any]:
    return {"parent": os.getppid()}


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


def test_processes_for_cuda_are_forked_too_unless_new_interpreters_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    server = isolate(own_parent, None).fields["parent"]
    assert isolate(own_parent, None, device="cuda").fields["parent"] == server
    monkeypatch.setenv("GCNN_NEW_INTERPRETERS", "1")
    assert isolate(own_parent, None, device="cuda").fields["parent"] == os.getpid()
    assert isolate(own_parent, None).fields["parent"] == server


def test_the_process_server_never_opens_cuda() -> None:
    program = """
import torch
def refuse(*_):
    raise SystemExit("CUDA was opened")
for name in ("init", "_lazy_init", "is_available", "device_count", "current_device"):
    setattr(torch.cuda, name, refuse)
import benchmarks.sweep.probe, benchmarks.sweep.worker, benchmarks.training.loop
"""
    root = Path(isolated.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_printed_megabytes_are_discarded_except_for_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    outcome = isolate(print_and_die, 5)
    assert outcome.status == "failed"
    assert outcome.message.startswith("exited with status 3 and no result; its last output: xxx")
    assert outcome.message.endswith("x last words")
    assert len(outcome.message) < OUTPUT_TAIL + 100
    assert capfd.readouterr() == ("", "")
