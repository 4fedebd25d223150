"""Made-up histories: unchanged code hardly ever has a change, planted changes are found, and counts add up."""

import math

import numpy as np

from benchmarks.evidence.histories import BUSY, CALM, CHANGED, CONTROLS, Planted, count, history, planted_changes, table

SIZES = {"commits": 22, "rounds": 3}


def test_unchanged_code_hardly_ever_has_a_change() -> None:
    counted = [count(Planted("nothing"), noise, commits=20, rounds=1, histories=15) for noise in (BUSY, CALM)]
    assert sum(one.with_others for one in counted) <= 3


def test_planted_steps_and_a_drift_are_found_where_they_are() -> None:
    nothing, five, ten, _, _, _, drift = (count(planted, CALM, **SIZES, histories=4) for planted in planted_changes(22))
    assert nothing.found == 0
    for one in (five, ten):
        assert (one.found, one.exact) == (4, 4)
    assert drift.found + drift.undecided == 4


def test_a_planted_change_changes_its_benchmarks_alone() -> None:
    planted = Planted("drift", math.log(2), 3, 4, (CHANGED[0],))
    assert [round(planted.at(n) / planted.size, 2) for n in range(9)] == [0, 0, 0, 0.25, 0.5, 0.75, 1, 1, 1]
    plain, changed = (list(history(np.random.default_rng(0), BUSY, one, 8, 2)) for one in (Planted("nothing"), planted))
    ratios = [b.results[CHANGED[0]].value / a.results[CHANGED[0]].value for a, b in zip(plain, changed, strict=True)]  # type: ignore[operator]
    assert np.allclose(ratios[::2], [2 ** (planted.at(n) / planted.size) for n in range(8)])
    assert all(a.results[CONTROLS[0]] == b.results[CONTROLS[0]] for a, b in zip(plain, changed, strict=True))


def test_the_table_has_a_row_for_each_planted_change() -> None:
    planted = planted_changes(20)
    nothing = count(planted[0], CALM, commits=10, rounds=1, histories=1)
    rows = table([(one, nothing) for one in planted])
    assert len(rows) == len(planted) + 1
    assert {len(row) for row in rows} == {len(rows[0])}
