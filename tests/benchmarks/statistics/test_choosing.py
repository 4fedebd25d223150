"""A contender is taken for its cost only where its accuracy is shown to be near the best one."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from benchmarks.statistics.choosing import MARGIN, Accuracies, Choice, choose, compared_accuracies, pair_levels


def by_seed(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def test_what_is_shown_is_what_paired_t_tests_show() -> None:
    rng = np.random.default_rng(20261127)
    seen = set()
    for _ in range(200):
        values = rng.normal(rng.uniform(0.9, 0.93, (4, 1)), 0.003, (4, 5))
        found = compared_accuracies([by_seed(*row) for row in values.tolist()])
        for i, j in ((i, j) for i in range(4) for j in range(4) if i != j):
            more, less = "greater", "less"
            tests = (
                (found.better, 0.0, more, 0.025 / 6),
                (found.near, -MARGIN, more, 0.05 / 3),
                (found.far, -MARGIN, less, 0.025 / 6),
            )
            for pairs, threshold, sign, level in tests:
                shown = stats.ttest_rel(values[i], values[j] + threshold, alternative=sign).pvalue < level
                assert ((i, j) in pairs) == shown
                seen.add((threshold, sign, shown))
    assert len(seen) == 6


def test_few_seeds_show_nothing() -> None:
    found = compared_accuracies([by_seed(0.99, 0.98), by_seed(0.10, 0.11)])
    assert (found.better, found.near, found.far, found.seeds) == (frozenset(), frozenset(), frozenset(), 2)
    assert found.lower == {(1, 0)}
    assert choose(found, [2.0, 1.0]) == Choice(0, 0, near=(), cheapest=False, undecided=(), lower=(1,))


def test_what_every_seed_shows_is_not_called_undecided() -> None:
    """Three seeds that are 5.7 to 10.3 points below the best one do not pass a corrected test."""
    best, middle = by_seed(0.96, 0.953, 0.967), by_seed(0.955, 0.951, 0.95)
    plain = by_seed(0.857, 0.896, 0.90)
    contenders = [best, plain, middle, *[by_seed(0.9, 0.8, 0.95)] * 4]
    choice = choose(compared_accuracies(contenders), [4, 1, 2, 5, 5, 5, 5])
    assert choice is not None
    assert (choice.chosen, choice.lower, choice.undecided, choice.far) == (0, (1,), (2,), ())


def test_a_difference_of_exactly_the_margin_is_not_more_than_it() -> None:
    """In binary fractions the difference of 287 and 284 of 300 images, 1 point, is a little more than 0.01."""
    best, other = by_seed(288 / 300, 287 / 300, 290 / 300), by_seed(284 / 300, 284 / 300, 281 / 300)
    assert best[1] - other[1] > MARGIN
    assert compared_accuracies([best, other]).lower == frozenset()
    assert compared_accuracies([best, other | {1: 283 / 300}]).lower == {(1, 0)}


def test_equal_means_compare_as_equal() -> None:
    one, two = (0.1, 0.2, 0.3), (0.3, 0.2, 0.1)
    assert sum(one) != sum(two)
    means = compared_accuracies([by_seed(*one), by_seed(*two)]).means
    assert means[0] == means[1]


def test_only_shared_seeds_are_paired() -> None:
    ours, theirs = {0: 0.9, 1: 0.91, 2: 0.92, 7: 0.1}, {0: 0.8, 1: 0.811, 2: 0.822, 8: 0.99}
    found = compared_accuracies([ours, theirs])
    assert found.seeds == 3
    assert (0, 1) in found.better


MEANS = (0.96, 0.958, 0.95, 0.80)


@pytest.mark.parametrize(
    ("near", "far", "costs", "expected"),
    [
        ({(1, 0)}, {(3, 0)}, (4, 2, 1, 0.5), Choice(1, 0, (1,), False, (2,), (), (3,))),
        ({(1, 0)}, {(3, 0)}, (4, 5, 1, 0.5), Choice(0, 0, (1,), False, (2,), (), (3,))),
        ({(1, 0), (2, 0)}, set(), (4, 2, 2, 3), Choice(1, 0, (1, 2), True, ())),
        (set(), set(), (4, 2, 1, 0.5), Choice(0, 0, (), False, (1, 2, 3))),
        ({(1, 0), (2, 0)}, set(), (4, 2, 1, 3), Choice(2, 0, (1, 2), True, ())),
        ({(1, 0)}, set(), (math.nan, 2, 1, 3), Choice(1, 0, (1,), False, (2,))),
        ({(1, 0)}, set(), (math.nan,) * 4, Choice(0, 0, (1,), True, ())),
    ],
)
def test_the_cheapest_that_is_near_the_best_is_taken(
    near: set[tuple[int, int]], far: set[tuple[int, int]], costs: tuple[float, ...], expected: Choice
) -> None:
    assert choose(Accuracies(MEANS, frozenset(), frozenset(near), frozenset(far), 5), costs) == expected


def test_without_an_accuracy_there_is_no_choice() -> None:
    assert choose(compared_accuracies([]), []) is None
    assert choose(compared_accuracies([{}]), [1.0]) is None


def share_of_equal(spread: float, k: int, called: Callable[[Accuracies, int, int], bool], studies: int = 500) -> float:
    """Return the share of studies of k equal networks, of five seeds, in which one is ``called`` so beside the best."""
    rng, wrong = np.random.default_rng(1), 0
    for _ in range(studies):
        found = compared_accuracies([by_seed(*row) for row in rng.normal(0.7, spread, (k, 5)).tolist()])
        best = int(np.argmax(found.means))
        wrong += any(called(found, best, i) for i in range(k))
    return wrong / studies


def test_networks_like_the_best_are_rarely_called_less_accurate() -> None:
    wrong = share_of_equal(0.004, 6, lambda found, best, i: (best, i) in found.better)
    assert wrong <= 0.05


@pytest.mark.parametrize("asked", [(), [(5, 2), (0, 1)], [(i, j) for i in range(9) for j in range(i)]])
def test_the_levels_of_all_pairs_together_are_five_percent(asked: list[tuple[int, int]]) -> None:
    levels = pair_levels(9, asked)
    assert len(levels) == 36
    assert math.fsum(levels.values()) == pytest.approx(0.05)
    if len(asked) == 2:
        assert levels[2, 5] == levels[0, 1] == pytest.approx(0.0125)


def test_a_pair_that_was_asked_for_does_not_pay_for_all_pairs_of_a_large_study() -> None:
    """The first two of nine contenders differ with p = 0.0026: less than 0.05 / 6, and more than 0.05 / 36."""
    contenders = [by_seed(0.96, 0.963, 0.961, 0.962, 0.964), by_seed(0.95, 0.951, 0.956, 0.95, 0.951)]
    contenders += [by_seed(0.9, 0.99, 0.91, 0.97, 0.95)] * 7
    assert (0, 1) not in compared_accuracies(contenders).better
    assert (0, 1) in compared_accuracies(contenders, asked=[(1, 0), (2, 0), (3, 0)]).better


def test_noisy_networks_like_the_best_are_rarely_called_far_below_it() -> None:
    """The best of equal networks is best by luck, and was compared with the others as if it had been named before."""
    wrong = share_of_equal(0.05, 9, lambda found, best, i: (i, best) in found.far)
    assert wrong <= 0.03
