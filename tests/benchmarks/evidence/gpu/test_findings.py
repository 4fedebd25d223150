"""Tests of findings: what is written is read, whatever happened to the process that wrote."""

import math
from pathlib import Path

from benchmarks.evidence.gpu.findings import append, latest, load


def test_findings_are_read_in_the_order_of_writing(tmp_path: Path) -> None:
    path = tmp_path / "findings.jsonl"
    assert load(path) == []
    for number in range(3):
        append(path, {"part": "a", "number": number})
    assert [finding["number"] for finding in load(path)] == [0, 1, 2]


def test_a_line_cut_off_by_a_kill_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "findings.jsonl"
    append(path, {"part": "a", "number": 0})
    with path.open("a") as file:
        file.write('{"part": "a", "numb')
    append(path, {"part": "a", "number": 2})
    assert [finding["number"] for finding in load(path)] == [0, 2]


def test_nan_is_written_as_a_text_that_float_reads(tmp_path: Path) -> None:
    path = tmp_path / "findings.jsonl"
    append(path, {"part": "a", "errors": {"output": math.nan}, "list": [math.inf]})
    [finding] = load(path)
    assert math.isnan(float(finding["errors"]["output"]))
    assert float(finding["list"][0]) == math.inf


def test_the_last_run_of_a_part_counts() -> None:
    found = [
        {"part": "a", "begins": "1"},
        {"part": "a", "number": 1},
        {"part": "b", "number": 9},
        {"part": "a", "begins": "2"},
        {"part": "a", "number": 2},
    ]
    assert latest(found, "a") == [{"part": "a", "number": 2}]
    assert latest(found, "c") == []
