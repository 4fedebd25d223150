"""The grid of ``docs/performance.md``: its cells, what is measured of one, its table, and going on where it stopped."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import grid
from benchmarks.cases import Case
from benchmarks.measure.environment import MEASURING_ENVIRONMENT

SMALL = Case(variant="separable", resolution=4, channels=2, batch_size=2, image_size=9, kernel_size=5, threads=1)


def test_the_cells_are_all_combinations_each_with_a_name_of_its_own() -> None:
    cells = [case for variant in grid.VARIANTS for case in grid.cells(variant, threads=2)]
    assert len(cells) == 2 * 2 * 3 * 4 * 3 * 2  # variants, passes, |H|, C, batches, kernel sizes
    assert len({grid.key(case) for case in cells}) == len(cells)


def test_only_full_layers_of_many_channels_are_left_out() -> None:
    left_out = [case for variant in grid.VARIANTS for case in grid.cells(variant, threads=2) if grid.is_too_long(case)]
    assert {case.variant for case in left_out} == {"full"}
    assert min(case.channels * case.resolution * case.batch_size for case in left_out) >= 64 * 64


def test_contenders_take_as_many_turns_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "CELL_SECONDS", float("inf"))  # or a slow machine stops sooner
    seconds = grid.measure_seconds(SMALL)
    assert {"ours", "torch", "torch NCHW"} <= set(seconds)
    assert {len(samples) for samples in seconds.values()} == {grid.MOST_PASSES}
    assert min(sample for samples in seconds.values() for sample in samples) > 0


@pytest.mark.parametrize("variant", ["separable", "full"])
def test_a_peak_of_memory_holds_at_least_the_output(variant: str) -> None:
    case = Case(variant=variant, resolution=4, channels=4, batch_size=8, image_size=16, kernel_size=5, threads=1)
    peaks = grid.measure_peaks(case)
    output = 8 * 4 * 4 * 16 * 16 * 4  # B·C·|H|·H·W float32
    assert all(len(samples) == 1 and output <= samples[0] < 20 * output for samples in peaks.values())


def test_the_table_has_geometric_means_and_counts_where_ours_takes_more() -> None:
    small, large = (
        Case(variant="full", direction="forward", channels=channels, resolution=4, kernel_size=5, image_size=28)
        for channels in (8, 16)
    )
    results = {
        grid.key(small): {"ours": [2.0, 1.0, 9.0], "torch": [1.0], "escnn": [4.0]},
        grid.key(large): {"ours": [1.0], "torch": [4.0], "escnn": [3.0]},
    }
    batch = grid.BATCHES.index(small.batch_size)
    rows = {line.split("|")[1].strip(): line.split("|")[2 + batch].strip() for line in grid.tables(results, 1)}
    assert rows == {
        "full, inference: escnn / ours": "2.45 [2.00, 3.00] n=2, 0 more",
        "full, inference: torch / ours": "1.41 [0.50, 4.00] n=2, 1 more",
        "full, inference: best of them / ours": "1.22 [0.50, 3.00] n=2, 1 more",
    }


@pytest.mark.parametrize(("option", "unit"), [([], "seconds"), (["--memory"], "bytes")])
def test_a_cell_that_was_measured_is_not_measured_again(
    option: list[str], unit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in MEASURING_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    measured: list[str] = []

    def measure(case: Case) -> dict[str, list[float]]:
        measured.append(grid.key(case))
        return {"ours": [1.0], "torch": [3.0]}

    monkeypatch.setattr(grid, f"measure_{'peaks' if option else 'seconds'}", measure)
    path = tmp_path / "deep" / "grid.jsonl"
    monkeypatch.setattr(sys, "argv", ["grid", *option, "--results", str(path), "--only", "separable forward b1 C8 H4"])
    for _ in range(2):
        assert grid.main() == 0
    assert measured == ["separable forward b1 C8 H4 k5", "separable forward b1 C8 H4 k7"]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [{"cell": name, unit: {"ours": [1.0], "torch": [3.0]}} for name in measured]
    assert "| separable, inference: torch / ours | 3.00 [3.00, 3.00] n=2, 0 more |" in capsys.readouterr().out
