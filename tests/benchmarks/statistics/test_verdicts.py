import pytest

from benchmarks.statistics.verdicts import FINE, NOT_COMPARED, REGRESSED, STATUS, UNDECIDED, gravest, verdict_of


@pytest.mark.parametrize(
    ("low", "high", "moved", "verdict"),
    [
        (0.98, 1.02, 1.0, FINE),
        (1.01, 1.04, 1.0, FINE),  # certainly slower, and certainly by less than the size asked about
        (1.01, 1.06, 1.0, REGRESSED),
        (1.20, 1.40, 1.0, REGRESSED),
        (0.99, 1.06, 1.0, UNDECIDED),
        (0.0, float("inf"), 1.0, UNDECIDED),
        (1.20, 1.40, 1.1, REGRESSED),  # more than the machine moved
        (1.05, 1.09, 1.1, UNDECIDED),
        (0.98, 1.02, 1.1, UNDECIDED),  # a faster machine may hide a slower code
    ],
)
def test_a_verdict_follows_from_the_interval_and_what_unchanged_code_moved(
    low: float, high: float, moved: float, verdict: str
) -> None:
    assert verdict_of(low, high, 0.05, moved) == verdict


@pytest.mark.parametrize(
    ("verdicts", "whole", "status"),
    [
        ([FINE, UNDECIDED, REGRESSED, NOT_COMPARED], REGRESSED, 1),
        ([FINE, UNDECIDED, NOT_COMPARED], UNDECIDED, 3),
        ([FINE, NOT_COMPARED], FINE, 0),
        ([NOT_COMPARED], NOT_COMPARED, 2),
        ([], NOT_COMPARED, 2),
    ],
)
def test_the_gravest_verdict_is_that_of_the_whole(verdicts: list[str], whole: str, status: int) -> None:
    assert gravest(verdicts) == whole
    assert STATUS[whole] == status
