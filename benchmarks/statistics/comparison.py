"""Whether one thing takes longer than another. Pure: seconds of rounds in, a word out.

What is repeated is the round, a process of its own: samples of one process share its memory layout and its moment, so a
thousand of them are no more than one look. A round gives one number, the logarithm of the ratio of medians, in which
everything cancels that both contenders met; rounds give a t interval of it.

A call needs two witnesses. The interval of the case itself must leave out "no change", and the change must be larger
than the *floor*: what the same code entered twice (the A/A twins of a sweep, of all its cases together) shows by
chance. A case that happens to look steady in five rounds is stopped by the second, a noisy one by the first.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

# Two-sided. Of 100 noisy cases of unchanged code, the interval of the case alone calls one different …
ERROR_RATE = 0.01
# … and of 1000 ordinary ones, the floor alone calls five, or fewer where so many are compared that 5 of 100 tables
# would have a false call.
FLOOR_ERROR_RATE = 0.005
FAMILY_ERROR_RATE = 0.05
# Nobody needs to care about less, however quiet the machine is.
SAME_MARGIN = 0.02
WORDS = ("faster", "slower", "same", "ambiguous")
INTERVAL = f"{100 * (1 - ERROR_RATE):g} %"  # as headings name it

Rounds = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Comparison:
    """What b is compared with a.

    Args:
        word: one of ``WORDS``, about b.
        ratio: of b's time to a's.
        low, high: its 99 % interval; 0 and infinity where the rounds are too few to tell.
    """

    word: str
    ratio: float
    low: float
    high: float


def compare_rounds(a: Rounds, b: Rounds, floor: float, *, paired: bool = True) -> Comparison:
    """Compare two contenders.

    Args:
        a, b: seconds of every round; a round without samples is left out.
        floor: the smallest change that means something, as a part: 0.02 is 2 %.
        paired: whether the rounds of a and b belong together one by one, as in a block; they must be equally many then.
            Otherwise the interval is Welch's.

    Returns:
        "faster" or "slower" where the interval leaves out 1 and the ratio is beyond the floor; "same" where the whole
        interval is within ± the floor, or within ± 2 % where the floor is lower; otherwise "ambiguous".

    Raises:
        ValueError: for paired rounds that are not equally many, and where a or b has no samples.
    """
    if paired:
        differences = _differences(a, b)
        change, error, freedom = float(np.mean(differences)), _standard_error(differences), len(differences) - 1.0
    else:
        medians_a, medians_b = _log_medians(a), _log_medians(b)
        if len(medians_a) == 0 or len(medians_b) == 0:
            raise ValueError("no samples to compare; allowed: one round or more on both sides")
        change = float(np.mean(medians_b) - np.mean(medians_a))
        errors = [_standard_error(medians_a), _standard_error(medians_b)]
        error, freedom = math.hypot(*errors), _welch(errors, [len(medians_a), len(medians_b)])
    reach = float(special.stdtrit(freedom, 1 - ERROR_RATE / 2)) * error if freedom > 0 else math.inf
    margin = math.log1p(max(floor, SAME_MARGIN))
    if abs(change) > max(reach, math.log1p(floor)):
        word = "slower" if change > 0 else "faster"
    elif abs(change) + reach <= margin:
        word = "same"
    else:
        word = "ambiguous"
    return Comparison(word, math.exp(change), math.exp(change - reach), math.exp(change + reach))


def minimum_detectable_effect(twins: Sequence[tuple[Rounds, Rounds]], *, comparisons: int = 1) -> float:
    """The floor: the smallest change that unchanged code hardly ever shows, as a part.

    The rounds of all twins are taken together: their spread around no change, over the square root of the rounds of a
    comparison, times a t quantile with as many degrees of freedom as there are rounds.

    Args:
        twins: paired rounds of the same code, measured twice.
        comparisons: how many are going to be judged by it. The more there are, the higher it is, so that a table of
            unchanged cases has a false call in at most 1 of 20.

    Raises:
        ValueError: for no twins: without them nothing can be said.
    """
    if not twins:
        raise ValueError("no A/A twins, so no floor; allowed: one pair or more")
    differences = [_differences(a, b) for a, b in twins]
    everything = np.concatenate(differences)
    rounds = len(everything) / len(differences)
    error_rate = min(FLOOR_ERROR_RATE, FAMILY_ERROR_RATE / comparisons)
    quantile = float(special.stdtrit(len(everything), 1 - error_rate / 2))
    return math.expm1(quantile * math.sqrt(float(np.mean(everything**2)) / rounds))


def _log_medians(rounds: Rounds) -> NDArray[np.float64]:
    # NumPy's median takes forty microseconds, and reports ask for a hundred thousand.
    return np.array([math.log(statistics.median(samples)) for samples in rounds if len(samples) > 0])


def _differences(a: Rounds, b: Rounds) -> NDArray[np.float64]:
    """The logarithm of the ratio of medians, b to a, of every round that has samples of both."""
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} rounds are not pairs; allowed: equally many")
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if len(x) > 0 and len(y) > 0]
    if not pairs:
        raise ValueError("no samples to compare; allowed: one round or more on both sides")
    return _log_medians([y for _, y in pairs]) - _log_medians([x for x, _ in pairs])


def _standard_error(values: NDArray[np.float64]) -> float:
    """Of the mean; 0 for one value, of which no spread is known."""
    return float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def _welch(errors: Sequence[float], sizes: Sequence[int]) -> float:
    """Degrees of freedom of a difference of means (Welch and Satterthwaite); 0 where one side has one value."""
    if min(sizes) < 2:
        return 0.0
    total = sum(error**2 for error in errors) ** 2
    parts = sum(error**4 / (size - 1) for error, size in zip(errors, sizes, strict=True))
    return total / parts if parts > 0 else sum(sizes) - 2.0
