"""What is said about samples. Pure: numbers in, numbers out.

Never a mean: descheduled passes among samples of 73 µs made one of 4.9 ms, and did not move the median.
"""

import math
from collections.abc import Sequence

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95


def summarise(samples: Sequence[float]) -> dict[str, int | float]:
    """Count, median, quartiles, and a bootstrap 95 % interval of the median.

    Successive passes are alike (clocks drift, neighbours come and go), so whole blocks of √n successive samples are
    drawn: the moving-block bootstrap of Künsch 1989, circular. Drawn one by one, samples of one process gave intervals
    that missed the medians of their own halves in a third of all cases.

    Args:
        samples: in the order they were taken.

    Returns:
        ``n``, ``median``, ``q1``, ``q3``, ``ci_low``, ``ci_high``, in the unit of the samples. The bootstrap has a
        fixed seed: the same samples always give the same interval. It describes one process, not the next one.

    Raises:
        ValueError: for no samples.
    """
    if len(samples) == 0:
        raise ValueError("no samples to summarise; allowed: one or more")
    values = np.asarray(samples, dtype=np.float64)
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
    block = math.ceil(math.sqrt(len(values)))
    starts = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, math.ceil(len(values) / block)))
    places = (starts[:, :, None] + np.arange(block)).reshape(RESAMPLES, -1)[:, : len(values)] % len(values)
    resampled = values[places]
    tail = (1 - CONFIDENCE) / 2
    ci_low, ci_high = np.quantile(np.median(resampled, axis=1), [tail, 1 - tail])
    return {
        "n": len(values),
        "median": float(median),
        "q1": float(q1),
        "q3": float(q3),
        "ci_low": float(ci_low),
        "ci_high": float(ci_high),
    }
