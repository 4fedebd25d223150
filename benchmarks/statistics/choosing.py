"""Which contender to take: the cheapest of those whose accuracy is shown to be near that of the most accurate.

Two kinds of words have an error rate of 5 % each: at most so many studies have a wrong word of this kind.

- Near: one-sided tests against the best of K contenders, corrected by Bonferroni for K − 1 of them, in the manner of
  multiple comparisons with the best (Hsu 1984), within every subset of the contenders too, such as those within a
  budget. The best is picked from the same accuracies, which makes it look better than it is: that counts against the
  others.
- Better, and far: two-sided tests, corrected by Bonferroni for all pairs, because a best that looks better than it is
  speaks for "far". Half of the error rate goes to pairs that were asked for before any accuracy was known, so that they
  do not pay for all pairs of a large study. Far is tested at the level of better, which it implies: no error is added.
"""

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.statistics.comparison import FAMILY_ERROR_RATE
from benchmarks.statistics.over_seeds import p_value, rounded_off

# A contender is near another one if it is shown to be less accurate by no more than this.
MARGIN = 0.01
MARGIN_WORDS = f"{100 * MARGIN:g} point{'' if MARGIN == 0.01 else 's'}"


@dataclass(frozen=True)
class Accuracies:
    """The accuracies of contenders and what their seeds show.

    Args:
        means: over seeds, one for each contender.
        better: the pairs (i, j) of which i is shown to be more accurate than j.
        near: the pairs (i, j) of which i is shown to be less accurate than j by no more than ``MARGIN``.
        far: the pairs (i, j) of which i is shown to be less accurate than j by more than ``MARGIN``.
        seeds: the most seeds that two contenders share.
        lower: the pairs (i, j) of which i is less accurate than j by more than ``MARGIN`` in every shared seed; of few
            seeds, that need not show that it is ``far``. A difference of exactly ``MARGIN`` is not more.
    """

    means: Sequence[float]
    better: frozenset[tuple[int, int]]
    near: frozenset[tuple[int, int]]
    far: frozenset[tuple[int, int]]
    seeds: int
    lower: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True)
class Choice:
    """The contender to take.

    Args:
        chosen: the cheapest contender that is near the most accurate one, or the most accurate one itself.
        most_accurate: the contender with the highest mean.
        near: the other contenders near the most accurate one.
        cheapest: whether none is cheaper than the chosen one.
        undecided: the contenders cheaper than the chosen one of which the seeds do not decide whether they are near.
        lower: the cheaper contenders that are not near in any seed, which so few seeds do not show.
        far: the cheaper contenders that are shown not to be near.
    """

    chosen: int
    most_accurate: int
    near: tuple[int, ...]
    cheapest: bool
    undecided: tuple[int, ...]
    lower: tuple[int, ...] = ()
    far: tuple[int, ...] = ()


def compared_accuracies(
    contenders: Sequence[Mapping[int, float]], *, asked: Collection[tuple[int, int]] = (), step: float = 0.0
) -> Accuracies:
    """Compare contenders by paired t tests over the seeds that two of them share.

    Args:
        contenders: the accuracy of each seed, a fraction.
        asked: the pairs that matter most, in any order; they must not depend on the accuracies.
        step: smallest possible difference of two accuracies, see ``estimate``.
    """
    better: set[tuple[int, int]] = set()
    near: set[tuple[int, int]] = set()
    far: set[tuple[int, int]] = set()
    lower: set[tuple[int, int]] = set()
    k, seeds = len(contenders), 0
    of_best = 2 * FAMILY_ERROR_RATE / max(1, k - 1)  # of a two-sided p value, whose direction is known
    of_pairs = pair_levels(k, asked)
    for i, j in itertools.permutations(range(k), 2):
        of_pair = of_pairs[min(i, j), max(i, j)]
        shared = sorted(contenders[i].keys() & contenders[j].keys())
        seeds = max(seeds, len(shared))
        differences = [rounded_off(contenders[i][seed] - contenders[j][seed]) for seed in shared]
        mean = sum(differences) / len(differences) if differences else math.nan
        if mean > 0 and p_value(differences, 0.0, step) < of_pair:
            better.add((i, j))
        from_margin = p_value(differences, -MARGIN, step)
        if mean > -MARGIN and from_margin < of_best:
            near.add((i, j))
        if mean < -MARGIN and from_margin < of_pair:
            far.add((i, j))
        if differences and max(differences) < -MARGIN:
            lower.add((i, j))
    means = [rounded_off(sum(each.values()) / len(each)) if each else math.nan for each in contenders]
    return Accuracies(means, frozenset(better), frozenset(near), frozenset(far), seeds, frozenset(lower))


def pair_levels(k: int, asked: Collection[tuple[int, int]] = ()) -> dict[tuple[int, int], float]:
    """Return the level of the two-sided test of each pair (i, j), i < j, of k contenders: together the error rate.

    >>> pair_levels(3, asked=[(1, 0)])
    {(0, 1): 0.025, (0, 2): 0.0125, (1, 2): 0.0125}
    """
    pairs = list(itertools.combinations(range(k), 2))
    first = {(min(pair), max(pair)) for pair in asked}
    if not first or len(first) == len(pairs):
        return dict.fromkeys(pairs, FAMILY_ERROR_RATE / max(1, len(pairs)))
    half = FAMILY_ERROR_RATE / 2
    return {pair: half / (len(first) if pair in first else len(pairs) - len(first)) for pair in pairs}


def choose(accuracies: Accuracies, costs: Sequence[float]) -> Choice | None:
    """Return the contender to take; None without a contender whose accuracy is known.

    Args:
        costs: one for each contender; NaN where it is unknown.
    """
    means = accuracies.means
    known = [i for i, mean in enumerate(means) if math.isfinite(mean)]
    if not known:
        return None
    best = max(known, key=means.__getitem__)
    near = [i for i in known if (i, best) in accuracies.near]
    price = [math.inf if math.isnan(cost) else cost for cost in costs]
    chosen = min([best, *near], key=lambda i: (price[i], -means[i]))
    cheaper = [i for i in known if price[i] < price[chosen]]
    far = [i for i in cheaper if (i, best) in accuracies.far]
    open_ = [i for i in cheaper if i not in near and i not in far]
    lower = [i for i in open_ if (i, best) in accuracies.lower]
    undecided = [i for i in open_ if i not in lower]
    return Choice(chosen, best, tuple(near), not cheaper, tuple(undecided), tuple(lower), tuple(far))
