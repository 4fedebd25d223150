"""Tests of the plan of a sweep: the time of a block, and the lines of text."""

import pytest

from benchmarks.cases.blocks import Block, blocks
from benchmarks.cases.case import Case
from benchmarks.cases.profiles import profile_cases
from benchmarks.measure.sampling import Sampling
from benchmarks.sweep.estimate import (
    PROBE_PASSES,
    PROBE_SECONDS,
    ROUND_SECONDS,
    Survey,
    block_seconds,
    minutes,
    plan_lines,
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


def test_skipped_cases_take_no_time_and_are_counted_by_reason() -> None:
    block = Block((CASE, FULL), twin=FULL, seed=0)
    found = Survey(seconds={CASE.id: 1.0}, reasons={FULL.id: "too large"})
    assert block_seconds(block, found.seconds, SAMPLING) == pytest.approx(PROBE_SECONDS + PROBE_PASSES + 20.25)
    first, reason = plan_lines(3, 1, [block], found, SAMPLING)
    assert first.startswith("3 cases, 1 of them already there; 2 to do in 1 block of 5 rounds, about 1 min; 1 will be")
    assert reason == "  1 × too large"


def test_many_reasons_are_cut_short() -> None:
    cases = profile_cases("quick")
    found = Survey(seconds={}, reasons={case.id: f"reason {i}" for i, case in enumerate(cases)})
    lines = plan_lines(len(cases), 0, blocks(cases, set(cases), seed=0), found, SAMPLING)
    assert lines[-1] == f"  and {len(cases) - 10} other reasons"


@pytest.mark.parametrize(("duration", "words"), [(12.4, "12 s"), (61, "1 min"), (1799, "30 min"), (7300, "2 h 2 min")])
def test_durations_are_written_in_words(duration: float, words: str) -> None:
    assert minutes(duration) == words
