"""Tests of requests to end: they are answered as Ctrl-C is, and do not disturb the cleaning up."""

import multiprocessing.forkserver
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.records.store import RecordStore
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.running.signals import REQUESTS, first_request_deferred, requests_as_ctrl_c

ROOT = Path(__file__).resolve().parents[3]


def sleep(argument: float, report: Report) -> dict[str, Any]:
    time.sleep(argument)
    return {}


@pytest.fixture
def heard() -> Iterator[None]:
    """Let the requests be heard, also where the tests run under ``nohup``."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in REQUESTS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, *REQUESTS])
def test_a_request_raises_keyboard_interrupt_and_later_requests_are_ignored(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, *REQUESTS)]
    with requests_as_ctrl_c():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        for request in REQUESTS:
            signal.raise_signal(request)
    assert [signal.getsignal(each) for each in (signal.SIGINT, *REQUESTS)] == before


def test_a_signal_that_is_ignored_from_outside_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with requests_as_ctrl_c():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, *REQUESTS])
def test_the_first_request_waits_for_the_end_of_the_block_and_the_second_does_not(number: signal.Signals) -> None:
    with requests_as_ctrl_c():
        assert raised_before_interruption(number) == [number]
    with requests_as_ctrl_c():
        assert raised_before_interruption(number, signal.SIGINT, signal.SIGINT) == [number]


def raised_before_interruption(*numbers: int) -> list[int]:
    raised = []
    try:
        with first_request_deferred():
            for number in numbers:
                signal.raise_signal(number)
                raised.append(number)
    except KeyboardInterrupt:
        return raised
    raise AssertionError("no interruption")


def test_an_interrupt_waits_until_the_process_server_has_the_whole_request(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = []
    connect = multiprocessing.forkserver.connect_to_new_process

    def interrupted(descriptors: list[int]) -> tuple[int, int]:
        answer = connect(descriptors)
        signal.raise_signal(signal.SIGINT)
        reached.append("what follows the interrupt")
        return answer

    monkeypatch.setattr(multiprocessing.forkserver, "connect_to_new_process", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_isolated(sleep, 60.0, device="cpu", preload="json", timeout=120)
    assert reached
    assert multiprocessing.active_children() == []  # the process was started, and ended


def test_sigterm_to_a_command_is_one_line_leaves_nothing_and_the_next_call_goes_on(tmp_path: Path) -> None:
    temporary, results = tmp_path / "t", tmp_path / "r"
    temporary.mkdir()
    options = "--variant separable --resolution 4 --channels 2 --seeds 1 --epochs 3 --checkpoint-seconds 0.1"
    command = [sys.executable, "-m", "benchmarks", "train", *options.split(), "--results", str(results)]
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environment)
    wait_until(lambda: any((results / "checkpoints").glob("*.checkpoint")), process)
    children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    last = err.replace("\r", "\n").splitlines()[-1]
    assert last == "interrupted: 0 new runs kept, 1 left; the same command goes on from here"
    assert "Traceback" not in err
    assert psutil.wait_procs(children, timeout=20)[1] == []
    assert list(temporary.iterdir()) == []
    assert [record["status"] for record in RecordStore(results).load()] == ["interrupted"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, env=environment).returncode == 0
    (record,) = RecordStore(results).load()
    assert (record["status"], record["resumed"]) == ("ok", 1)
    assert list((results / "checkpoints").iterdir()) == list(temporary.iterdir()) == []


def wait_until(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
