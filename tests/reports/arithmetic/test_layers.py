"""The arithmetic of costs against independent computation: scipy, brute force, closed forms."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.arithmetic.layers import (
    against_peers,
    against_plain,
    forward_macs,
    growths,
    noise_floors,
    separable_against_full,
    twin_differences,
)
from reports.arithmetic.prepared import Prepared
from reports.frames.frames import anchored, frames
from reports.frames.selection import ours_by_default
from reports.tables.of_layers import peers

from ..conftest import cost_record, failed_record, gpu_records, on_gpu, timed, twin_record


def test_inference_executes_no_generation_and_training_does():
    costs = frames([cost_record(direction=direction) for direction in ("forward", "forward_backward")]).costs
    convolution, generation = 1000 * 16 * 16**2 * 8, 4000 * 8
    assert forward_macs(costs).tolist() == [convolution, convolution + generation]


def test_against_plain(records):
    table = against_plain(frames(records).costs.query("status == 'ok'")).set_index(["variant", "direction"])
    full = table.loc[("full", "forward")]
    assert (full["time_ratio"], full["mac_ratio"], full["memory_ratio"]) == pytest.approx((64, 64, 8))
    widest, narrowest = 64 * 1.1 / 0.9, 64 * 0.9 / 1.1
    assert narrowest < full["time_low"] < 64 < full["time_high"] < widest
    assert table.loc[("plain", "forward"), ["time_low", "time_high"]].tolist() == [1, 1]


def test_against_plain_without_plain_is_empty():
    assert against_plain(frames([cost_record()]).costs).empty
    assert against_plain(frames([]).costs).empty


def test_realised_speedup():
    # Full has |H| times the time and the MACs of separable; here separable takes twice its usual time.
    slow = cost_record(variant="separable")
    slow["seconds"] |= {key: 2 * slow["seconds"][key] for key in ("median", "ci_low", "ci_high")}
    unpaired = [cost_record(variant="full", resolution=16), failed_record("x", variant="separable", resolution=16)]
    costs = frames([slow, cost_record(variant="full"), *unpaired]).costs
    pair = separable_against_full(costs[costs["status"] == "ok"]).iloc[0]
    assert (pair["time_ratio"], pair["mac_ratio"], pair["realised"]) == pytest.approx((4, 8, 2 / 3))
    assert pair["realised_low"] == pytest.approx(math.log(pair["time_low"]) / math.log(8))
    assert pair["realised_low"] < 2 / 3 < pair["realised_high"]


def test_separable_is_faster_where_the_change_is_beyond_what_twins_show():
    full = cost_record(variant="full", resolution=1)
    almost = cost_record(variant="separable", resolution=1)
    for scale, word in ((0.7, "faster"), (0.985, "ambiguous"), (1.0, "same"), (1.4, "slower")):
        almost["seconds"]["rounds"] = [[scale * x for x in samples] for samples in full["seconds"]["rounds"]]
        data = frames([full, almost, twin_record(full, 1.01, 1.0, 0.99)])
        assert separable_against_full(data.costs, data.twins)["word"].tolist() == [word]
        assert separable_against_full(data.costs)["word"].tolist() == [""]


def test_the_floor_is_higher_where_more_is_compared():
    first = cost_record()
    twins = frames([first, twin_record(first, 1.01, 1.0, 0.99)]).twins
    assert 0 < noise_floors(twins)[1] < noise_floors(twins, 100)[1]
    assert noise_floors(twins.iloc[:0]) == {}
    assert twin_differences(twins)["change"].item() == pytest.approx((1.01 * 0.99) ** (1 / 3) - 1)


def pairs_on(threads, spread, number=5):
    """Return cost records on a number of threads, each with a twin whose rounds differ by up to ± `spread`."""
    firsts = [cost_record(threads=threads, image_size=16 + i) for i in range(number)]
    return [*firsts, *(twin_record(first, 1 + spread, 1.0, 1 - spread) for first in firsts)]


def test_each_number_of_threads_has_its_own_floor():
    quiet, loud = pairs_on(2, 0.01), pairs_on(1, 0.1)
    alone = [noise_floors(frames(made).twins) for made in (quiet, loud)]
    together = noise_floors(frames([*quiet, *loud]).twins)
    assert together == {2: alone[0][2], 1: alone[1][1]}
    assert together[2] < 0.2 * together[1]
    # Four pairs may look quiet by chance: the floor of the noisiest number of threads holds for them.
    few = noise_floors(frames([*pairs_on(2, 0.01, 4), *loud]).twins)
    assert few[2] == few[1] == together[1]


@pytest.mark.parametrize(("threads", "word"), [(2, "faster"), (1, "ambiguous"), (4, "ambiguous")])
def test_a_word_goes_by_the_floor_of_its_number_of_threads(threads, word):
    full = cost_record(variant="full", resolution=1, threads=threads)
    separable = cost_record(variant="separable", resolution=1, threads=threads)
    separable["seconds"]["rounds"] = [[0.95 * x for x in samples] for samples in full["seconds"]["rounds"]]
    twins = frames([*pairs_on(2, 0.005), *pairs_on(1, 0.1)]).twins  # none on four threads: the largest floor holds
    assert separable_against_full(frames([full, separable]).costs, twins)["word"].tolist() == [word]


def test_it_is_known_whether_plain_took_turns_with_a_layer():
    plain, full = cost_record(variant="plain"), cost_record(variant="full")
    assert against_plain(frames([plain, full]).costs)["one_block"].tolist() == [True, True]
    for block in ("another", ""):
        apart = against_plain(frames([plain | {"block": block}, full | {"block": block and "x"}]).costs)
        assert apart.set_index("variant")["one_block"]["full"] == False  # noqa: E712


def test_the_power_of_the_macs_does_not_depend_on_how_far_an_axis_goes():
    made = [cost_record(variant="full", resolution=resolution) for resolution in (2, 4, 8)]
    for record, milliseconds in zip(made, (1.0, 4.0, 8.0), strict=True):  # MACs grow by 4 and by 16
        record["seconds"] |= {"median": 1e-3 * milliseconds, "ci_low": 9e-4 * milliseconds}
        record["seconds"] |= {"ci_high": 1.1e-3 * milliseconds}
    row = growths(frames(made).costs).iloc[0]
    half = math.hypot(math.log(1.1), math.log(0.9))
    assert row["power"] == pytest.approx(math.log(8) / math.log(16))
    assert (row["power_low"], row["power_high"]) == pytest.approx(
        ((math.log(8) - half) / math.log(16), (math.log(8) + half) / math.log(16))
    )


def test_peers_stand_beside_ours_of_the_same_case_and_own_layers_beside_full():
    ours = [cost_record(variant=variant) for variant in ("full", "separable")]
    peer = cost_record(variant="separable", implementation="torch")
    own = cost_record(variant="custom", implementation="my.layers:Mine")
    alone = cost_record(variant="lifting", implementation="torch")
    pairs = against_peers(frames([*ours, peer, own, alone]).costs, frames([]).twins).set_index("implementation")
    assert pairs["variant_ours"].to_dict() == {"torch": "separable", "my.layers:Mine": "full"}
    assert pairs["ratio"].to_dict() == pytest.approx({"torch": 1.0, "my.layers:Mine": 1 / 8})
    assert set(pairs["word"]) == {""}


def test_a_users_layer_is_compared_with_separable_of_the_same_block():
    own, full, separable = (
        cost_record(variant=variant, implementation=name)
        for variant, name in (("custom", "mine:P4"), ("full", "gcnn_impl"), ("separable", "gcnn_impl"))
    )
    timed(separable, 0.25)
    nothing = frames([]).twins
    found = against_peers(anchored(frames([own, full, separable])).costs, nothing)
    ratio = own["seconds"]["median"] / separable["seconds"]["median"]
    assert found["separable_ratio"].tolist() == pytest.approx([ratio])
    assert found["macs"].tolist() == [own["macs"]["convolution"]]
    table = peers(found)
    cells = dict(zip(table.headings, table.rows[0].cells, strict=True))
    assert cells["× our separable, 99 %"].text.startswith(f"{ratio:.2f}×")
    separable["block"] = "another"
    apart = against_peers(anchored(frames([own, full, separable])).costs, nothing)
    assert apart["separable_ratio"].isna().all()
    assert "× our separable, 99 %" not in peers(apart).headings


def test_growths_are_the_powers_that_were_put_in_beside_those_of_the_macs(records):
    costs = ours_by_default(frames(records).costs.query("status == 'ok'"))
    table = growths(costs).set_index(["direction", "axis", "variant"])
    full = table.loc[("forward", "resolution", "full")]
    assert (full["n"], full["first"], full["last"]) == (4, 2, 16)
    assert (full["time"], full["macs"], full["memory"]) == pytest.approx((2, 2, 1))
    assert (full["time_times"], full["macs_times"]) == pytest.approx((64, 64))
    width = table.loc[("forward", "channels", "separable")]
    assert (width["time"], width["macs"], width["n"]) == pytest.approx((0, 2, 3))
    assert ("forward", "resolution", "plain") not in table.index
    assert growths(costs.iloc[:0]).empty


def test_a_growth_that_bends_has_an_interval_as_scipy_says():
    made = [cost_record(variant="full", resolution=r) for r in (2, 4, 8, 16)]
    made[0]["seconds"]["median"] *= 3
    row = growths(frames(made).costs).iloc[0]
    fit = stats.linregress(np.log([2, 4, 8, 16]), np.log([12, 16, 64, 256]))
    half = stats.t.ppf(0.975, 2) * fit.stderr
    assert (row["time"], row["time_low"], row["time_high"]) == pytest.approx(
        (fit.slope, fit.slope - half, fit.slope + half)
    )
    assert row["time_times"] == pytest.approx(256 / 12)


def test_results_of_a_processor_and_a_gpu_are_refused_together():
    with pytest.raises(ValueError, match="^results of .*Made-up GPU in Made-up CPU.*; allowed: those of one device$"):
        Prepared(frames([cost_record(), on_gpu(cost_record())]))


def test_other_formats_and_executions_take_no_part_in_what_is_said_of_the_default():
    data = frames(gpu_records())
    usual = (data.costs["dtype"] == "float32") & (data.costs["execution"] == "eager")
    assert 0 < usual.sum() < len(data.costs)
    every, default = Prepared(data), Prepared(replace(data, costs=data.costs[usual]))
    for name in ("against_plain", "separable_against_full", "growths", "best_networks"):
        pd.testing.assert_frame_equal(getattr(every, name), getattr(default, name))
    assert len(every.against_peers) == 2 + 4 * 2
