"""Whether a benchmark of a suite has regressed since an earlier result. This module needs only the standard library."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

# Medians of unchanged code differ by less than the first factor from run to run, and by less than the second between
# commits that asv measures in turns; docs/history.md has the measurements. asv.conf.json repeats the first factor.
FACTOR, INTERLEAVED_FACTOR = 1.25, 1.15
# Quantities that are published but not judged. Equivariance errors are rounding errors, which another order of
# summation changes by half; every measurement begins with a check that they are small. The test error of a short
# training has a standard error of several percentage points.
HISTORY_ONLY = ("track_equivariance_error", "track_test_error")


@dataclass(frozen=True)
class Result:
    """The value of one benchmark at one point, a median time or another quantity that should be small."""

    value: float | None  # None if the benchmark failed, nan if it was skipped
    low: float  # the lower quartile; the value itself where nothing varies
    high: float  # the upper quartile; the value itself where nothing varies
    version: str  # version of the benchmark; results of different versions cannot be compared

    @property
    def measured(self) -> bool:
        return self.value is not None and math.isfinite(self.value)


BenchmarkResults = Mapping[str, Result]


def comparable(name: str, before: Result | None, after: Result) -> bool:
    """Return whether a benchmark is judged, and both results are measured and of the same version."""
    judged = not any(quantity in name for quantity in HISTORY_ONLY)
    return judged and before is not None and before.measured and after.measured and before.version == after.version


def has_regressed(before: Result, after: Result, factor: float) -> bool:
    """Return whether the median grew by more than ``factor`` and the intervals between the quartiles do not overlap."""
    return ratio_of_medians(before, after) > factor and after.low > before.high


def ratio_of_medians(before: Result, after: Result) -> float:
    """Return the ratio of the medians of two measured results."""
    assert before.value is not None
    assert after.value is not None
    if before.value == 0:
        return 1.0 if after.value == 0 else math.inf
    return after.value / before.value
