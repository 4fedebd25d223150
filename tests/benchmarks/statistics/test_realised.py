"""The realised share of a saving is logarithmic: no time saved is a share of 0, whatever the MACs."""

import math

import pytest

from benchmarks.statistics.realised import realised_saving


@pytest.mark.parametrize(
    ("time", "macs", "share"),
    [(21.0, 21.0, 1.0), (1.0, 21.0, 0.0), (2.0, 8.0, 1 / 3), (0.5, 4.0, -0.5), (16.0, 4.0, 2.0)],
)
def test_the_share_is_that_of_the_exponents(time: float, macs: float, share: float) -> None:
    assert realised_saving(time, macs) == pytest.approx(share)


@pytest.mark.parametrize(
    ("time", "macs"), [(2.0, 1.0), (2.0, 0.5), (0.0, 4.0), (math.nan, 4.0), (2.0, math.nan), (math.inf, 4.0)]
)
def test_without_a_saving_of_macs_there_is_no_share(time: float, macs: float) -> None:
    assert math.isnan(realised_saving(time, macs))
