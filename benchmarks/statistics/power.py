"""What a number of seeds can find: the power of a paired t test, and how often one contender beats another."""

import math
from collections.abc import Sequence

from scipy import special

# The tests are two-sided at 5 %, and a study should find the difference in 80 of 100 cases.
ERROR_RATE, POWER = 0.05, 0.8
MOST_SEEDS = 1000


def superiority(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the share of pairs of a value of a and one of b in which that of a is larger; ties count half.

    >>> superiority([3, 5], [1, 4])
    0.75
    """
    wins = sum((x > y) + (x == y) / 2 for x in a for y in b)
    return wins / (len(a) * len(b))


def detectable(spread: float, seeds: int) -> float:
    """Return the mean difference that a paired test finds in 80 of 100 studies.

    Args:
        spread: standard deviation of the differences.
        seeds: number of pairs, at least 2.

    >>> round(detectable(1.0, 5), 2)
    1.66
    """
    freedom = seeds - 1
    quantiles = special.stdtrit(freedom, 1 - ERROR_RATE / 2) + special.stdtrit(freedom, POWER)
    return float(quantiles) * spread / math.sqrt(seeds)


def seeds_to_find(difference: float, spread: float) -> int | None:
    """Return the least number of seeds with which a paired test finds a mean difference in 80 of 100 studies.

    The result is at least 3, and None for ``MOST_SEEDS`` or more; ``spread`` is the standard deviation of the
    differences.

    >>> seeds_to_find(0.01, 0.01)
    10
    """
    return next((n for n in range(3, MOST_SEEDS) if detectable(spread, n) <= difference), None)
