"""The rows of a profile's tables."""

import pytest

from benchmarks.profiling.attribution import BETWEEN, Place
from benchmarks.profiling.profile import Count
from benchmarks.profiling.rows import BETWEEN_PHASES, GAPS, module_rows, operator_rows, pass_of
from tests.benchmarks.profiling.made_up import profile

EINSUM = Place("forward", "conv", ("aten::einsum",))
PRODUCT = Place("forward", "conv", ("aten::einsum", "aten::bmm"))
COPY = Place("forward", "conv", ("aten::einsum", "aten::bmm", "aten::copy_"))
PYTHON, INNER = Place("forward", ""), Place("forward", "conv.net", ("aten::sin",))
ROUNDS = {EINSUM: (1, 1, 1), PRODUCT: (4, 5, 6), COPY: (1, 1, 1), PYTHON: (2, 2, 2), INNER: (1, 1, 1)}
COUNTS = (
    Count("forward", "conv", "aten::bmm", 1, 3000, 100),
    Count("forward", "conv.net", "aten::sin", 1, 0, 20),
    Count("forward", "conv", "mine::operator", 1, None, 8),
)


def test_own_times_of_operators_add_up_to_the_pass() -> None:
    rows = operator_rows(profile(ROUNDS, COUNTS))
    assert {row.name: row.seconds.value for row in rows} == {
        "aten::bmm": 6,
        f"{BETWEEN}, forward": 2,
        "aten::einsum": 1,
        "aten::sin": 1,
    }
    assert sum(row.seconds.value for row in rows) == pass_of(profile(ROUNDS, COUNTS)).profiled.value


def test_a_total_includes_the_operators_inside() -> None:
    totals = {row.name: row.total for row in operator_rows(profile(ROUNDS, COUNTS))}
    assert totals["aten::einsum"] == 1 + 5 + 1
    assert totals["aten::bmm"] == 5 + 1


def test_a_modules_total_includes_the_modules_inside() -> None:
    rows = {row.name: row for row in module_rows(profile(ROUNDS, COUNTS))}
    assert rows["conv"].seconds.value == 7
    assert rows["conv"].total == 7 + 1
    assert rows[""].total == 10


def test_a_share_of_the_roof_is_the_larger_of_two() -> None:
    rows = {row.name: row for row in operator_rows(profile(ROUNDS, COUNTS))}
    assert rows["aten::bmm"].roof == pytest.approx(3000 / 1000 / 6)
    assert rows["aten::sin"].roof == pytest.approx(20 / 100 / 1)
    assert rows[f"{BETWEEN}, forward"].roof is None


def test_macs_of_an_operator_without_a_rule_are_unknown() -> None:
    rows = {row.name: row for row in module_rows(profile(ROUNDS, COUNTS))}
    assert rows["conv"].macs is None
    assert rows["conv.net"].macs == 0


def test_the_interval_comes_from_the_rounds() -> None:
    (row,) = (row for row in operator_rows(profile(ROUNDS, COUNTS)) if row.name == "aten::bmm")
    assert row.rounds == (5, 6, 7)
    assert row.seconds.low == pytest.approx(6 - 4.3027 / 3**0.5, rel=1e-3)


def test_the_overhead_is_that_of_the_profiler() -> None:
    found = pass_of(profile(ROUNDS, COUNTS, plain=(9, 10, 11)))
    assert found.overhead.value == pytest.approx(0, abs=1e-9)
    assert pass_of(profile(ROUNDS, COUNTS, plain=(4.5, 5, 5.5))).overhead.value == pytest.approx(1)
    assert found.operators.value + found.between.value == pytest.approx(1)
    assert found.operators.value == pytest.approx(0.8, abs=0.01)


def test_time_outside_of_all_phases_is_not_explained() -> None:
    mine = profile({**ROUNDS, Place(): (1, 1, 1)}, COUNTS)
    assert BETWEEN_PHASES in {row.name for row in operator_rows(mine)}
    assert 1 - pass_of(mine).operators.value - pass_of(mine).between.value == pytest.approx(1 / 11, abs=0.01)


def test_on_a_gpu_the_time_between_operators_is_that_between_kernels() -> None:
    gpu = profile({Place(): (1, 1, 1)}, case={"device": "cuda"})
    assert [row.name for row in operator_rows(gpu)] == [GAPS]
