"""Tests of the validity program: its planted slowdowns, its trials, and its table."""

import numpy as np
import pytest
import torch

from benchmarks.evidence.planted_slowdown import SlowerByFive, Unchanged
from benchmarks.evidence.validity import PLANTED, Trial, busy_core, case_of, judge_trials, main, run_trial, table
from benchmarks.measure.sampling import Sampling
from benchmarks.statistics.comparison import WORDS
from benchmarks.workloads.build import build_workload


def trial(rng: np.random.Generator, planted: str, effect: float = 0.0) -> Trial:
    def rounds(factor: float) -> list[list[float]]:
        return [[factor * float(np.exp(0.005 * x))] for x in rng.normal(size=5)]

    return Trial(planted, rounds(1.0), rounds(1 + effect))


def test_the_table_counts_words_by_what_was_planted() -> None:
    rng = np.random.default_rng(0)
    trials = [trial(rng, "A/A") for _ in range(30)] + [trial(rng, "5 %", 0.05) for _ in range(10)]
    head, unchanged, slower = (line.split() for line in table(judge_trials(trials)))
    assert head[2:6] == list(WORDS)
    assert (unchanged[:2], sum(map(int, unchanged[2:4]))) == (["A/A", "30"], 0)
    assert slower[:6] == ["5", "%", "10", "0", "10", "0"]


def test_the_planted_layer_computes_what_the_unchanged_one_does() -> None:
    case = case_of(PLANTED["5 %"], batch_size=1)
    plain, planted = (
        build_workload(case_of("benchmarks.evidence.planted_slowdown:Unchanged", batch_size=1)),
        build_workload(case),
    )
    assert torch.equal(plain.run(), planted.run())
    assert isinstance(plain.module, Unchanged)
    assert isinstance(planted.module, SlowerByFive)
    assert plain.module.units == {plain.x.shape: 0}
    assert planted.module.units[planted.x.shape] > 0


def test_a_trial_is_rounds_of_two_contenders() -> None:
    measured = run_trial("2 %", 1, Sampling(rounds=2, min_samples=4, seconds=0.01))
    assert [len(measured.a), len(measured.b)] == [2, 2]
    assert all(samples and min(samples) > 0 for samples in (*measured.a, *measured.b))


def test_a_core_is_kept_busy_and_released() -> None:
    with busy_core() as process:
        assert process.poll() is None
    assert process.poll() is not None


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--trials", "2", "--planted", "1", "--rounds", "2", "--seconds", "0.01"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-3:]] == ["A/A", "2", "5"]
