"""The sequential rule on made-up processes: errors are as rare as stated, and few pairs find a real slowdown."""

import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.statistics.sequential import FIRST_LOOK, RUN_ERROR_RATE, estimate, look, looks, more_pairs, quantile
from benchmarks.statistics.verdicts import FINE, REGRESSED, UNDECIDED, verdict_of

CASES, AT_LEAST, MOST_PAIRS = 4, 0.05, 36
# Standard deviations of the logarithm of the ratio in one pair of processes.
QUIET, BUSY = 0.01, 0.04


def decide(values: np.ndarray, control: np.ndarray | None = None) -> tuple[str, int]:
    """Return the verdict on one case of a run of ``CASES``, and the pairs that it took; one look as planned each."""
    for number, pairs in enumerate(looks(len(values)), start=1):
        mine = values[:pairs].tolist()
        estimates = [estimate(mine)] if control is None else [estimate(mine), estimate(mine, control[:pairs].tolist())]
        found = look(estimates, number, CASES)
        bounds = math.exp(found.change - found.reach), math.exp(found.change + found.reach)
        verdict = verdict_of(*bounds, AT_LEAST)
        if verdict != UNDECIDED:
            return verdict, pairs
    return UNDECIDED, len(values)


def decisions(change: float, spread: float, *, trials: int, heavy: bool = False) -> list[tuple[str, int]]:
    """Decide many cases. ``heavy``: one process of twenty is slower by a tenth throughout."""
    rng = np.random.default_rng(0)
    values = math.log1p(change) + spread * rng.normal(size=(trials, MOST_PAIRS))
    if heavy:
        slow = rng.random((2, trials, MOST_PAIRS)) < 0.05
        values += 0.1 * (slow[0].astype(float) - slow[1])
    return [decide(row) for row in values]


def share(decided: list[tuple[str, int]], verdict: str) -> float:
    return sum(word == verdict for word, _ in decided) / len(decided)


@pytest.mark.parametrize("spread", [QUIET, BUSY])
@pytest.mark.parametrize("heavy", [False, True])
def test_a_case_of_unchanged_code_is_called_regressed_less_often_than_its_part_of_the_error(
    spread: float, heavy: bool
) -> None:
    allowed = RUN_ERROR_RATE / CASES
    assert share(decisions(0.0, spread, trials=2000, heavy=heavy), REGRESSED) <= allowed


def test_unchanged_code_of_quiet_processes_is_fine_at_the_first_look() -> None:
    decided = decisions(0.0, QUIET, trials=300)
    assert share(decided, FINE) == 1
    assert np.median([pairs for _, pairs in decided]) == looks(100)[0]


def test_a_slowdown_of_the_size_asked_about_is_found_and_never_called_fine() -> None:
    quiet, busy = (decisions(AT_LEAST, spread, trials=1000) for spread in (QUIET, BUSY))
    assert share(quiet, REGRESSED) > 0.99
    assert share(busy, REGRESSED) > 0.8
    assert max(share(quiet, FINE), share(busy, FINE)) <= RUN_ERROR_RATE / CASES


def test_half_the_size_asked_about_is_hard_to_tell_and_a_fifth_is_fine() -> None:
    assert share(decisions(0.01, QUIET, trials=300), FINE) > 0.99
    assert set(dict(decisions(0.025, BUSY, trials=300))) == {FINE, REGRESSED, UNDECIDED}


def test_an_interval_is_students_with_the_part_of_the_error_that_the_look_has() -> None:
    values = np.random.default_rng(1).normal(size=8).tolist()
    found = look([estimate(values)], 2, CASES)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(1 - RUN_ERROR_RATE / CASES / 6)
    assert (found.change - found.reach, found.change + found.reach) == pytest.approx((theirs.low, theirs.high))


def test_the_parts_of_all_looks_together_are_the_error_of_the_case() -> None:
    spent = [2 * stats.t.sf(quantile(pairs - 1, n, CASES), pairs - 1) for n, pairs in enumerate(looks(10**6), start=1)]
    assert 0.95 * RUN_ERROR_RATE / CASES < sum(spent) < RUN_ERROR_RATE / CASES


def test_a_case_that_looks_steady_by_luck_gets_the_spread_of_the_others() -> None:
    steady = [0.0, 1e-5] * 3
    assert look([estimate(steady)], 1, CASES).reach < 1e-4
    assert look([estimate(steady)], 1, CASES, [0.01]).spread == 0.01


def test_one_pair_of_processes_says_nothing_about_the_next() -> None:
    assert look([estimate([0.1])], 1, CASES).reach == math.inf
    with pytest.raises(ValueError, match="^no values to look at; allowed: one or more$"):
        estimate([])


def test_the_forecast_of_pairs_is_a_look_that_decides() -> None:
    rng = np.random.default_rng(2)
    found = look([estimate((BUSY * rng.normal(size=6)).tolist())], 1, CASES)
    more = more_pairs(found, AT_LEAST)
    assert more is not None
    assert found.pairs + more in looks(2000)
    number = looks(2000).index(found.pairs + more) + 1
    reach = quantile(found.pairs + more - 1, number, CASES) * found.spread / math.sqrt(found.pairs + more)
    assert max(found.change, math.log1p(AT_LEAST) - found.change) > reach


def test_no_number_of_pairs_decides_what_is_less_than_the_machine_moved() -> None:
    found = look([estimate([0.02, 0.03] * 4)], 2, CASES)
    assert more_pairs(found, AT_LEAST, moved=1.10) is None


def beside_a_control(change: float, *, trials: int) -> list[tuple[str, int]]:
    """Decide cases of a run in which one process of five is slower by a fifth, in all that it computes."""
    rng = np.random.default_rng(3)
    slow = rng.random((2, trials, MOST_PAIRS)) < 0.2
    shared = 0.2 * (slow[0].astype(float) - slow[1])
    control, values = (shared + QUIET * rng.normal(size=shared.shape) for _ in range(2))
    return [decide(case, beside) for case, beside in zip(math.log1p(change) + 0.8 * values, control, strict=True)]


def test_what_slows_a_whole_process_is_not_held_against_a_case() -> None:
    unchanged, slower = (beside_a_control(change, trials=300) for change in (0.0, AT_LEAST))
    assert share(unchanged, FINE) > 0.98
    assert share(slower, REGRESSED) > 0.98
    assert np.median([pairs for _, pairs in slower]) <= looks(100)[1]


def test_beside_a_control_errors_are_as_rare_as_stated() -> None:
    assert share(beside_a_control(0.0, trials=2000), REGRESSED) <= RUN_ERROR_RATE / CASES
    assert share(beside_a_control(AT_LEAST, trials=2000), FINE) <= RUN_ERROR_RATE / CASES


def test_an_estimate_beside_a_control_is_the_intercept_of_the_line_of_least_squares() -> None:
    control, noise = np.random.default_rng(4).normal(size=(2, 9))
    values = 0.3 + 0.5 * control + 0.1 * noise
    found = estimate(values.tolist(), control.tolist())
    line = stats.linregress(control, values)
    assert found.change == pytest.approx(line.intercept)
    assert found.spread * math.sqrt(found.leverage) == pytest.approx(line.intercept_stderr)
    assert found.degrees == 7


def test_the_narrower_of_two_intervals_is_used_and_both_share_the_error() -> None:
    control, own = np.random.default_rng(6).normal(size=(2, 9))
    alone, beside = (
        estimate((control + 0.01 * own).tolist()),
        estimate((control + 0.01 * own).tolist(), control.tolist()),
    )
    found = look([alone, beside], 1, CASES)
    assert found.spread == beside.spread < alone.spread
    assert found.reach == look([beside], 1, 2 * CASES).reach


def test_a_control_that_moved_leaves_the_interval_of_the_mean() -> None:
    control, own = 0.01 * np.random.default_rng(7).normal(size=(2, 9))
    alone, beside = estimate(own.tolist()), estimate(own.tolist(), (1.0 + control).tolist())
    assert look([beside, alone], 1, CASES).change == alone.change


def test_a_control_that_says_nothing_leaves_the_mean() -> None:
    values = np.random.default_rng(5).normal(size=FIRST_LOOK).tolist()
    alone = estimate(values)
    assert estimate(values, [0.1] * FIRST_LOOK) == alone
    assert alone.change == pytest.approx(np.mean(values))
