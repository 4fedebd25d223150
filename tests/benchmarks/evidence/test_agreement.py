"""Tests of the agreement of the three engines: their common cases, and the table of differences."""

import itertools
import math

import pytest

from benchmarks.evidence.agreement import agreement_cases, median_of_runs, table
from benchmarks.records.suite_names import asv_name
from benchmarks.suites.bench_layers import Forward
from benchmarks.suites.points import layer_cases
from benchmarks.suites.test_bench_layers import CASES


def test_there_are_twelve_cases_which_both_suites_have():
    cases = agreement_cases()
    assert len(set(cases)) == 12
    assert set(cases) <= set(layer_cases())
    assert set(cases) <= set(CASES)


def test_a_case_has_the_name_that_asv_stores_it_under():
    points = itertools.product(*([repr(value) for value in axis] for axis in Forward.params))  # as asv writes them
    names = {f"suites.bench_layers.Forward.time_pass({', '.join(point)})" for point in points}
    assert {asv_name(case) for case in agreement_cases() if case.direction == "forward"} <= names


def test_the_result_of_an_engine_is_the_median_of_its_runs():
    case = agreement_cases()[0]
    assert median_of_runs([{case.id: 3.0}, {case.id: 1.0}, {}, {case.id: 2.0}], case) == 2.0
    assert math.isnan(median_of_runs([{}], case))


def test_the_largest_difference_is_that_of_two_engines():
    first, second = agreement_cases()[:2]
    engines = {"sweep": [{first.id: 1.0, second.id: 2.0}], "asv": [{first.id: 1.1, second.id: 2.0}]}
    lines, largest = table(engines, {first.id: 1.0, second.id: 1.0}, [first, second])
    assert largest == pytest.approx(0.1)
    assert "10.0%" in lines[1]


def test_the_effect_of_turns_is_divided_out_of_the_sweep_alone():
    case = agreement_cases()[0]
    _, largest = table({"sweep": [{case.id: 1.2}], "asv": [{case.id: 1.0}]}, {case.id: 1.2}, [case])
    assert largest == pytest.approx(0.0)


def test_the_last_column_is_the_difference_between_runs_of_one_engine():
    case = agreement_cases()[0]
    engines = {"sweep": [{case.id: 1.0}, {case.id: 1.25}], "asv": [{case.id: 1.0}, {case.id: 1.0}]}
    assert table(engines, {case.id: 1.0}, [case])[0][1].endswith("25.0%")


def test_a_case_missing_from_an_engine_is_no_agreement():
    first, second = agreement_cases()[:2]
    engines = {"sweep": [{first.id: 1.0, second.id: 2.0}], "asv": [{first.id: 1.0}]}
    assert math.isnan(table(engines, {first.id: 1.0, second.id: 1.0}, [first, second])[1])
