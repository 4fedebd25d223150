"""Tests of the grid of ``docs/performance.md``: its cases, its contenders, and the table of ratios."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.cases.case import OURS, Case
from benchmarks.evidence import peers_grid
from benchmarks.evidence.peers_grid import contenders_of, is_too_long, main, peers_cases, tables
from benchmarks.measure.sampling import Sampling
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore

SMALL = Case(variant="full", direction="forward", channels=8, resolution=4, batch_size=1, kernel_size=5)
LARGE = Case(variant="full", direction="forward", channels=16, resolution=4, batch_size=1, kernel_size=5)


def test_only_full_layers_of_many_channels_are_left_out() -> None:
    kept = {variant: {case for case in peers_cases(1) if case.variant == variant} for variant in ("separable", "full")}
    assert len(kept["separable"]) == 2 * 3 * 4 * 3 * 2  # passes, batch sizes, channels, |H|, kernel sizes
    assert 0 < len(kept["full"]) < len(kept["separable"])
    widest = replace(SMALL, channels=64, resolution=16, batch_size=64, kernel_size=7)
    assert is_too_long(widest)
    assert not is_too_long(SMALL)


def test_contenders_are_ours_and_the_available_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GCNN_AUTHORS", raising=False)
    names = [case.implementation for case in contenders_of(SMALL)]
    assert names[:2] == [OURS, "torch"]
    assert "authors" not in names


def measured(case: Case, implementation: str, seconds: float) -> tuple[str, Record]:
    other = replace(case, implementation=implementation)
    return other.id, {"id": other.id, "seconds": {"median": seconds}}


def test_the_table_has_geometric_means_and_counts_where_ours_takes_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers_grid, "why_unavailable", lambda case: None)
    results = dict(
        [
            *(measured(SMALL, name, seconds) for name, seconds in ((OURS, 2.0), ("torch", 1.0), ("escnn", 4.0))),
            *(measured(LARGE, name, seconds) for name, seconds in ((OURS, 1.0), ("torch", 4.0), ("escnn", 3.0))),
        ]
    )
    lines = tables([SMALL, LARGE], results, lambda record: record["seconds"]["median"])
    rows = {line.split("|")[1].strip(): line.split("|")[2].strip() for line in lines}
    assert rows == {
        "full, inference: torch / ours": "1.41 [0.50, 4.00] n=2, 1 more",
        "full, inference: escnn / ours": "2.45 [2.00, 3.00] n=2, 0 more",
        "full, inference: best of them / ours": "1.22 [0.50, 3.00] n=2, 1 more",
    }


def test_a_measured_cell_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = Case(variant="separable", resolution=4, channels=2, batch_size=1, image_size=9, threads=1)
    monkeypatch.setattr(peers_grid, "peers_cases", lambda threads: [small])
    monkeypatch.setattr(peers_grid, "SAMPLING", Sampling(rounds=2, min_samples=2, seconds=0.01))
    monkeypatch.setattr(
        peers_grid, "contenders_of", lambda case: [case, Case(**{**case.fields(), "implementation": "torch"})]
    )
    for _ in range(2):
        assert main(["--results", str(tmp_path)]) == 0
    records = RecordStore(tmp_path).load()
    assert {record["case"]["implementation"] for record in records if record["kind"] == "cost"} == {OURS, "torch"}
    lines = (tmp_path / "records.jsonl").read_text().splitlines()
    assert len(lines) == 3  # two contenders and a twin, each stored once
    assert capsys.readouterr().out.count("| separable, inference: torch / ours |") == 4  # times and memory, twice
