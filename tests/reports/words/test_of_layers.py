"""The sentences about layers, recomputed from the made-up records without the report's own code."""

from reports.arithmetic.layers import against_peers, growths, separable_against_full
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
    assert of_layers.stages(here) == (
        "Of a whole pass, making kernels takes 2.0 % (full) to 10.0 % (separable) in forward and 10.0 % (separable) in "
        "forward + backward: at inference finding them in the cache, in training generating them, with its own "
        "backward."
    )
    assert of_layers.stages(here.iloc[:0]) == "No stages were timed."


def test_memory_model_says_its_residual(records):
    sentence = of_layers.memory_parts(ok(records)[0])
    assert sentence.startswith("The model’s prediction of the peak is within 10 % of 50 of 72 measured peaks")
    assert "off by +0.0 % to +25.0 % (the furthest for full" in sentence  # a median of 0 would hide the 25 %


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
    assert of_layers.growth(one.iloc[:0], "seconds", "forward time") == "No forward time was measured."


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


def test_a_pass_beyond_its_roof_does_fewer_macs_than_its_definition():
    made = [cost_record(variant=variant) for variant in ("plain", "full", "separable")]
    for record, fraction in zip(made, (0.3, 1.53, 0.6), strict=True):
        record["roofline"] |= {"fraction": fraction}
    text = of_layers.roofline(frames(made).costs)
    assert text == (
        "By the MACs of its definition, a pass of one layer reaches 30 % (plain, forward) to 153 % (full, forward) of "
        "its roof. Limited by it (at 50 % or more): 1 of 3 passes by computing, 0 by moving memory. Above it, with "
        "fewer MACs than the definition: 1."
    )


def test_nothing_that_was_measured_is_said():
    costs = frames([]).costs
    assert of_layers.roofline(costs) == "No roofline was measured."
    assert of_layers.bends(growths(costs), "forward").startswith("No growth")
