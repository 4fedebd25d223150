"""Tests of the runs of ``compare`` that are made up of measured pairs: of pairs whose ratios are known."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cases.case import Case
from benchmarks.comparing.deciding import groups
from benchmarks.comparing.pairs import Taken
from benchmarks.comparing.passes import Pass
from benchmarks.evidence import resampled_runs
from benchmarks.evidence.resampled_runs import Pair, append, at_random, consecutive, load, main, most_pairs, run_of
from benchmarks.evidence.whole_runs import CHANGED, four_cases
from benchmarks.statistics.verdicts import FINE, REGRESSED, UNDECIDED

SECONDS = 10.0


def pairs(count: int, *, slower: float = 0.0, spread: float = 0.005, planted: str = "same") -> list[Pair]:
    """Return pairs whose separable layer is slower by a fraction, and whose ratios differ by ``spread``."""
    rng, [group] = np.random.default_rng(0), groups(four_cases(threads=1))
    return [
        Pair(
            planted,
            False,
            SECONDS,
            {
                one.case.label: (np.log1p(slower) if one.case.variant == CHANGED and not one.control else 0.0)
                + spread * float(rng.normal())
                for one in group
            },
        )
        for _ in range(count)
    ]


def test_a_run_has_the_pairs_for_which_compare_has_time() -> None:
    assert most_pairs(pairs(3)) == 36  # of ten seconds, in six minutes for four cases


def test_the_same_code_is_fine_and_a_planted_slowdown_regresses_on_a_calm_machine() -> None:
    assert {run.verdict for run in at_random(pairs(40), "same", 50)} == {FINE}
    found = at_random(pairs(40, slower=0.05, planted="5 %"), "5 %", 50)
    assert {run.verdict for run in found} == {REGRESSED}
    assert not any(run.wrong for run in found)


def test_an_unchanged_case_that_regresses_is_wrong() -> None:
    assert all(run.wrong for run in consecutive(pairs(20, slower=0.3), "same"))


def test_a_restless_machine_is_undecided_after_all_pairs_for_which_there_is_time() -> None:
    runs = at_random(pairs(40, spread=0.2), "same", 20)
    assert {run.verdict for run in runs} == {UNDECIDED}
    assert {run.pairs for run in runs} == {36}


def test_consecutive_runs_begin_at_every_pair_and_have_its_drift() -> None:
    calm, slow = pairs(10), pairs(10, slower=0.3, planted="5 %")
    runs = consecutive([*calm, *slow], "5 %")
    assert len(runs) == 20
    assert runs[0].verdict == FINE  # its first look comes before the drift
    assert runs[10].verdict == REGRESSED


def test_the_verdict_of_a_run_is_that_of_its_own_size() -> None:
    two = pairs(20, slower=0.02, spread=0.001)
    assert run_of(two, "same", 18).verdict == FINE  # 5 % was asked about
    assert run_of(two, "2 %", 18).verdict == REGRESSED


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """A made-up machine; the list has the place of B and the number of each pair."""
    asked: list[tuple[str, int]] = []

    @contextlib.contextmanager
    def place(planted: object) -> Iterator[Path]:
        yield Path(str(planted))

    def measure_pair(
        places: Mapping[str, Path], entries: Mapping[int, Case], number: int, timeout: float, unchecked: Collection[int]
    ) -> dict[int, Taken]:
        asked.append((str(places["B"]), number))
        turns = {side: [[Pass(seconds, 0.0, 0.0)]] * 60 for side, seconds in (("A", 1e-3), ("B", 1.1e-3))}
        return {entry: Taken(turns, undisturbed=60) for entry in entries}

    monkeypatch.setattr(resampled_runs, "planted_place", place)
    monkeypatch.setattr(resampled_runs, "measure_pair", measure_pair)
    monkeypatch.setattr(resampled_runs, "set_measuring_environment", lambda: None)
    monkeypatch.setattr(resampled_runs, "STRETCH", 2)
    monkeypatch.setattr(resampled_runs, "default_minutes", lambda cases: 0.0)  # else runs have a million pairs
    return asked


def test_kinds_take_turns_and_every_pair_is_in_the_file_with_its_machine(
    machine: list[tuple[str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "pairs.jsonl"), "--measure", "3", "--runs", "5"]) == 0
    assert [number for _, number in machine] == [0, 1, 0, 1, 0, 1, 2, 2, 2]
    found = load(tmp_path / "pairs.jsonl")
    assert [pair.planted for pair, _ in found] == ["same", "same", "5 %", "5 %", "2 %", "2 %", "same", "5 %", "2 %"]
    assert all(value == pytest.approx(np.log(1.1)) for pair, _ in found for value in pair.logs.values())
    assert {"cpu", "cores", "commit", "dirty", "torch"} == set(found[0][1])
    printed = capsys.readouterr().out
    assert printed.count("3 consecutive") == printed.count("5 at random") == 3


def test_a_file_keeps_what_was_measured(tmp_path: Path) -> None:
    some = pairs(3)
    for pair in some:
        append(tmp_path / "pairs.jsonl", pair)
    assert [pair for pair, _ in load(tmp_path / "pairs.jsonl")] == some


def test_a_case_that_fails_is_an_error(machine: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampled_runs, "measure_pair", lambda places, entries, *_: {n: Taken() for n in entries})
    with pytest.raises(RuntimeError, match="too few turns"):
        resampled_runs.measured("same", {}, False, 0)
