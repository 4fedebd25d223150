"""Tests of the validity program: its planted slowdowns, its trials, and its table."""

import numpy as np
import pytest
import torch

from benchmarks.evidence import planted_slowdown
from benchmarks.evidence.planted_slowdown import SlowerByFive, Unchanged
from benchmarks.evidence.validity import (
    PLANTED,
    UNCHANGED,
    Trial,
    busy_core,
    case_of,
    judge_trials,
    main,
    run_trial,
    table,
)
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
    plain, planted = (build_workload(case_of(name, batch_size=1)) for name in (UNCHANGED, PLANTED["5 %"]))
    assert isinstance(plain.module, Unchanged)
    assert isinstance(planted.module, SlowerByFive)
    plain.module.units, planted.module.units = {plain.x.shape: 0}, {planted.x.shape: 7}  # so that nothing is timed
    assert torch.equal(plain.run(), planted.run())


def test_the_first_pass_sets_the_work_to_a_share_of_the_layers_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # The layer takes a millisecond, and so do a hundred units of work.
    monkeypatch.setattr(planted_slowdown, "median_seconds", lambda run: 1e-3)
    done: list[int] = []
    for name, units in ((UNCHANGED, 0), (PLANTED["2 %"], 2), (PLANTED["5 %"], 5)):
        workload = build_workload(case_of(name, batch_size=1))
        assert isinstance(workload.module, Unchanged)
        monkeypatch.setattr(workload.module, "work", done.append)
        workload.run()
        workload.run()
        assert workload.module.units == {workload.x.shape: units}
        assert done[-2:] == [units, units]


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
