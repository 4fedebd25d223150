"""Tests of the part that compares the algorithms of the full layer, on a processor."""

from pathlib import Path

import pytest

from benchmarks.evidence.gpu import algorithms, cells, findings
from benchmarks.evidence.gpu.job import Job


def test_every_algorithm_of_every_full_layer_is_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(algorithms, "TIMED_PASSES", 2)
    job = Job("algorithms", tmp_path, "cpu", "smoke", 60.0)
    algorithms.run(job)
    found = findings.load(job.findings)
    expected = [
        (case.label, algorithm)
        for case in cells.full_layers("cpu", "smoke")
        for algorithm in (("direct", "disc", "fourier") if case.dtype == "float32" else ("direct", "disc"))
    ]
    assert [(finding["case"], finding["algorithm"]) for finding in found] == expected
    assert all(finding["seconds"] > 0 for finding in found)


def test_an_algorithm_that_fails_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(case: object, algorithm: str) -> dict[str, float | None]:
        if algorithm == "disc":
            raise MemoryError("planted")
        return {"seconds": 1.0, "peak_bytes": None}

    monkeypatch.setattr(algorithms, "timed", timed)
    job = Job("algorithms", tmp_path, "cpu", "smoke", 60.0)
    algorithms.run(job)
    by_algorithm = {finding["algorithm"]: finding for finding in findings.load(job.findings)}
    assert by_algorithm["disc"]["raised"]
    assert by_algorithm["fourier"]["seconds"] == 1.0
