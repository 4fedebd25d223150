"""The number of seeds that a study trains follows from the spread of its pilot."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from benchmarks.statistics.power import seeds_to_find
from benchmarks.studies.contenders import Contender
from benchmarks.studies.pairs import claimed_pairs
from benchmarks.studies.pilot import pilot_lines, seeds_to_train, spreads
from benchmarks.studies.results import StudyResults
from benchmarks.studies.study import MOST_SEEDS, Study
from tests.benchmarks.studies.made_up_study import STUDY, decisions_of
from tests.benchmarks.training_records import training_record

PAIR = replace(STUDY, kinds=("full", "separable"), resolutions=(8,), matches=("parameters",))
UNIT = np.array([-1.0, 0.0, 1.0, -1.0, 1.0])  # a standard deviation of 1


def results_with(differences: Sequence[float], study: Study = PAIR) -> StudyResults:
    """Return results in which separable is more accurate than full by these differences, seed by seed."""
    decisions = replace(decisions_of(lambda contender: 0.01, study), seeds=len(differences))
    records = []
    for matched, contender in decisions.widths:
        for run, difference in zip(decisions.runs(matched, contender), differences, strict=True):
            level = 0.9 + (difference if contender.variant == "separable" else 0.0)
            made = training_record([0.1, level], seed=run.seed, test_accuracy=level)
            records.append({**made, "id": run.id, "run": run.fields()})
    return StudyResults.of(decisions, records)


@pytest.mark.parametrize(
    ("points", "seeds"),
    [(0.1, 5), (0.5, 5), (0.8, 8), (1.0, 10), (2.0, 5)],
    ids=["calm", "just enough", "eight", "ten", "no number that is allowed is enough"],
)
def test_a_larger_spread_asks_for_more_seeds_up_to_a_limit(points: float, seeds: int) -> None:
    results = results_with(0.01 * points * UNIT)
    (spread,) = spreads(results)
    assert spread.deviation == pytest.approx(0.01 * points)
    assert seeds_to_train(results) == seeds
    if seeds > len(UNIT):
        assert spread.needed == seeds <= MOST_SEEDS


def test_the_mean_difference_does_not_change_the_number_of_seeds() -> None:
    assert seeds_to_train(results_with(0.008 * UNIT + 0.05)) == seeds_to_train(results_with(0.008 * UNIT)) == 8


def test_seeds_after_the_pilot_do_not_change_their_own_number() -> None:
    assert seeds_to_train(results_with([*(0.008 * UNIT), 0.3, -0.3])) == 8


def test_a_small_pilot_is_not_extended() -> None:
    assert seeds_to_train(results_with(0.008 * UNIT[:3], replace(PAIR, seeds=3))) == 3
    assert spreads(results_with(0.008 * UNIT[:2], replace(PAIR, seeds=2))) == []
    assert pilot_lines(results_with(0.008 * UNIT[:2], replace(PAIR, seeds=2))) == []


def test_the_table_says_what_the_pilot_asks_for() -> None:
    text = "\n".join(pilot_lines(results_with(0.008 * UNIT)))
    row = next(line for line in text.splitlines() if line.startswith("separable SE(2) |H|=8 − full SE(2) |H|=8"))
    assert row.split()[-4:] == ["parameters", "0.80", "1.3", "8"]
    assert "this one trains 5" in text


def test_every_claim_has_its_pairs() -> None:
    study = replace(STUDY, kinds=("plain", "plain+", "full", "separable", "sim2"), resolutions=(4, 8))
    separable = [Contender("separable", "SO2", n) for n in (4, 8)]
    full = [Contender("full", "SO2", n) for n in (4, 8)]
    sim2 = Contender("separable", "SO2xRPlus", 8, 2, 2)
    augmented = Contender("plain", augmentation="rotations")
    assert claimed_pairs(study) == [
        list(zip(separable, full, strict=True)),
        [(sim2, separable[0])],
        [(ours, augmented) for ours in separable],
    ]
    assert len(claimed_pairs(replace(study, test_angles=8))) == 2  # images in one pose ask nothing of augmentation


@pytest.mark.parametrize("spread", [0.006, 0.01])
def test_tests_after_a_pilot_find_what_is_not_there_in_six_of_100_studies(spread: float) -> None:
    differences = np.random.default_rng(0).normal(0.0, spread, (4000, MOST_SEEDS))
    deviations = differences[:, :5].std(axis=1, ddof=1)
    needed = np.array([seeds_to_find(0.01, each) or MOST_SEEDS + 1 for each in deviations])
    trained = np.where(needed > MOST_SEEDS, 5, np.maximum(needed, 5))
    found = [
        stats.ttest_1samp(differences[trained == n][:, :n], 0.0, axis=1).pvalue < 0.05 for n in range(5, MOST_SEEDS + 1)
    ]
    assert 0.04 < np.concatenate(found).mean() < 0.07
