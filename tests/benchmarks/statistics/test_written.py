"""No text has nan, an infinity or endless digits, and few rounds or seeds have no interval."""

import math

import pytest

from benchmarks.statistics.comparison import compare_rounds
from benchmarks.statistics.written import TOO_FEW, interval, listing, number, percentage


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 3.9e22, 1e300, 123456789012.0, 0.0, 1e-300])
@pytest.mark.parametrize("form", [".2f", ".3g", "+.1f", ".1f", ",.1f"])
def test_a_number_is_short(value: float, form: str) -> None:
    text = number(value, form)
    assert sum(map(str.isdigit, text)) <= 9
    assert "nan" not in text
    assert "inf" not in text


@pytest.mark.parametrize("fraction", [0.0, 0.031, 0.5, 1e22, math.inf])
def test_a_percentage_is_short(fraction: float) -> None:
    assert len(percentage(fraction)) <= len("over 1000%")


@pytest.mark.parametrize("ends", [(0.0, math.inf), (-math.inf, math.inf), (math.nan, math.nan), (math.inf, math.inf)])
def test_an_interval_without_ends_is_said_in_words(ends: tuple[float, float]) -> None:
    assert interval(*ends, ".2f") == f"({TOO_FEW})"


@pytest.mark.parametrize("n", [0, 1, 2])
def test_two_rounds_or_seeds_have_no_interval(n: int) -> None:
    assert interval(0.0, 100.0, ".1f", n) == "(n too small for an interval)"
    assert interval(0.0, 100.0, ".1f", 3) == interval(0.0, 100.0, ".1f") == "[0.0, 100.0]"


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("rounds", [1, 2])
def test_a_comparison_of_two_rounds_decides_nothing(rounds: int, paired: bool) -> None:
    a, b = [[1.0], [1.1]][:rounds], [[2.0], [3.0]][:rounds]
    found = compare_rounds(a, b, 0.01, paired=paired)
    assert (found.word, found.low, found.high) == ("ambiguous", 0.0, math.inf)
    assert compare_rounds([[1.0]] * 3, [[2.0]] * 3, 0.01, paired=paired).word == "slower"


def test_words_become_a_list() -> None:
    assert [listing(list(letters)) for letters in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
