"""The sentences about layers, recomputed from the made-up records without the report's own code."""

import pytest

from reports.arithmetic.layers import against_peers, growths, separable_against_full
from reports.arithmetic.operators import EXECUTED, with_executed
from reports.arithmetic.prepared import Prepared
from reports.figures.inside import memory_parts
from reports.frames.frames import frames
from reports.frames.selection import at_base, ours_by_default
from reports.words import of_layers

from ..conftest import cost_record


def ok(records):
    data = frames(records)
    return ours_by_default(data.costs[data.costs["status"] == "ok"]), data.runs, data.epochs


def test_stages_say_the_least_and_the_greatest_share_of_kernel_generation(records):
    here = at_base(ok(records)[0])
    here.loc[(here["variant"] == "full") & (here["direction"] == "forward"), "kernel_generation_share"] = 0.02
    here = here[(here["direction"] == "forward") | (here["variant"] == "separable")]
    # Of 0.1 + 0.2 + 0.2 + 0.05 in forward and 0.5 in backward, generating takes 0.1: less than with its backward.
    here.loc[here["direction"] == "forward_backward", "kernel_generation_share"] = 0.15
    assert of_layers.stages(here) == (
        "Forward: making kernels (finding them in the cache) takes 2.0 % (full) to 10.0 % (separable) of a whole pass. "
        "Forward + backward: making kernels (generating them, and the backward of that) takes 15.0 % (separable) of a "
        "whole pass; generating alone, as the bars show it, takes 9.5 % (separable)."
    )
    assert of_layers.stages(here.iloc[:0]) == "No stages of single layers were timed."


def test_memory_model_says_its_residual(records):
    sentence = of_layers.memory_parts(ok(records)[0])
    assert sentence.startswith(
        "The model’s prediction of the peak is within 10 % of 50 of 72 measured peaks (layers and networks, on any"
    )
    assert "off by +0.0 % to +25.0 % (the furthest for full" in sentence  # a median of 0 would hide the 25 %


def test_memory_model_counts_the_records_on_every_number_of_threads():
    made = [cost_record(variant="full", threads=2, batch_size=n) for n in (1, 2)] + [cost_record(variant="plain")]
    made[-1]["memory"]["predicted_bytes"] = 0.8 * made[-1]["memory"]["peak_bytes"]
    results = Prepared(frames(made))
    assert len(results.steps) == 2  # the usual number of threads
    takeaway = memory_parts(results, "m").takeaway
    assert "0 of 3 measured peaks" in takeaway
    assert "off by −20.0 % to +25.0 %" in takeaway


def test_peers_are_faster_slower_or_the_same(records):
    slow = cost_record(variant="full", implementation="torch", channels=32)
    slow["seconds"]["rounds"] = [[2 * x for x in samples] for samples in slow["seconds"]["rounds"]]
    data = frames([*records, slow])
    sentence = of_layers.peers(against_peers(data.costs[data.costs["status"] == "ok"], data.twins))
    assert sentence == (
        "torch takes 1.0× to 2.0× the time of ours. Compared with ours in 3 settings, it is called slower in 1 and the "
        "same in 2."
    )


def test_growth_finds_the_powers_that_were_put_in(records):
    costs = ok(records)[0].query("layer == 'conv' and direction == 'forward'")
    assert of_layers.growth(costs, "seconds", "forward time") == (
        "Forward time grows with |H| to the power 1.0 for lifting, 2.0 for full and 1.0 for separable "
        "(n = 4 resolutions)."
    )


def test_growth_needs_two_resolutions():
    one = frames([cost_record()]).costs
    assert of_layers.growth(one, "seconds", "forward time") == "Forward time: measured at one group resolution only."
    assert of_layers.growth(one.iloc[:0], "seconds", "forward time") == "No forward time of single layers was measured."


def test_generation_share(records):
    costs = ok(records)[0].query("layer == 'conv' and direction == 'forward' and resolution == 8 and channels == 16")
    sentence = of_layers.mac_split(costs)
    generation = 4000 * 8
    for batch in (1, 64):
        convolution = 1000 * batch * 16**2 * 8**2
        assert f"{100 * generation / (generation + convolution):.1f} %".replace("0.0 %", "< 0.1 %") in sentence
    assert "for full at batch 1 and" in sentence


def test_realised_share_of_the_saving():
    slow = cost_record(variant="separable")
    slow["seconds"] |= {key: 2 * slow["seconds"][key] for key in ("median", "ci_low", "ci_high")}
    more = [cost_record(variant=variant, batch_size=1) for variant in ("full", "separable")]
    pairs = separable_against_full(frames([slow, cost_record(variant="full"), *more]).costs)
    assert of_layers.realised(pairs) == (
        "Share of the MAC saving that shows up as time, log(time ratio) / log(MAC ratio), median and range: "
        "one layer, forward: 83 % [67 % to 100 %], n = 2."
    )
    same = pairs.assign(time_ratio=1.0, realised=0.0)
    assert "one layer, forward: 0 % [0 % to 0 %]" in of_layers.realised(same)  # not 1 / 8: no time is saved
    assert of_layers.realised(pairs.iloc[:0]) == "Full and separable were not both measured at any point."


def test_three_points_that_tell_nothing_give_no_exponent():
    made = [cost_record(variant="full", resolution=resolution) for resolution in (2, 4, 8)]
    for record, milliseconds in zip(made, (1.0, 9.0, 2.0), strict=True):
        record["seconds"] |= {"median": 1e-3 * milliseconds}
    costs = frames(made).costs
    assert of_layers.growth(costs, "seconds", "forward time") == (
        "How forward time grows with |H| for full, 3 resolutions do not tell."
    )
    two = costs[costs["resolution"] < 8]
    assert "2 resolutions do not tell" in of_layers.growth(two, "seconds", "forward time")


def on_the_roof(fractions, ran=None):
    """Return costs at these fractions of the roof, whose operators ran a share of the definition's MACs."""
    made = [cost_record(variant=variant) for variant in fractions]
    for record in made:
        roof, variant = record["roofline"], record["case"]["variant"]
        roof |= {"fraction": fractions[variant], "macs_per_second": fractions[variant] * roof["matrix_ceiling"]}
        if ran and variant in ran:
            macs = ran[variant] * roof["macs_per_second"] * record["seconds"]["median"]
            record["operators"]["rows"][0]["macs"] = macs
        else:
            record["operators"]["rows"] = []
    return with_executed(frames(made).costs)


def test_the_verdict_on_a_pass_goes_by_the_macs_that_run():
    text = of_layers.roofline(
        on_the_roof({"plain": 0.3, "full": 1.2, "separable": 0.8}, {"full": 0.5, "separable": 0.5, "plain": 1.0})
    )
    # By the MACs that run, separable reaches 40 % of its roof: nothing limits it, whatever its definition says.
    assert text == (
        "By the MACs that run, a pass of one layer reaches 30 % (plain, forward) to 60 % (full, forward) of its roof. "
        "Limited by it (at 50 % or more): 1 of 3 passes by computing, 0 by moving memory. By the MACs of the "
        "definition it is 30 % (plain, forward) to 120 % (full, forward); of these MACs run 50 % in full, forward; "
        "50 % in separable, forward."
    )
    some = of_layers.roofline(on_the_roof({"plain": 0.3, "full": 1.2}, {"plain": 1.0}))
    assert some.startswith("By the MACs that run (in 1 of 2, which are not known: of the definition), a pass")
    assert "Above it, with fewer MACs than the definition: 1." in some


def test_fewer_macs_for_the_same_bytes_may_be_limited_by_memory():
    costs = on_the_roof({"separable": 0.9}, {"separable": 0.1})
    costs = with_executed(costs.drop(columns=list(EXECUTED)).assign(arithmetic_intensity=15.0, memory_ceiling=1e10))
    # 9e10 MAC/s at 15 a byte move 6e9 bytes a second, 60 % of the ceiling; a tenth of the MACs needs 9 % of the other.
    assert costs["executed_fraction"].tolist() == pytest.approx([0.6])
    assert "0 of 1 pass by computing, 1 by moving memory" in of_layers.roofline(costs)


def test_a_pass_beyond_its_roof_does_fewer_macs_than_its_definition():
    text = of_layers.roofline(on_the_roof({"plain": 0.3, "full": 1.53, "separable": 0.6}))
    assert text == (
        "By the MACs of its definition, a pass of one layer reaches 30 % (plain, forward) to 153 % (full, forward) of "
        "its roof. Limited by it (at 50 % or more): 1 of 3 passes by computing, 0 by moving memory. Above it, with "
        "fewer MACs than the definition: 1."
    )


def grown(times, spread):
    """Return layers of the base point and of |H| = 16, whose time grows by a factor, with intervals of ± `spread`."""
    made = []
    for variant, factor in times.items():
        for resolution, seconds in ((8, 1e-3), (16, 1e-3 * factor)):
            record = cost_record(variant=variant, resolution=resolution)
            record["seconds"] |= {"median": seconds, "ci_low": seconds / spread, "ci_high": seconds * spread}
            record["seconds"]["rounds"] = [[seconds]]
            made.append(record)
    return growths(frames(made).costs)


def test_bends_name_what_the_intervals_do_not_tell_apart():
    times = {"lifting": 1.9, "full": 2.0, "separable": 1.2}  # MACs grow 2×, 4× and 2×: powers 0.93, 0.5, 0.26
    clear, wide = (of_layers.bends(grown(times, spread), "forward") for spread in (1.001, 1.2))
    assert "overlaps" not in clear
    assert clear.startswith(
        "Forward: from end to end of an axis, time grows with the MACs to the power 0.26 [0.26, 0.27]"
    )
    assert (
        "the least, up to 0.93 [0.92, 0.93] for lifting by group resolution |H| (8 to 16: MACs 2.0×, time 1.9×)"
        in clear
    )
    least, most = wide.split(" up to ")
    assert "its interval overlaps with full by group resolution |H|" in least
    assert "its interval overlaps with full by group resolution |H|" in most


def test_nothing_that_was_measured_is_said():
    costs = with_executed(frames([]).costs)
    assert of_layers.roofline(costs) == "No roofline of single layers was measured."
    assert of_layers.bends(growths(costs), "forward").startswith("No growth")


def test_bends_leave_out_powers_that_nobody_knows_and_do_not_say_that_falling_times_grow():
    times = {"lifting": 1.9, "full": 2.0, "separable": 0.6}
    known = of_layers.bends(grown(times, 1.001), "forward")
    assert "time changes with the MACs to the power −0.74 [−0.74, −0.73] for separable" in known
    assert "Left out" not in known
    assert "Left out: 2 lines" in of_layers.bends(grown(times, 1.4), "forward")  # MACs grow 2×, and 4× for full
    nothing = of_layers.bends(grown(times, 3.0), "forward")
    assert "no line tells" in nothing
    assert "power" not in nothing


def test_quantities_are_measured_one_by_one_or_several():
    empty = frames([cost_record()]).costs.iloc[:0]
    said = [of_layers.growth(empty, column, what) for column, what in (("seconds", "forward time"), ("macs", "MACs"))]
    assert said == ["No forward time of single layers was measured.", "No MACs of single layers were measured."]


def test_kernels_that_were_timed_apart_are_no_more_than_the_pass():
    def said(seconds):
        record = cost_record(direction="forward_backward")
        record["stages"] |= {"kernel_generation_share": seconds}
        return of_layers.stages(frames([record]).costs)

    assert "over 100 % (separable) of a whole pass" in said(3.76)
    assert "timed apart" in said(3.76)
    assert "37.6 % (separable) of a whole pass" in said(0.376)
    assert "timed apart" not in said(0.376)
