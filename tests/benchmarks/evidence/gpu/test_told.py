"""Tests of the words: lines of findings and of records, whole or cut off by a kill."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.cases.case import Case
from benchmarks.evidence.gpu import cells, told
from benchmarks.evidence.gpu.job import Job
from benchmarks.records.cost_fields import COST_MEASURED
from benchmarks.records.field import empty
from benchmarks.records.record import SCHEMA, Record
from benchmarks.records.store import RecordStore

MACHINE = {"cpu": "a processor", "cores": 2, "gpu": None}


def record(case: Case, seconds: float) -> Record:
    rounds = [[seconds * (1 + 0.001 * number)] * 3 for number in (-1, 0, 1)]
    return {
        "schema": SCHEMA,
        "kind": "cost",
        "id": case.id,
        "case": case.fields(),
        "status": "ok",
        "message": "",
        **empty(COST_MEASURED),
        "seconds": {"rounds": rounds, "median": seconds, "ci_low": seconds, "ci_high": seconds},
        "memory": {"peak_bytes": 3 * told.MIB},
        "provenance": dict(MACHINE),
    }


def job(part: str, out: Path) -> Job:
    return Job(part, out, "cpu", "smoke", 10.0)


def checked(**changes: Any) -> dict[str, Any]:
    fields = {"check": "layer", "variant": "full", "group": "SO2(4)", "format": "float32", "triton": False}
    return {**fields, "errors": {"output": 1e-7, "input": 2e-7}, "wrong": [], **changes}


def test_the_line_of_correctness_names_what_is_wrong_and_the_largest_error(tmp_path: Path) -> None:
    found = [
        {"operators_in_triton": ["depthwise"]},
        checked(),
        checked(format="bfloat16", errors={"output": "nan"}, wrong=["output"], triton=True),
    ]
    line = told.of_correctness(job("correctness", tmp_path), found)
    assert line.startswith("2 compared, 1 wrong: layer full SO2(4) bfloat16 Triton; largest error float32 2.0e-07")
    assert line.endswith("Triton: depthwise")


def test_the_line_of_layers_has_the_times_of_the_records(tmp_path: Path) -> None:
    for number, case in enumerate(cells.layers("cpu", "smoke")):
        RecordStore(tmp_path / "results").append(record(case, 1e-3 * (number + 1)))
    counts = {"cases": 10, "measured": 9, "failed": 1, "skipped": 0, "already_there": 0, "left": 0}
    line = told.of_layers(job("layers", tmp_path), [counts])
    assert line == "training pass: separable 1 ms, full 2 ms, plain 3 ms; of 10 cases 9 measured, 1 failed"


def test_the_line_of_the_network_has_time_throughput_and_memory(tmp_path: Path) -> None:
    case = cells.network("cpu", "smoke")[0]
    RecordStore(tmp_path / "results").append(record(case, 0.01))
    line = told.of_network(job("network", tmp_path), [])
    assert line.startswith("step: separable float32 eager 10 ms, 200 images/s, 3 MiB; it ended before")


@pytest.mark.parametrize(("factor", "word"), [(0.5, "1 faster, 0 slower"), (2.0, "0 faster, 1 slower")])
def test_the_word_of_a_comparison_says_whether_triton_is_faster(factor: float, word: str, tmp_path: Path) -> None:
    case = cells.layers("cpu", "smoke")[0]
    RecordStore(tmp_path / "results").append(record(case, 0.01))
    RecordStore(tmp_path / "results-triton").append(record(case, 0.01 * factor))
    assert told.of_triton(job("triton", tmp_path), []).startswith(word)
    [compared] = told.summary([job("triton", tmp_path)])["triton"]
    assert compared["word"] == ("faster" if factor < 1 else "slower")
    assert compared["ratio"] == pytest.approx(factor)


def test_the_line_of_peers_has_ratios_to_ours(tmp_path: Path) -> None:
    chosen = [case for case in cells.peers("cpu", "smoke") if case.variant == "full"]
    for case in chosen:
        if case.direction == "forward_backward" and case.implementation in ("gcnn_impl", "torch"):
            RecordStore(tmp_path / "results").append(record(case, 0.01 if case.foreign else 0.02))
    assert told.of_peers(job("peers", tmp_path), []).startswith("training pass / ours: torch full 0.50; ")


def test_the_line_of_algorithms_names_the_fastest_of_each_layer(tmp_path: Path) -> None:
    found = [
        {"case": "a", "algorithm": "direct", "seconds": 2.0},
        {"case": "a", "algorithm": "disc", "seconds": 3.0},
        {"case": "a", "algorithm": "fourier", "seconds": 1.0},
        {"case": "b", "algorithm": "direct", "raised": "out of memory"},
        {"case": "b", "algorithm": "disc", "seconds": 1.0},
    ]
    assert told.of_algorithms(job("algorithms", tmp_path), found) == "a: fourier 0.50; b: disc"


def test_every_line_can_be_written_of_a_part_that_found_nothing(tmp_path: Path) -> None:
    for part in told.LINES:
        assert isinstance(told.LINES[part](job(part, tmp_path), []), str)


def test_findings_of_an_unknown_form_spoil_only_their_own_line(tmp_path: Path) -> None:
    jobs = [job("profile", tmp_path), job("page", tmp_path)]
    jobs[0].note(launches="many")
    jobs[1].note(bytes=2 * 2**20)
    jobs[1].note(status="ok", reason="", seconds=1)
    _, profile, page, last = told.table(jobs)
    assert "no line: " in profile
    assert page.split() == ["page", "ok", "1", "2.0", "MiB"]
    assert last == "not ok: profile (not run)"
