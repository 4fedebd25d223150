"""Tests of the estimated time of a block."""

import pytest

from benchmarks.cases.blocks import Block
from benchmarks.cases.case import Case
from benchmarks.measure.sampling import Sampling
from benchmarks.sweep.estimate import (
    PROBE_PASSES,
    PROBE_SECONDS,
    ROUND_SECONDS,
    block_seconds,
    minutes,
)

CASE, FULL = Case(), Case(variant="full")
SAMPLING = Sampling(rounds=5, min_samples=10, max_samples=100, seconds=2.0)


def seconds(each: float) -> float:
    """Return the seconds that timing a case twice takes, if a pass takes ``each`` seconds, without process overhead."""
    block = Block((CASE,), twin=CASE, seed=0)
    fixed = PROBE_SECONDS + PROBE_PASSES * each + 2 * SAMPLING.rounds * ROUND_SECONDS
    return block_seconds(block, {CASE.id: each}, SAMPLING) - fixed


def test_passes_take_their_budget_unless_they_are_very_short_or_very_long() -> None:
    assert seconds(0.03) == pytest.approx(2 * (2.0 + 0.3))  # the budget, and two passes in every round to warm up
    assert seconds(0.001) == pytest.approx(
        2 * (0.1 + 0.1)
    )  # a hundred samples, and a twentieth of the budget to warm up
    assert seconds(1.0) == pytest.approx(2 * (10 + 10))  # ten samples, and two in every round to warm up


def test_skipped_cases_take_no_time() -> None:
    block = Block((CASE, FULL), twin=FULL, seed=0)
    assert block_seconds(block, {CASE.id: 1.0}, SAMPLING) == pytest.approx(PROBE_SECONDS + PROBE_PASSES + 20.25)


@pytest.mark.parametrize(
    ("duration", "words"), [(12.4, "12 s"), (61, "61 s"), (121, "2 min"), (1799, "30 min"), (7300, "2 h 2 min")]
)
def test_durations_are_written_in_words(duration: float, words: str) -> None:
    assert minutes(duration) == words
