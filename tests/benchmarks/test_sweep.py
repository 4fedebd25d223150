"""Cases become records, each once, whatever happens to some of them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.cases import Case, InvalidCase, profile_cases
from benchmarks.isolation import InvalidResult, Report
from benchmarks.measure.clock import Sampling
from benchmarks.measure.environment import ROOT
from benchmarks.records import RecordStore, RecordWarning
from benchmarks.sweep import Interrupted, Summary, Task, sweep

TINY: dict[str, Any] = {"channels": 2, "batch_size": 1, "image_size": 8, "kernel_size": 3, "threads": 1}
FAST = Sampling(min_samples=2, max_samples=5, seconds=0.001)
CASES = [Case(**TINY, resolution=resolution) for resolution in (1, 2, 3, 4, 5, 6)]


def misbehave(task: Task, report: Report) -> dict[str, Any]:
    """A measurement that goes wrong in the way that the resolution says."""
    match task[0].resolution:
        case 1:
            return {"parameters": 7}
        case 2:
            raise RuntimeError("broken\nin two lines")
        case 3:
            os.kill(os.getpid(), signal.SIGKILL)
        case 4:
            raise MemoryError
        case 5:
            raise InvalidResult("wrong")
        case _:
            time.sleep(60)
    return {}


def never(task: Task, report: Report) -> dict[str, Any]:
    raise AssertionError("this case was measured already")


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path)


def test_two_tiny_cases_from_end_to_end_and_none_twice(store: RecordStore) -> None:
    cases = [
        Case(**TINY, resolution=4, direction="forward_backward"),
        Case(**TINY, variant="plain", group="trivial", resolution=1),
    ]
    assert sweep(cases[:1], store, FAST) == Summary(measured=1, failed=0, already_there=0)
    assert sweep(cases, store, FAST) == Summary(measured=1, failed=0, already_there=1)
    assert sweep(cases, store, FAST, measure=never) == Summary(measured=0, failed=0, already_there=2)
    group, plain = store.load()
    assert [group["case"], plain["case"]] == [case.fields() for case in cases]
    assert [group["id"], plain["id"]] == [case.id for case in cases]
    for record in (group, plain):
        assert (record["schema"], record["kind"], record["status"], record["message"]) == (1, "cost", "ok", "")
        seconds = record["seconds"]
        assert 2 <= seconds["n"] == len(seconds["samples"]) <= 5
        assert 0 < seconds["q1"] <= seconds["median"] <= seconds["q3"]
        assert record["memory"]["peak_bytes"] > 0
        assert record["parameters"] > 0
        assert record["macs"]["convolution"] > 0
        assert record["provenance"]["threads"] == 1
    assert (group["macs"]["kernel_generation"] > 0, plain["macs"]["kernel_generation"]) == (True, 0)
    assert group["equivariance_error"] < 1e-5
    assert plain["equivariance_error"] is None


def test_what_goes_wrong_becomes_a_row_and_the_rest_goes_on(
    store: RecordStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep(CASES, store, FAST, timeout=5, measure=misbehave) == Summary(measured=1, failed=5, already_there=0)
    rows = {record["case"]["resolution"]: (record["status"], record["message"]) for record in store.load()}
    assert rows == {
        1: ("ok", ""),
        2: ("failed", "RuntimeError: broken in two lines"),
        3: ("killed", "killed by SIGKILL (often: out of memory)"),
        4: ("out_of_memory", "MemoryError:"),
        5: ("invalid", "InvalidResult: wrong"),
        6: ("timeout", "no result within 5 s"),
    }
    assert all(record["seconds"] is None for record in store.load())
    assert f"{CASES[1].label}: failed: RuntimeError: broken in two lines" in capsys.readouterr().err
    # What failed is measured again on demand only, and then its newest row counts.
    assert sweep(CASES, store, FAST, measure=never).already_there == 6
    assert sweep(CASES[1:2], store, FAST, retry_failed=True) == Summary(measured=1, failed=0, already_there=0)
    assert {record["case"]["resolution"] for record in store.load() if record["status"] == "ok"} == {1, 2}


def test_the_order_mixes_the_variants_and_is_always_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = profile_cases("quick")
    orders = []
    for name in ("a", "b"):
        order: list[Case] = []

        def note(case: Case, *_: object, order: list[Case] = order) -> dict[str, Any]:
            order.append(case)
            return {"schema": 1, "kind": "cost", "id": case.id, "status": "ok"}

        monkeypatch.setattr("benchmarks.sweep._record", note)
        sweep(cases, RecordStore(tmp_path / name), FAST)
        orders.append(order)
    assert orders[0] == orders[1]
    assert set(orders[0]) == set(cases)
    changes = sum(a.variant != b.variant for a, b in zip(orders[0], orders[0][1:], strict=False))
    assert changes > len(cases) / 2


def test_ctrl_c_keeps_what_is_done(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Case] = []

    def interrupt_third(case: Case, *_: object) -> dict[str, Any]:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(case)
        return {"schema": 1, "kind": "cost", "id": case.id, "status": "ok"}

    monkeypatch.setattr("benchmarks.sweep._record", interrupt_third)
    with pytest.raises(Interrupted, match="^2 new records kept, 4 cases left"):
        sweep(CASES, store, FAST)
    assert store.completed_ids() == {case.id for case in done}


def test_a_device_that_is_not_there(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.sweep.gpu_name", lambda: None)
    with pytest.raises(InvalidCase, match="^device 'cuda' is not there; allowed on this machine: cpu$"):
        sweep([Case(device="cuda")], store, FAST)
    assert not store.path.exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_sweep_that_is_stopped_leaves_no_process_behind_and_is_resumed(tmp_path: Path, how: signal.Signals) -> None:
    cases = profile_cases("full", layer=("conv",), variant=("plain",), threads=(1,))
    command = [sys.executable, "-m", "benchmarks", "sweep", "--results", str(tmp_path), "--seconds", "0.01"]
    command += ["--profile", "full", "--layer", "conv", "--variant", "plain", "--threads", "1"]
    # A shell that runs the tests in the background makes them, and their children, ignore Ctrl-C: undo that.
    listening = signal.signal(signal.SIGINT, signal.default_int_handler)
    sweeping = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, listening)
    store = RecordStore(tmp_path)
    deadline = time.monotonic() + 60
    while not (store.path.exists() and len(store.load()) > 1) and time.monotonic() < deadline:
        time.sleep(0.05)
    children = psutil.Process(sweeping.pid).children(recursive=True)
    sweeping.send_signal(how)
    _, errors = sweeping.communicate(timeout=30)
    assert sweeping.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in errors
    assert len(children) >= 2  # the process server and what is watching over it
    assert psutil.wait_procs(children, timeout=10)[1] == []
    done = store.completed_ids()
    assert 1 < len(done) < len(cases)
    finished, missing = [c for c in cases if c.id in done], [c for c in cases if c.id not in done]
    assert sweep([*finished, missing[0]], store, FAST) == Summary(measured=1, failed=0, already_there=len(finished))
    ids = [json.loads(line)["id"] for line in store.path.read_text().splitlines()]
    assert sorted(ids) == sorted([*done, missing[0].id])


def test_results_of_another_commit_are_kept_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, case = RecordStore(tmp_path), Case(threads=1)
    record = {"schema": 1, "kind": "cost", "id": case.id, "status": "ok", "provenance": {"commit": "a" * 40}}
    store.append(record)
    monkeypatch.setattr("benchmarks.sweep.software", lambda: {"commit": "b" * 40})
    with pytest.warns(RecordWarning, match="1 of the 1 records already there are of another commit than bbbbbbbbbb"):
        assert sweep([case], store, FAST).already_there == 1
    monkeypatch.setattr("benchmarks.sweep.software", lambda: {"commit": "a" * 40})
    assert sweep([case], store, FAST).already_there == 1  # without a warning, which would be an error


def test_more_threads_than_cores_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match=r"threads 1000000 are more than there are cores; allowed .* 1 to \d+"):
        sweep([Case(threads=1_000_000)], RecordStore(tmp_path), FAST)
