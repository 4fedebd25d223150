"""What a number of seeds can find: the predicted power is that of simulated studies."""

import numpy as np
import pytest

from benchmarks.statistics.over_seeds import paired_tests
from benchmarks.statistics.power import MOST_SEEDS, detectable, seeds_to_find, superiority


@pytest.mark.parametrize("seeds", [5, 10])
def test_a_detectable_difference_is_found_in_80_of_100_simulated_studies(seeds: int) -> None:
    generator = np.random.default_rng(0)
    differences = generator.normal(detectable(1.0, seeds), 1.0, size=(2000, seeds))
    words = [paired_tests([(row.tolist(), [0.0] * seeds)])[0].word for row in differences]
    assert words.count("supports") / len(words) == pytest.approx(0.8, abs=0.05)


def test_more_seeds_find_smaller_differences() -> None:
    assert detectable(1.0, 3) > detectable(1.0, 5) > detectable(1.0, 50)
    needed = seeds_to_find(0.01, 0.02)
    assert needed is not None
    assert detectable(0.02, needed) <= 0.01 < detectable(0.02, needed - 1)
    assert seeds_to_find(0.01, 0.0) == 3
    assert seeds_to_find(1e-9, 1.0) is None
    assert detectable(1.0, MOST_SEEDS) > 1e-9


def test_superiority_counts_pairs_and_ties_by_half() -> None:
    assert superiority([1.0, 2.0], [1.0, 0.0]) == pytest.approx((0.5 + 1 + 1 + 1) / 4)
    assert superiority([0.0], [1.0]) == 0.0
