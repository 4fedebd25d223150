"""Summaries of samples: medians, quartiles and intervals. Functions take numbers and return numbers.

Means are never used: passes that the system had paused raised the mean of samples of 73 µs to 4.9 ms, and did not
change the median.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

RESAMPLES = 1000
CONFIDENCE = 0.95
# From this number of rounds on, the bootstrap's interval covers as often as it should.
FEW_ROUNDS = 5
# Tukey's fences, in interquartile ranges beyond the quartiles.
MILD, FAR = 1.5, 3.0
# A round has enough samples when its median is known to ± this fraction.
PRECISION = 0.01
# The precision is computed after every pass, and the round ends when it suffices. With a confidence of 95 %, rounds
# ended after four passes that happened to agree.
PRECISION_CONFIDENCE = 0.999


def summarise(samples: Sequence[float]) -> dict[str, int | float]:
    """Return ``n``, ``median``, ``q1``, ``q3``, ``ci_low`` and ``ci_high`` of one process's samples, in their order.

    ``ci_low`` to ``ci_high`` is a bootstrap 95 % interval of the median of this process alone. Successive passes are
    alike (clocks drift, neighbours come and go), so whole blocks of √n successive samples are drawn: the
    moving-block bootstrap of Künsch 1989, circular. When single samples were drawn, a third of the intervals missed the
    median of a half of their own samples. The seed is fixed: the same samples always give the same interval.

    Raises:
        ValueError: for no samples.
    """
    summary = summarise_rounds([samples])
    return {name: summary[name] for name in ("n", "median", "q1", "q3", "ci_low", "ci_high")}


def summarise_rounds(rounds: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return the values of ``summarise`` and ``outliers`` for several processes' samples, in order of measurement.

    The bootstrap is hierarchical, like the samples: rounds are drawn, and from each round circular blocks as in
    ``summarise``. A few rounds spread less than the distribution that they come from, so the interval is widened like a
    t interval (expanded percentiles, Hesterberg 2015, "What teachers should know about the bootstrap"). With five
    rounds, the interval covers the true median in at least 94 of 100 cases, however much processes differ (without
    widening: in 83). With fewer rounds no bootstrap can: the smallest and the largest of four medians enclose the true
    one in 87 of 100 cases, those of two in 50. The interval then also includes the t interval of the logarithms of the
    rounds' medians, around the logarithm of the median.

    Returns:
        The summary. Its ``outliers`` count samples "mild" or "far" beyond Tukey's fences; no sample is left out.

    Raises:
        ValueError: for no samples.
    """
    kept = [np.asarray(samples, dtype=np.float64) for samples in rounds if len(samples) > 0]
    if not kept:
        raise ValueError("no samples to summarise; allowed: one or more")
    values = np.concatenate(kept)
    q1, median, q3 = (float(quartile) for quartile in np.quantile(values, [0.25, 0.5, 0.75]))
    tail = (1 - CONFIDENCE) / 2  # the probability at each end of the bootstrap's medians, widened for few rounds
    if (n := len(kept)) > 1:
        tail = float(special.ndtr(special.stdtrit(n - 1, tail) * math.sqrt(n / (n - 1))))
    ci_low, ci_high = (float(bound) for bound in np.quantile(_resampled_medians(kept), [tail, 1 - tail]))
    ci_low, ci_high = with_few_rounds(ci_low, median, ci_high, [float(np.median(samples)) for samples in kept])
    beyond = np.maximum(q1 - values, values - q3)
    mild, far = (int(np.sum(beyond > fence * (q3 - q1))) for fence in (MILD, FAR))
    outliers = {"mild": mild - far, "far": far}
    summary = {"n": len(values), "median": median, "q1": q1, "q3": q3, "ci_low": ci_low, "ci_high": ci_high}
    return {**summary, "outliers": outliers}


def with_few_rounds(low: float, median: float, high: float, medians: Sequence[float]) -> tuple[float, float]:
    """Return an interval of a median that includes, for few rounds, the t interval of the logarithms of their medians.

    Intervals of records that were written before this rule become those of the rule.
    """
    n = len(medians)
    if not 1 < n < FEW_ROUNDS:
        return low, high
    spread = float(np.std(np.log(medians), ddof=1))
    reach = -float(special.stdtrit(n - 1, (1 - CONFIDENCE) / 2)) * spread / math.sqrt(n)
    return min(low, median * math.exp(-reach)), max(high, median * math.exp(reach))


def precise_enough(samples: Sequence[float]) -> bool:
    """Return whether the median of one round is known to ± ``PRECISION`` of itself, so that the round may end.

    The binomial interval between order statistics needs no resampling, so it can be computed after every pass. It
    assumes independent samples, which is good enough for ending a round, but not for publishing.
    """
    n = len(samples)
    reach: int = math.ceil(special.ndtri((1 + PRECISION_CONFIDENCE) / 2) * math.sqrt(n) / 2)
    low = n // 2 - reach
    if not 0 <= low < n:
        return False
    ordered = sorted(samples)
    return ordered[-1 - low] - ordered[low] <= 2 * PRECISION * ordered[n // 2]


def _resampled_medians(rounds: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the medians of resamples: rounds are drawn in proportion to their sizes, and samples in blocks of √n."""
    sizes = np.array([len(samples) for samples in rounds])
    length = math.ceil(sizes.sum() / len(rounds))
    block = math.ceil(math.sqrt(length))
    # Blocks are circular: after the end of a round comes its beginning.
    circles = [np.resize(samples, len(samples) + block - 1) for samples in rounds]
    begins = np.cumsum([0, *(len(circle) for circle in circles[:-1])])
    rng = np.random.default_rng(0)
    drawn = rng.choice(len(rounds), p=sizes / sizes.sum(), size=(RESAMPLES, len(rounds), 1))
    starts = rng.integers(sizes[drawn], size=(RESAMPLES, len(rounds), math.ceil(length / block))) + begins[drawn]
    places = (starts[..., None] + np.arange(block)).reshape(RESAMPLES, len(rounds), -1)[:, :, :length]
    medians: NDArray[np.float64] = np.median(np.concatenate(circles)[places.reshape(RESAMPLES, -1)], axis=1)
    return medians
