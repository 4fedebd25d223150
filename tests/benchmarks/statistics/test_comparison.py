"""Comparisons of made-up rounds: false calls are rare, real changes are found, and intervals are as defined."""

import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.statistics.comparison import (
    WORDS,
    Comparison,
    Rounds,
    compare_rounds,
    minimum_detectable_effect,
    noise_floors,
)

# The spread between processes, and between two contenders of one process, as fractions of the time.
BETWEEN, WITHIN = 0.03, 0.01


def block(
    rng: np.random.Generator, effect: float = 0.0, rounds: int = 5, noise: float = WITHIN
) -> tuple[Rounds, Rounds]:
    """Make the rounds of two contenders that are timed in turns: b takes 1 + effect times as long as a."""
    both = []
    common = BETWEEN * rng.normal(size=(rounds, 1))
    for factor in (1.0, 1 + effect):
        own = noise / math.sqrt(2) * rng.normal(size=(rounds, 1))
        both.append((factor * np.exp(common + own + 0.02 * rng.normal(size=(rounds, 15)))).tolist())
    return both[0], both[1]


def words(effect: float, trials: int, *, noise: float = WITHIN, rounds: int = 5) -> dict[str, int]:
    """Count the verdicts of many comparisons, with the noise floor of twenty A/A pairs."""
    rng = np.random.default_rng(0)
    floor = minimum_detectable_effect([block(rng, rounds=rounds) for _ in range(20)])
    said = [
        compare_rounds(*block(rng, effect=effect, noise=noise, rounds=rounds), floor=floor).word for _ in range(trials)
    ]
    return {word: said.count(word) for word in WORDS}


def test_the_same_code_is_hardly_ever_called_different() -> None:
    said = words(0.0, trials=500)
    assert said["faster"] + said["slower"] <= 5


def test_a_case_that_is_noisier_than_the_twins_is_hardly_ever_called_different() -> None:
    said = words(0.0, trials=500, noise=4 * WITHIN)
    assert said["faster"] + said["slower"] <= 10  # the definition allows 1 %, plus more than two standard errors


def test_a_slowdown_of_five_percent_is_found_and_one_of_two_with_more_rounds() -> None:
    assert words(0.05, trials=100)["slower"] >= 95
    assert words(0.02, trials=100)["slower"] < 90 <= words(0.02, trials=100, rounds=10)["slower"]


def test_a_speedup_is_called_faster() -> None:
    assert words(-0.05, trials=40)["faster"] >= 38


def test_a_table_of_a_hundred_unchanged_cases_hardly_ever_has_a_false_call() -> None:
    rng, tables = np.random.default_rng(1), 0
    for _ in range(30):
        floor = minimum_detectable_effect([block(rng) for _ in range(20)], comparisons=100)
        said = {compare_rounds(*block(rng, noise=WITHIN * rng.uniform(0.5, 2)), floor=floor).word for _ in range(100)}
        tables += bool(said & {"faster", "slower"})
    assert tables <= 4


def test_pairing_finds_a_change_that_the_spread_between_processes_hides() -> None:
    a, b = block(np.random.default_rng(2), effect=0.05)
    paired, unpaired = (compare_rounds(a, b, 0.01, paired=paired) for paired in (True, False))
    assert (paired.word, unpaired.word) == ("slower", "ambiguous")
    assert paired.high - paired.low < unpaired.high - unpaired.low


def test_the_interval_is_students_for_pairs_and_welchs_without_pairs() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=6), 0.3 + 2 * rng.normal(size=6)
    a, b = ([[math.exp(value)] for value in values] for values in (x, y))
    paired = stats.ttest_rel(y, x).confidence_interval(0.99)
    welch = stats.ttest_ind(y, x, equal_var=False).confidence_interval(0.99)
    for comparison, theirs in ((compare_rounds(a, b, 0.0), paired), (compare_rounds(a, b, 0.0, paired=False), welch)):
        assert comparison.ratio == pytest.approx(math.exp(np.mean(y) - np.mean(x)))
        assert (comparison.low, comparison.high) == pytest.approx((math.exp(theirs.low), math.exp(theirs.high)))


@pytest.mark.parametrize(
    ("factor", "floor", "word"),
    [
        (1.0, 0.01, "same"),
        (1.015, 0.01, "slower"),  # certain, and beyond the floor
        (1.015, 0.016, "ambiguous"),  # certain, but below the floor: not the same
        (1.04, 0.05, "ambiguous"),
        (1.06, 0.05, "slower"),
        (1 / 1.06, 0.05, "faster"),
    ],
)
def test_no_call_inside_the_floor(factor: float, floor: float, word: str) -> None:
    steady = [[1.0, 1.0, 1.0]] * 5
    assert compare_rounds(steady, [[factor * x for x in samples] for samples in steady], floor).word == word


@pytest.mark.parametrize("paired", [True, False])
def test_one_round_says_nothing_about_the_next(paired: bool) -> None:
    assert compare_rounds([[1.0]], [[2.0]], 0.01, paired=paired) == Comparison("ambiguous", 2.0, 0.0, math.inf)


def test_a_round_that_one_side_lacks_is_left_out() -> None:
    a, b = [[1.0], [1.0], [5.0]], [[1.2], [1.2], []]
    assert compare_rounds(a, b, 0.01) == compare_rounds(a[:2], b[:2], 0.01)
    assert compare_rounds(a, b, 0.01, paired=False).ratio == pytest.approx(1.2 / 5 ** (1 / 3))


def test_rounds_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(ValueError, match="^2 and 1 rounds are not pairs; allowed: equally many$"):
        compare_rounds([[1.0], [1.0]], [[1.0]], 0.01)
    for paired in (True, False):
        with pytest.raises(ValueError, match="^no samples to compare"):
            compare_rounds([[]], [[]], 0.01, paired=paired)


def test_the_floor_grows_with_noise_and_with_the_number_of_comparisons() -> None:
    rng = np.random.default_rng(4)
    quiet, loud = ([block(rng, noise=noise) for _ in range(20)] for noise in (0.005, 0.02))
    assert minimum_detectable_effect(quiet) < 0.5 * minimum_detectable_effect(loud)
    assert minimum_detectable_effect(quiet) == minimum_detectable_effect(quiet, comparisons=10)
    assert minimum_detectable_effect(quiet) < minimum_detectable_effect(quiet, comparisons=100)


def test_a_constant_difference_between_twins_is_noise_too() -> None:
    assert minimum_detectable_effect([([[1.0]] * 5, [[1.01]] * 5)] * 10) > 0.01


def test_a_kind_has_its_own_floor_if_it_has_enough_twins_and_else_the_largest() -> None:
    rng = np.random.default_rng(5)
    quiet, loud = ([block(rng, noise=noise) for _ in range(5)] for noise in (0.002, 0.05))
    own = {"quiet": minimum_detectable_effect(quiet), "loud": minimum_detectable_effect(loud)}
    assert noise_floors({"quiet": quiet, "loud": loud}) == own
    assert noise_floors({"quiet": quiet[:4], "loud": loud}) == dict.fromkeys(own, own["loud"])
    assert noise_floors({"loud": loud[:1]}) == {"loud": minimum_detectable_effect(loud[:1])}
    assert noise_floors({}) == {}


def test_the_floor_of_one_kind_calls_few_unchanged_cases_of_it_different() -> None:
    rng = np.random.default_rng(6)
    twins = {noise: [block(rng, noise=noise) for _ in range(20)] for noise in (0.005, 0.05)}
    floors = noise_floors(twins)
    for noise, floor in floors.items():
        said = [compare_rounds(*block(rng, noise=noise), floor=floor).word for _ in range(400)]
        assert sum(word in ("faster", "slower") for word in said) <= 6


def test_without_twins_there_is_no_floor() -> None:
    with pytest.raises(ValueError, match="no A/A twins"):
        minimum_detectable_effect([])
