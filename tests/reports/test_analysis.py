"""The arithmetic against independent computation: scipy, brute force, simulation, closed forms."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports import analysis
from reports.analysis import Interval
from reports.frames import frames

from .conftest import cost_record, failed_record, old, twin_record

POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12)


@given(POINTS)
def test_pareto_front_is_what_brute_force_finds(points):
    def beaten(point):
        return any(c <= point[0] and v >= point[1] and (c, v) != point for c, v in points)

    costs, values = zip(*points, strict=True)
    assert analysis.pareto_front(costs, values).tolist() == [not beaten(point) for point in points]


def test_pareto_front_leaves_out_what_was_not_measured():
    assert analysis.pareto_front([1.0, math.nan, 2.0], [0.5, 0.9, 0.6]).tolist() == [True, False, True]


def test_ratio_of_exact_numbers_is_exact():
    assert analysis.ratio(Interval(6, 6, 6), Interval(2, 2, 2)) == pytest.approx((3, 3, 3))


def test_ratio_over_an_exact_denominator_keeps_the_relative_interval():
    assert analysis.ratio(Interval(10, 8, 13), Interval(2, 2, 2)) == pytest.approx((5, 4, 6.5))


def test_interval_of_a_ratio_covers_95_percent_of_simulated_experiments():
    rng = np.random.default_rng(0)
    sigma_a, sigma_b, covered, trials = 0.2, 0.1, 0, 4000
    for log_a, log_b in zip(rng.normal(0, sigma_a, trials), rng.normal(0, sigma_b, trials), strict=True):
        a, b = (Interval(*np.exp([x, x - 1.96 * s, x + 1.96 * s])) for x, s in ((log_a, sigma_a), (log_b, sigma_b)))
        estimate = analysis.ratio(a, b)
        covered += estimate.low <= 1.0 <= estimate.high
    assert covered / trials == pytest.approx(0.95, abs=0.015)


def test_scaling_exponent_agrees_with_scipy():
    x, y = [2, 4, 8, 16, 32], [3.1, 9.0, 40.0, 130.0, 500.0]
    fit = stats.linregress(np.log(x), np.log(y))
    half = stats.t.ppf(0.975, 3) * fit.stderr
    expected = (fit.slope, fit.slope - half, fit.slope + half)
    assert analysis.scaling_exponent(x, y) == pytest.approx(expected)


def test_scaling_exponent_needs_points():
    assert math.isnan(analysis.scaling_exponent([2, 2], [1.0, 2.0]).value)
    two = analysis.scaling_exponent([2, 4], [1.0, 8.0])
    assert two.value == pytest.approx(3)
    assert math.isnan(two.low)


def test_base_point_of_a_star_is_its_centre(records):
    base = analysis.base_point(frames(records).costs.query("layer == 'conv' and status == 'ok'"))
    assert (base["resolution"], base["channels"], base["batch_size"], base["group"]) == (8, 16, 16, "SO2")


def test_base_point_of_a_grid_is_its_middle():
    grid = itertools.product((4, 8, 16), (8, 16, 32, 64), (1, 16, 64))
    made = [cost_record(resolution=r, channels=c, batch_size=b) for r, c, b in grid]
    base = analysis.base_point(frames(made).costs)
    assert (base["resolution"], base["channels"], base["batch_size"]) == (8, 16, 16)


def test_slices_keep_plain_at_any_group(records):
    costs = analysis.comparable(frames(records).costs)
    costs = costs.query("layer == 'conv' and status == 'ok' and direction == 'forward'")
    here = analysis.at(costs, analysis.base_point(costs))
    assert sorted(here["variant"]) == ["full", "lifting", "plain", "separable"]
    along = analysis.at(costs, analysis.base_point(costs), free=["channels"])
    assert along.groupby("variant").size().to_dict() == dict.fromkeys(["full", "lifting", "plain", "separable"], 3)


def test_inference_executes_no_generation_and_training_does():
    costs = frames([cost_record(direction=direction) for direction in ("forward", "forward_backward")]).costs
    convolution, generation = 1000 * 16 * 16**2 * 8, 4000 * 8
    assert analysis.pass_macs(costs).tolist() == [convolution, convolution + generation]


def test_against_plain(records):
    table = analysis.against_plain(frames(records).costs.query("status == 'ok'")).set_index(["variant", "direction"])
    full = table.loc[("full", "forward")]
    assert (full["time_ratio"], full["mac_ratio"], full["memory_ratio"]) == pytest.approx((64, 64, 8))
    widest, narrowest = 64 * 1.1 / 0.9, 64 * 0.9 / 1.1
    assert narrowest < full["time_low"] < 64 < full["time_high"] < widest
    assert table.loc[("plain", "forward"), ["time_low", "time_high"]].tolist() == [1, 1]


def test_against_plain_without_plain_is_empty():
    assert analysis.against_plain(frames([cost_record()]).costs).empty
    assert analysis.against_plain(frames([]).costs).empty


def test_realised_speedup():
    # Full takes |H| times as long and as many MACs; make separable's time twice what its MACs promise.
    slow = cost_record(variant="separable")
    slow["seconds"] |= {key: 2 * slow["seconds"][key] for key in ("median", "ci_low", "ci_high")}
    unpaired = [cost_record(variant="full", resolution=16), failed_record("x", variant="separable", resolution=16)]
    costs = frames([slow, cost_record(variant="full"), *unpaired]).costs
    pair = analysis.realised_speedup(costs[costs["status"] == "ok"]).iloc[0]
    assert (pair["time_ratio"], pair["mac_ratio"], pair["realised"]) == pytest.approx((4, 8, 0.5))
    assert pair["realised_low"] == pytest.approx(pair["time_low"] / 8)
    assert pair["realised_low"] < 0.5 < pair["realised_high"]


def test_separable_is_faster_where_the_change_is_beyond_what_twins_show():
    full = cost_record(variant="full", resolution=1)
    almost = cost_record(variant="separable", resolution=1)
    for scale, word in ((0.7, "faster"), (0.985, "same"), (1.4, "slower")):
        almost["seconds"]["rounds"] = [[scale * x for x in samples] for samples in full["seconds"]["rounds"]]
        data = frames([full, almost, twin_record(full, 1.01, 1.0, 0.99)])
        assert analysis.realised_speedup(data.costs, data.twins)["word"].tolist() == [word]
        assert analysis.realised_speedup(data.costs)["word"].tolist() == [""]


def test_the_floor_is_higher_where_more_is_compared():
    first = cost_record()
    twins = frames([first, twin_record(first, 1.01, 1.0, 0.99)]).twins
    assert 0 < analysis.noise_floor(twins) < analysis.noise_floor(twins, 100)
    assert math.isnan(analysis.noise_floor(twins.iloc[:0]))
    assert analysis.twin_differences(twins)["change"].item() == pytest.approx((1.01 * 0.99) ** (1 / 3) - 1)


def test_peers_stand_beside_ours_of_the_same_case_and_own_layers_beside_full():
    ours = [cost_record(variant=variant) for variant in ("full", "separable")]
    peer = cost_record(variant="separable", implementation="torch")
    own = cost_record(variant="custom", implementation="my.layers:Mine")
    alone = cost_record(variant="lifting", implementation="torch")
    pairs = analysis.peers(frames([*ours, peer, own, alone]).costs, frames([]).twins).set_index("implementation")
    assert pairs["variant_ours"].to_dict() == {"torch": "separable", "my.layers:Mine": "full"}
    assert pairs["ratio"].to_dict() == pytest.approx({"torch": 1.0, "my.layers:Mine": 1 / 8})
    assert set(pairs["word"]) == {""}


def test_comparable_is_what_is_used_by_default():
    usual = [cost_record(), cost_record(direction="forward_backward")]
    step = cost_record(direction="training_step")
    other = [{"execution": "compiled"}, {"dtype": "bfloat16"}, {"kernels": "generated"}, {"implementation": "escnn"}]
    costs = frames([*usual, step, *(cost_record(**changes) for changes in other)]).costs
    assert analysis.comparable(costs)["id"].tolist() == [record["id"] for record in usual]
    assert len(analysis.comparable(costs, (*analysis.PASSES, analysis.STEP))) == 3


def test_usual_threads_are_those_of_most_cases():
    costs = frames([cost_record(threads=t, channels=c) for t, c in ((1, 8), (2, 8), (2, 16), (1, 16), (1, 32))]).costs
    assert set(analysis.usual_threads(costs)["threads"]) == {1}
    assert set(analysis.usual_threads(costs.iloc[:4])["threads"]) == {2}
    assert analysis.usual_threads(costs.iloc[:0]).empty


def test_the_newest_record_of_a_case_counts_whatever_its_id():
    new, before = cost_record(), old(cost_record())
    before["provenance"]["measured_at"] = "2029-01-01T00:00:00+00:00"
    other = cost_record(kernels="generated")
    kept = analysis.latest(frames([new, before, other]).costs)
    assert kept["id"].tolist() == [new["id"], other["id"]]


def test_growths_are_the_powers_that_were_put_in_beside_those_of_the_macs(records):
    costs = analysis.comparable(frames(records).costs.query("status == 'ok'"))
    table = analysis.growths(costs).set_index(["direction", "axis", "variant"])
    full = table.loc[("forward", "resolution", "full")]
    assert (full["n"], full["first"], full["last"]) == (4, 2, 16)
    assert (full["time"], full["macs"], full["memory"]) == pytest.approx((2, 2, 1))
    assert (full["time_times"], full["macs_times"]) == pytest.approx((64, 64))
    width = table.loc[("forward", "channels", "separable")]
    assert (width["time"], width["macs"], width["n"]) == pytest.approx((0, 2, 3))
    assert ("forward", "resolution", "plain") not in table.index
    assert analysis.growths(costs.iloc[:0]).empty


def test_a_growth_that_bends_has_an_interval_as_scipy_says():
    made = [cost_record(variant="full", resolution=r) for r in (2, 4, 8, 16)]
    made[0]["seconds"]["median"] *= 3
    row = analysis.growths(frames(made).costs).iloc[0]
    fit = stats.linregress(np.log([2, 4, 8, 16]), np.log([12, 16, 64, 256]))
    half = stats.t.ppf(0.975, 2) * fit.stderr
    assert (row["time"], row["time_low"], row["time_high"]) == pytest.approx(
        (fit.slope, fit.slope - half, fit.slope + half)
    )
    assert row["time_times"] == pytest.approx(256 / 12)
