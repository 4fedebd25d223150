"""Tests of the sweep: every case gets one record, also when it fails."""

import dataclasses
import json
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.cases.blocks import blocks
from benchmarks.cases.case import Case, InvalidCase
from benchmarks.cases.profiles import profile_cases
from benchmarks.evidence.interfering_layers import WAYS
from benchmarks.measure.sampling import Sampling
from benchmarks.records.outcome import Skipped
from benchmarks.records.provenance import ROOT, hardware
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore, RecordWarning
from benchmarks.running.isolated import Report
from benchmarks.running.signals import Interrupted
from benchmarks.sweep import block
from benchmarks.sweep.engine import Engine
from benchmarks.sweep.sweep import SEED, Summary, sweep
from benchmarks.sweep.tasks import Probe, Round

TINY: dict[str, Any] = {"channels": 2, "batch_size": 1, "image_size": 8, "kernel_size": 3, "threads": 1}
PLAIN: dict[str, Any] = {"variant": "plain", "group": "trivial", "resolution": 1}
FAST = Sampling(rounds=2, min_samples=4, max_samples=10, seconds=0.002)
HERE = {**hardware(), "gpu": None}


def look_at_nothing(task: Probe, report: Report) -> dict[str, Any]:
    return {}


def skip(task: Probe, report: Report) -> dict[str, Any]:
    raise Skipped("it is not there")


def fail_if_full(task: Probe, report: Report) -> dict[str, Any]:
    if task.case.variant == "full":
        raise RuntimeError("it fails today")
    return {}


def ceilings(task: object, report: Report) -> dict[str, Any]:
    return {"matrix_ceiling": 1e12, "memory_ceiling": 1e11}


REAL = Engine(FAST, ceilings=ceilings)
TIMING = Engine(FAST, timeout=5.0, probe=look_at_nothing, ceilings=ceilings)


def own(name: str, **fields: Any) -> Case:
    """Return the case of a layer in ``misbehaving_layers``."""
    named = {"implementation": f"tests.benchmarks.misbehaving_layers:{name}", "variant": "custom"}
    return Case(**{**TINY, "resolution": 4, **named, **fields})


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path)


def rows(store: RecordStore, kind: str = "cost") -> list[Record]:
    return [record for record in store.load() if record["kind"] == kind]


def test_without_shuffling_the_blocks_come_in_the_order_of_the_cases(store: RecordStore) -> None:
    cases = [Case(**TINY, resolution=n) for n in (8, 2, 4)]
    sweep(cases, store, TIMING, shuffled=False)
    assert [record["id"] for record in rows(store)] == [case.id for case in cases]


def test_no_block_begins_when_less_time_is_left_than_the_last_one_took(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [Case(**TINY, resolution=n) for n in (2, 4, 8)]
    clock = iter(range(0, 1000, 4))  # begun, begin of a block, end of it, …: a block takes 4 s
    monkeypatch.setattr("benchmarks.sweep.sweep.time.monotonic", lambda: next(clock))
    monkeypatch.setattr("benchmarks.sweep.sweep.measure_block", lambda block, *_: [_timed(block.cases[0])])
    done = sweep(cases, store, TIMING, shuffled=False, seconds=18.0)
    assert (done.measured, done.left) == (2, 1)
    assert [record["id"] for record in rows(store)] == [case.id for case in cases[:2]]


def _timed(case: Case) -> Record:
    return {"schema": 2, "kind": "cost", "id": case.id, "case": case.fields(), "status": "ok", "seconds": None}


def test_a_block_is_measured_from_end_to_end_and_only_once(store: RecordStore) -> None:
    cases = [
        Case(**TINY, resolution=4, direction="forward_backward"),
        Case(**(TINY | PLAIN), direction="forward_backward"),
    ]
    engine = dataclasses.replace(REAL, profiled=frozenset([cases[0].id]))
    done = sweep(cases[:1], store, engine)
    assert done == Summary(measured=1, failed=0, already_there=0)
    assert 0 < done.timed_seconds < done.seconds
    assert sweep(cases, store, engine) == Summary(measured=1, failed=0, already_there=1)
    written = store.path.read_bytes()
    assert sweep(cases, store, engine) == Summary(measured=0, failed=0, already_there=2)
    assert store.path.read_bytes() == written
    group, plain = rows(store)
    assert [group["case"], plain["case"]] == [case.fields() for case in cases]
    assert [group["id"], plain["id"]] == [case.id for case in cases]
    assert plain["operators"] is None
    assert {row["phase"] for row in group["operators"]["rows"]} >= {"forward", "backward"}
    for record in (group, plain):
        assert 0 < record["construction_seconds"] < 60
        assert 0 < record["first_call_seconds"] < 60
        assert (record["schema"], record["status"], record["message"], record["missing"]) == (2, "ok", "", {})
        seconds = record["seconds"]
        assert [len(samples) >= 2 for samples in seconds["rounds"]] == [True, True]
        assert seconds["n"] == sum(map(len, seconds["rounds"]))
        assert 0 < seconds["q1"] <= seconds["median"] <= seconds["q3"]
        assert seconds["stopped"] in ("budget", "precision", "samples")
        assert record["memory"]["peak_bytes"] > 0
        assert record["memory"]["predicted_bytes"] > 0
        assert record["parameters"] > 0
        assert record["macs"]["convolution"] > 0
        assert 0 <= record["macs"]["zero_counted_time_share"] <= 1
        assert record["stages"]["forward"] > 0
        assert record["roofline"]["fraction"] > 0
        assert record["energy"]
        assert record["noise"]["verdict"] in ("quiet", "noisy")
        assert record["provenance"]["threads"] == 1
    assert (group["macs"]["kernel_generation"] > 0, plain["macs"]["kernel_generation"]) == (True, 0)
    assert group["equivariance_error"] < 1e-5
    assert plain["equivariance_error"] is None


@pytest.mark.parametrize("direction", ["forward", "forward_backward"])
def test_macs_are_counted_or_missing_with_the_operators_named(store: RecordStore, direction: str) -> None:
    layers = [f"tests.benchmarks.uncounted_layers:{name}" for name in ("Same", "Fourier")]
    cases = [own("", implementation=layer, direction=direction) for layer in layers]
    assert sweep(cases, store, REAL).failed == 0
    same, fourier = (record for case in cases for record in rows(store) if record["id"] == case.id)
    assert same["macs"]["convolution"] == 2 * 2 * 4 * 8 * 8
    assert same["macs"]["not_counted"] is None
    assert same["roofline"]["fraction"] > 0
    assert fourier["status"] == "ok"
    assert "aten::_fft_r2c × 1" in fourier["macs"]["not_counted"]
    shares = ("convolution", "kernel_generation", "backward", "zero_counted_time_share")
    assert {fourier["macs"][name] for name in shares} == {None}
    assert fourier["roofline"] is None


def test_every_block_has_a_twin_of_one_of_its_contenders(store: RecordStore) -> None:
    cases = [Case(**TINY, variant=variant, resolution=r) for variant in ("full", "separable") for r in (2, 4)]
    assert sweep(cases, store, TIMING).measured == 4
    by_id = {record["id"]: record for record in rows(store)}
    twins = rows(store, "twin")
    assert len(twins) == 2
    for twin in twins:
        assert twin["status"] == "ok"
        assert by_id[twin["case_id"]]["block"] == twin["block"]
        assert len(twin["seconds"]["rounds"]) == 2
    assert {twin["case_id"] for twin in twins} == {block.twin.id for block in blocks(cases, set(cases), SEED)}


def test_a_contender_that_fails_becomes_a_record_and_its_block_continues(
    store: RecordStore, capfd: pytest.CaptureFixture[str]
) -> None:
    names = ("Right", "Raises", "RaisesAtOnce", "Crashes", "RunsOutOfMemory", "PrintsMegabytes")
    cases = [own(name) for name in names]
    done = sweep(cases, store, TIMING)
    assert done == Summary(measured=2, failed=4, already_there=0)
    found = {record["case"]["implementation"].partition(":")[2]: record for record in rows(store)}
    assert len({record["block"] for record in found.values()}) == 1
    statuses = {name: found[name]["status"] for name in names}
    assert statuses == {
        "Right": "ok",
        "Raises": "failed",
        "RaisesAtOnce": "failed",
        "Crashes": "killed",
        "RunsOutOfMemory": "out_of_memory",
        "PrintsMegabytes": "ok",
    }
    assert found["Raises"]["message"] == "RuntimeError: broken in two lines"
    assert re.search(r"cannot be built \(misbehaving_layers\.py, line \d+\)$", found["RaisesAtOnce"]["message"])
    assert found["Crashes"]["message"].startswith("killed by SIGSEGV")
    assert found["Raises"]["seconds"] is None
    assert [len(samples) >= 2 for samples in found["Right"]["seconds"]["rounds"]] == [True, True]
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.count("x") < 1000  # the record quotes only the end of the output
    assert f"{cases[1].label}: failed: RuntimeError: broken in two lines" in printed.err


def test_a_contender_that_hangs_fails_and_the_others_continue(store: RecordStore) -> None:
    engine = dataclasses.replace(TIMING, timeout=3.0)
    assert sweep([own("Hangs"), own("Right")], store, engine) == Summary(measured=1, failed=1, already_there=0)
    statuses = {record["status"]: record["message"] for record in rows(store)}
    assert statuses == {"ok": "", "timeout": "no result within 3 s"}


def test_a_contender_that_changes_the_process_is_a_row_that_says_what_and_the_others_are_measured(
    store: RecordStore,
) -> None:
    ways = {f"benchmarks.evidence.interfering_layers:{name}": said for name, (_, said) in WAYS.items()}
    fields: dict[str, Any] = {**TINY, "resolution": 4, "direction": "forward_backward"}
    culprits = [Case(**fields, variant="custom", implementation=name) for name in ways]
    others = [Case(**fields, variant=variant) for variant in ("full", "separable")] + [own("Right", **fields)]
    # Without a probe, all of them are found in rounds, which are then repeated without them.
    done = sweep([*others, *culprits], store, TIMING)
    assert done == Summary(measured=3, failed=len(ways), already_there=0)
    found = {record["id"]: record for record in rows(store)}
    for case in culprits:
        record = found[case.id]
        assert (record["status"], record["seconds"]) == ("interfered", None), record["message"]
        assert record["message"].startswith("changed ")
        assert ways[case.implementation] in record["message"]
    for case in others:
        assert found[case.id]["status"] == "ok"
        assert len(found[case.id]["seconds"]["rounds"]) == FAST.rounds
        assert found[case.id]["isolated"] is False


def test_the_probe_finds_a_change_before_others_are_timed(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[Round] = []
    take = block.take_round
    monkeypatch.setattr(block, "take_round", lambda task, timeout: rounds.append(task) or take(task, timeout))
    assert sweep([own("SetsThreadsOnSmallImages"), own("Right")], store, REAL).failed == 1
    assert [len(task.entries) for task in rounds] == [2, 2]  # the one that works, and its twin
    messages = {record["status"]: record["message"] for record in rows(store)}
    assert messages == {"ok": "", "interfered": "changed torch.get_num_threads() from 1 to 2"}


def test_after_a_first_offence_a_layer_has_a_process_of_its_own(store: RecordStore) -> None:
    cases = [own(name, image_size=size) for size in (8, 12) for name in ("SetsThreadsOnSmallImages", "Right")]
    assert sweep(cases, store, TIMING, shuffled=False) == Summary(measured=3, failed=1, already_there=0)
    found = {record["id"]: record for record in rows(store)}
    assert [found[case.id]["status"] for case in cases] == ["interfered", "ok", "ok", "ok"]
    assert [found[case.id]["isolated"] for case in cases] == [None, False, True, False]


def test_isolated_layers_take_turns_with_the_others_and_fail_for_themselves(store: RecordStore) -> None:
    names = ("Right", "Crashes", "Raises", "SetsThreadsOnSmallImages", "ComesBackTwice")
    cases = [own(name) for name in names] + [Case(**TINY, resolution=4)]
    done = sweep(cases, store, dataclasses.replace(TIMING, isolate=True))
    assert done == Summary(measured=2, failed=4, already_there=0)
    found = {record["id"]: record for record in rows(store)}
    statuses = [found[case.id]["status"] for case in cases]
    assert statuses == ["ok", "killed", "failed", "interfered", "interfered", "ok"]
    right, ours = found[cases[0].id], found[cases[-1].id]
    assert (right["isolated"], ours["isolated"]) == (True, False)
    assert right["block"] == ours["block"]
    assert [len(samples) >= 2 for samples in right["seconds"]["rounds"]] == [True, True]
    assert found[cases[1].id]["message"] == "killed by SIGSEGV"
    assert found[cases[3].id]["message"] == "changed torch.get_num_threads() from 1 to 2"


def test_a_wrong_output_is_not_timed_and_failures_are_repeated_only_on_request(store: RecordStore) -> None:
    assert sweep([own("GivesNan")], store, REAL) == Summary(measured=0, failed=1, already_there=0)
    (record,) = store.load()
    assert (record["status"], record["seconds"]) == ("invalid", None)
    assert record["message"] == "InvalidResult: output has values that are not finite"
    with pytest.warns(
        RecordWarning, match=r"^1 of the 1 records already there are of failures \(invalid: InvalidResult"
    ):
        assert sweep([own("GivesNan")], store, REAL).already_there == 1
    assert sweep([own("GivesNan")], store, TIMING, retry_failed=True).measured == 1


def test_unavailable_and_too_large_cases_are_skipped_with_the_reason(store: RecordStore) -> None:
    engine = dataclasses.replace(REAL, probe=skip)
    assert sweep([Case(**TINY)], store, engine) == Summary(measured=0, failed=0, already_there=0, skipped=1)
    huge = Case(**{**TINY, "channels": 4096, "image_size": 4096, "batch_size": 4096})
    assert sweep([huge], store, REAL).skipped == 1
    small, large = (record["message"] for record in rows(store))
    assert small == "it is not there"
    assert re.fullmatch(r"needs about \d+\.\d GiB of memory; available: \d+\.\d", large)


def test_a_users_layer_makes_ours_be_measured_again_next_to_it(store: RecordStore) -> None:
    ours = [Case(**TINY, resolution=4, variant=variant) for variant in ("full", "separable")]
    assert sweep(ours, store, TIMING).measured == 2
    assert sweep([*ours, own("Right")], store, TIMING) == Summary(measured=3, failed=0, already_there=0)
    assert len({record["block"] for record in rows(store)}) == 1


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_a_block_whose_records_were_cut_short_is_measured_again_as_a_whole(store: RecordStore, lines: int) -> None:
    cases = [Case(**TINY, resolution=4, variant=variant) for variant in ("lifting", "full", "separable")]
    assert sweep(cases, store, TIMING).measured == 3
    whole = store.path.read_bytes().splitlines(keepends=True)
    assert len(whole) == 4  # with the twin
    store.path.write_bytes(b"".join(whole[:lines]))
    assert sweep(cases, store, TIMING) == Summary(measured=3, failed=0, already_there=0)
    assert len({record["block"] for record in rows(store)}) == 1
    assert len(store.path.read_bytes().splitlines()) == lines + 4
    assert sweep(cases, store, TIMING) == Summary(measured=0, failed=0, already_there=3)


def test_a_repeated_failure_is_measured_next_to_its_block(store: RecordStore) -> None:
    cases = [Case(**TINY, resolution=4, variant=variant) for variant in ("full", "separable")]
    failing = dataclasses.replace(TIMING, probe=fail_if_full)
    assert sweep(cases, store, failing) == Summary(measured=1, failed=1, already_there=0)
    with pytest.warns(RecordWarning, match="--retry-failed measures them again"):
        assert sweep(cases, store, TIMING) == Summary(measured=0, failed=0, already_there=2)
    assert sweep(cases, store, TIMING, retry_failed=True) == Summary(measured=2, failed=0, already_there=0)
    assert len({record["block"] for record in rows(store)}) == 1


def test_a_case_measured_on_another_machine_is_measured_here(store: RecordStore) -> None:
    case = Case(**TINY)
    there = {"schema": 2, "kind": "cost", "id": case.id, "status": "ok", "case": case.fields()}
    store.append({**there, "provenance": {**HERE, "cpu": "another"}})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecordWarning)
        assert sweep([case], store, TIMING).measured == 1
    assert len(rows(store)) == 2


def test_two_sweeps_at_once_do_not_measure_twice(store: RecordStore) -> None:
    with store.measuring(), pytest.raises(OSError, match=r"is measuring into .*; allowed: one at a time"):
        sweep([Case(**TINY)], store, TIMING)
    assert rows(store) == []


def test_a_full_disk_stops_the_sweep_and_costs_one_block(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [Case(**TINY, resolution=resolution) for resolution in (2, 3)]
    appended: list[Record] = []

    def append(*records: Record) -> None:
        if appended:
            raise OSError("cannot write a record: No space left on device")
        appended.extend(records)

    with monkeypatch.context() as patch:
        patch.setattr(store, "append", append)
        with pytest.raises(OSError, match="No space left on device"):
            sweep(cases, store, TIMING)
    assert [record["kind"] for record in appended] == ["cost", "twin"]
    assert sweep(cases, store, TIMING).measured == 2  # the lock is free again


def test_ctrl_c_keeps_finished_blocks(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [Case(**TINY, resolution=resolution) for resolution in (1, 2, 3, 4)]
    done: list[Case] = []

    def interrupt_third(block: Any, *_: object) -> list[Record]:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.extend(block.cases)
        fields = {"schema": 2, "kind": "cost", "status": "ok", "seconds": None, "provenance": HERE}
        return [{**fields, "id": case.id, "case": case.fields()} for case in block.cases]

    monkeypatch.setattr("benchmarks.sweep.sweep.measure_block", interrupt_third)
    with pytest.raises(Interrupted, match="^2 new records kept, 2 cases left"):
        sweep(cases, store, TIMING)
    assert {identity for _, identity in store.completed()} == {case.id for case in done}


def test_a_missing_device_is_refused(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.running.outstanding.gpu_name", lambda: None)
    with pytest.raises(InvalidCase, match="^device 'cuda' is not there; allowed on this machine: cpu$"):
        sweep([Case(device="cuda")], store, TIMING)
    assert not store.path.exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_sweep_leaves_no_process_and_can_be_resumed(tmp_path: Path, how: signal.Signals) -> None:
    cases = profile_cases("full", layer=("conv",), variant=("plain",), threads=(1,))
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "sweep",
        "--results",
        str(tmp_path),
        "--seconds",
        "0.01",
        "--rounds",
        "1",
    ]
    command += ["--profile", "full", "--layer", "conv", "--variant", "plain", "--threads", "1"]
    # If a shell runs the tests in the background, they and their children ignore Ctrl-C. Here the child must obey it.
    listening = signal.signal(signal.SIGINT, signal.default_int_handler)
    sweeping = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, listening)
    store = RecordStore(tmp_path)
    deadline = time.monotonic() + 60
    while not (store.path.exists() and len(rows(store)) > 1) and time.monotonic() < deadline:
        time.sleep(0.05)
    children = psutil.Process(sweeping.pid).children(recursive=True)
    sweeping.send_signal(how)
    _, errors = sweeping.communicate(timeout=30)
    assert sweeping.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    if how == signal.SIGKILL:
        # Python's own fork server prints a traceback when its client dies while requesting a process.
        errors = re.sub(r"Traceback .*\n.*\n.*multiprocessing/forkserver\.py(?:.*\n)+?EOFError\n", "", errors)
    assert "Traceback" not in errors
    assert len(children) >= 2  # the process server and its resource tracker
    assert psutil.wait_procs(children, timeout=10)[1] == []
    done = {record["id"] for record in rows(store)}
    assert 1 < len(done) < len(cases)
    finished, missing = [c for c in cases if c.id in done], [c for c in cases if c.id not in done]
    assert sweep([*finished, missing[0]], store, TIMING) == Summary(measured=1, failed=0, already_there=len(finished))
    lines = map(json.loads, store.path.read_text().splitlines())
    ids = [record["id"] for record in lines if record["kind"] == "cost"]
    assert sorted(ids) == sorted([*done, missing[0].id])


def test_results_of_another_commit_are_kept_with_a_warning(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(threads=1)
    provenance = {**HERE, "commit": "a" * 40}
    store.append({"schema": 2, "kind": "cost", "id": case.id, "status": "ok", "provenance": provenance})
    monkeypatch.setattr("benchmarks.running.outstanding.software", lambda: {"commit": "b" * 40})
    with pytest.warns(RecordWarning, match="1 of the 1 records already there are of another commit than bbbbbbbbbb"):
        assert sweep([case], store, TIMING).already_there == 1
    monkeypatch.setattr("benchmarks.running.outstanding.software", lambda: {"commit": "a" * 40})
    assert sweep([case], store, TIMING).already_there == 1  # without a warning, which would be an error


def test_more_threads_than_cores_are_refused(store: RecordStore) -> None:
    with pytest.raises(InvalidCase, match=r"threads 1000000 are more than there are cores; allowed .* 1 to \d+"):
        sweep([Case(threads=1_000_000)], store, TIMING)
