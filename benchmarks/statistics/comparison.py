"""Comparisons: whether one contender takes longer than another, from the seconds of their rounds.

The replicate is the round, which has its own process. Samples of one process share its memory layout and the state of
the machine, so a thousand of them are one observation. A round gives one number, the logarithm of the ratio of medians,
in which disturbances of both contenders cancel; the numbers of all rounds give a t interval.

"Faster" or "slower" needs two conditions. The interval of the case itself must exclude "no change": this rules out
noisy cases. The change must also exceed the *noise floor*, the change that the same code shows by chance when it is
timed as two contenders (all A/A twins of one kind of measurement together): this rules out cases that look steady by
luck.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmarks.statistics.intervals import welch_freedom
from benchmarks.statistics.written import FEWEST

# Two-sided error rates for unchanged code. By the interval alone, 1 of 100 noisy cases is called different.
ERROR_RATE = 0.01
# By the noise floor alone, at most 5 of 1000 ordinary cases are called different; fewer if a table has many cases, so
# that at most 5 of 100 tables have a case that is wrongly called different.
FLOOR_ERROR_RATE = 0.005
FAMILY_ERROR_RATE = 0.05
# A change smaller than this fraction does not matter, even on a quiet machine.
SAME_MARGIN = 0.02
# A kind of measurement has a noise floor of its own if it has this many A/A twins.
ENOUGH_TWINS = 5
WORDS = ("faster", "slower", "same", "ambiguous")
INTERVAL = f"{100 * (1 - ERROR_RATE):g} %"  # for headings

Rounds = Sequence[Sequence[float]]
KindT = TypeVar("KindT")


@dataclass(frozen=True)
class Comparison:
    """The result of comparing b with a, with the 99 % interval of the ratio."""

    word: str  # one of ``WORDS``, about b
    ratio: float  # time of b divided by the time of a
    low: float  # 0 if there are fewer than ``FEWEST`` rounds
    high: float  # infinity if there are fewer than ``FEWEST`` rounds


def compare_rounds(a: Rounds, b: Rounds, floor: float, *, paired: bool = True) -> Comparison:
    """Compare b with a.

    Args:
        a, b: seconds of every round; rounds without samples are left out.
        floor: smallest change that has a meaning, as a fraction: 0.02 is 2 %.
        paired: whether the rounds of a and b are pairs, as in a block; otherwise the interval is Welch's.

    Returns:
        "faster" or "slower" if the interval excludes 1 and the ratio is beyond the floor; "same" if the interval
        includes 1 and is within ± the floor, or within ± 2 % if the floor is lower; otherwise "ambiguous".

    Raises:
        ValueError: if paired a and b have unequal numbers of rounds, or one of them has no samples.
    """
    if paired:
        differences = _differences(a, b)
        change, error = float(np.mean(differences)), _standard_error(differences)
        freedom = len(differences) - 1.0 if len(differences) >= FEWEST else 0.0
    else:
        medians_a, medians_b = _log_medians(a), _log_medians(b)
        change = float(np.mean(medians_b) - np.mean(medians_a))
        errors = [_standard_error(medians_a), _standard_error(medians_b)]
        error, freedom = math.hypot(*errors), welch_freedom(errors, [len(medians_a), len(medians_b)])
    reach = float(special.stdtrit(freedom, 1 - ERROR_RATE / 2)) * error if freedom > 0 else math.inf
    margin = math.log1p(max(floor, SAME_MARGIN))
    if abs(change) > max(reach, math.log1p(floor)):
        word = "slower" if change > 0 else "faster"
    elif abs(change) <= reach <= margin - abs(change):
        word = "same"
    else:
        word = "ambiguous"
    return Comparison(word, math.exp(change), math.exp(change - reach), math.exp(change + reach))


def minimum_detectable_effect(twins: Sequence[tuple[Rounds, Rounds]], *, comparisons: int = 1) -> float:
    """Return the noise floor: the smallest change that unchanged code hardly ever shows, as a fraction.

    All rounds of all twins are pooled. The floor is the root mean square of the changes, divided by the square root of
    the number of rounds per twin, times a t quantile with as many degrees of freedom as there are pooled rounds.

    Args:
        twins: paired rounds of the same code, measured twice.
        comparisons: number of comparisons that use the floor. The floor grows with this number, so that at most
            1 of 20 tables of unchanged cases calls one different.

    Raises:
        ValueError: for no twins.
    """
    if not twins:
        raise ValueError("no A/A twins, so no noise floor; allowed: one pair or more")
    differences = [_differences(a, b) for a, b in twins]
    everything = np.concatenate(differences)
    rounds = len(everything) / len(differences)
    error_rate = min(FLOOR_ERROR_RATE, FAMILY_ERROR_RATE / comparisons)
    quantile = float(special.stdtrit(len(everything), 1 - error_rate / 2))
    return math.expm1(quantile * math.sqrt(float(np.mean(everything**2)) / rounds))


def noise_floors(twins: Mapping[KindT, Sequence[tuple[Rounds, Rounds]]], *, comparisons: int = 1) -> dict[KindT, float]:
    """Return the noise floor of each kind of measurement, such as each number of threads, as a fraction.

    One kind may be much noisier than another, so that the floor of all twins together is too small for the one and too
    large for the other. A kind with fewer than ``ENOUGH_TWINS`` twins gets the largest floor of all kinds: its own
    could be too small by chance.

    Args:
        twins: paired rounds of the same code, measured twice, one pair or more of each kind.
        comparisons: number of comparisons that use the floors, of all kinds together.
    """
    own = {kind: minimum_detectable_effect(pairs, comparisons=comparisons) for kind, pairs in twins.items()}
    return {kind: own[kind] if len(pairs) >= ENOUGH_TWINS else max(own.values()) for kind, pairs in twins.items()}


def _log_medians(rounds: Rounds) -> NDArray[np.float64]:
    """Return the logarithm of the median of each round with samples, and raise ``ValueError`` if there is none."""
    # NumPy's median would take forty microseconds, and a report computes a hundred thousand medians.
    medians = [math.log(statistics.median(samples)) for samples in rounds if len(samples) > 0]
    if not medians:
        raise ValueError("no samples to compare; allowed: one round or more on both sides")
    return np.array(medians)


def _differences(a: Rounds, b: Rounds) -> NDArray[np.float64]:
    """Return the logarithm of the ratio of medians, b to a, of each round with samples of both."""
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} rounds are not pairs; allowed: equally many")
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if len(x) > 0 and len(y) > 0]
    return _log_medians([y for _, y in pairs]) - _log_medians([x for x, _ in pairs])


def _standard_error(values: NDArray[np.float64]) -> float:
    """Return the standard error of the mean; 0 for one value, whose spread is unknown."""
    return float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
