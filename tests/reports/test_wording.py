"""Every generated sentence, recomputed from the made-up records without the report's own code."""

import math
import statistics

import pandas as pd
import pytest
from scipy import stats

from reports import analysis, learning, wording
from reports.analysis import Interval
from reports.frames import frames

from .conftest import cost_record, training_record


def ok(records):
    data = frames(records)
    return analysis.comparable(data.costs[data.costs["status"] == "ok"]), data.runs, data.epochs


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234567, "1,230,000"), (999.6, "1,000"), (12.345, "12.3"), (0.001234, "0.00123"), (0, "0"), (math.nan, "–")],
)
def test_digits(value, text):
    assert wording.digits(value) == text


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [
        (wording.seconds, 1.5, "1.50 s"),
        (wording.seconds, 0.0123, "12.3 ms"),
        (wording.seconds, 45.6e-6, "45.6 µs"),
        (wording.seconds, 1e-9, "0.00100 µs"),
        (wording.seconds, math.nan, "–"),
        (wording.memory, 3 * 2**20, "3.00 MiB"),
        (wording.memory, 100, "100 B"),
        (wording.count, 5.14e9, "5.14 G"),
        (wording.count, 12, "12.0"),
        (wording.percent, 0.1234, "12.3 %"),
        (wording.percent, 0.0001, "< 0.1 %"),
        (wording.percent, 0.0, "0.0 %"),
        (wording.exponential, 3.2e-7, "3.2e-7"),
        (wording.decimal, -0.04, "0.0"),
        (wording.decimal, -1.26, "−1.3"),
    ],
)
def test_units(function, value, text):
    assert function(value) == text


def test_ratios_show_their_interval_only_where_they_have_one():
    assert wording.times(Interval(3.1, 2.9, 3.3)) == "3.10× [2.90, 3.30]"
    assert wording.times(Interval(8, 8, 8)) == "8.00×"
    assert wording.times(Interval(8, math.nan, math.nan)) == "8.00×"


def test_accuracy_of_one_seed_has_no_spread():
    assert wording.mean_sd(0.961, 0.004) == "96.1 ± 0.4 %"
    assert wording.mean_sd(0.961, math.nan) == "96.1 %"


def test_listing_and_span():
    assert [wording.listing(list(letters)) for letters in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
    assert wording.span(pd.Series([3, 3])) == "3"
    assert wording.span(pd.Series([7, 500, math.nan])) == "7–500"


def test_processes_are_counted():
    assert [wording.processes(pd.Series(n)) for n in ([1.0], [5.0, 5.0], [1.0, 5.0])] == [
        "1 process",
        "5 processes",
        "1–5 processes",
    ]


def test_noise_says_the_floor_and_how_many_are_noisy(records):
    data = frames(records)
    costs = data.costs[data.costs["status"] == "ok"]
    # Two twins of three rounds, log ratios ln 1.01, 0 and ln 0.99 each.
    squares = [math.log(factor) ** 2 for factor in (1.01, 1.0, 0.99)]
    floor = math.expm1(stats.t.ppf(1 - 0.005 / 2, 6) * math.sqrt(statistics.mean(squares) / 3))
    assert wording.noise(costs, data.twins) == (
        f"The minimum detectable effect is {100 * floor:.1f} %: the same code, entered twice, hardly ever differs by "
        f"more (n = 2 A/A pairs). 1 of {len(costs)} records are called noisy."
    )
    assert wording.noise(costs, data.twins.iloc[:0]).startswith("Nothing was entered twice")


def test_stages_say_the_least_and_the_greatest_share_of_kernel_generation(records):
    here = analysis.at_base(ok(records)[0])
    here.loc[(here["variant"] == "full") & (here["direction"] == "forward"), "kernel_generation_share"] = 0.02
    here = here[(here["direction"] == "forward") | (here["variant"] == "separable")]
    assert wording.stages(here) == (
        "Of a whole pass, generating kernels (with its own backward) takes 2.0 % (full) to 10.0 % (separable) in "
        "forward and 10.0 % (separable) in forward + backward."
    )
    assert wording.stages(here.iloc[:0]) == "No stages were timed."


def test_memory_model_says_its_residual(records):
    sentence = wording.memory_model(ok(records)[0])
    assert sentence.startswith("The model predicts the peak to within 0.0 % (median of n = ")
    assert "from +0.0 % to +25.0 %, the furthest for full" in sentence


def test_peers_are_faster_slower_or_the_same(records):
    slow = cost_record(variant="full", implementation="torch", channels=32)
    slow["seconds"]["rounds"] = [[2 * x for x in samples] for samples in slow["seconds"]["rounds"]]
    data = frames([*records, slow])
    sentence = wording.peers(analysis.peers(data.costs[data.costs["status"] == "ok"], data.twins))
    assert sentence == (
        "torch takes 1.0× to 2.0× the time of ours. Compared with ours in 3 settings, it is called slower in 1 and the "
        "same in 2."
    )


def test_growth_finds_the_powers_that_were_put_in(records):
    costs = ok(records)[0].query("layer == 'conv' and direction == 'forward'")
    assert wording.growth(costs, "seconds", "forward time") == (
        "Forward time grows with |H| to the power 1.0 for lifting, 2.0 for full and 1.0 for separable "
        "(n = 4 resolutions)."
    )


def test_growth_needs_two_resolutions():
    one = frames([cost_record()]).costs
    assert wording.growth(one, "seconds", "forward time") == "Forward time: measured at one group resolution only."
    assert wording.growth(one.iloc[:0], "seconds", "forward time") == "No forward time was measured."


def test_generation_share(records):
    costs = ok(records)[0].query("layer == 'conv' and direction == 'forward' and resolution == 8 and channels == 16")
    sentence = wording.generation_share(costs)
    generation = 4000 * 8
    for batch in (1, 64):
        convolution = 1000 * batch * 16**2 * 8**2
        assert f"{100 * generation / (generation + convolution):.1f} %".replace("0.0 %", "< 0.1 %") in sentence
    assert "for full at batch 1 and" in sentence


def test_realised_share_of_the_saving():
    slow = cost_record(variant="separable")
    slow["seconds"] |= {key: 2 * slow["seconds"][key] for key in ("median", "ci_low", "ci_high")}
    more = [cost_record(variant=variant, batch_size=1) for variant in ("full", "separable")]
    pairs = analysis.realised_speedup(frames([slow, cost_record(variant="full"), *more]).costs)
    assert wording.realised(pairs) == (
        "Share of the MAC saving that shows up as time, median and range: "
        "one layer, forward: 75 % [50 % to 100 %], n = 2."
    )
    assert wording.realised(pairs.iloc[:0]) == "Full and separable were not both measured at any point."


def test_worst_equivariance_error(records):
    costs = ok(records)[0]
    assert wording.equivariance(costs).endswith("|H| = 16): rounding only.")
    assert "1.6e-6" in wording.equivariance(costs)
    wrong = cost_record()
    wrong["equivariance_error"] = 0.3
    assert wording.equivariance(frames([wrong]).costs) == (
        "The worst relative error of 1 case is 3.0e-1 (separable, |H| = 8): more than rounding."
    )


def test_time_to_train(records):
    assert wording.time_to_train(ok(records)[2]) == (
        "Training for 4 epochs takes 4.00 s for plain, 8.00 s to 32.0 s for full and 8.00 s to 32.0 s for separable."
    )


def test_units_do_not_break_from_their_numbers():
    assert wording.unbroken("|H| = 8") == "|H|\u2060\u00a0=\u00a08"
    assert wording.unbroken("n = 3, 95 % in 2.5 ms a b") == "n\u00a0=\u00a03, 95\u00a0% in 2.5\u00a0ms a b"


def test_headline_without_plain_or_training_says_less(records):
    costs, runs, _ = ok(records)
    twins = frames(records).twins
    without = costs[costs["variant"] != "plain"]
    assert [sentence.text.split(":")[0] for sentence in wording.headline(without, runs.iloc[:0], twins)] == ["Saving"]
    assert wording.headline(costs.iloc[:0], runs.iloc[:0], twins) == []


def test_without_twins_there_is_no_word(records):
    costs, runs, _ = ok(records)
    text = " ".join(sentence.text for sentence in wording.headline(costs, runs, frames([]).twins))
    assert "in forward (8.0× fewer MACs)" in text
    assert not any(word in text for word in ("faster", "slower", "ambiguous"))


def test_the_first_screen_is_about_the_basic_layers(records):
    costs, _, _ = ok([*records, cost_record(variant="gseparable")])
    assert "gseparable" not in wording.cost(costs).text


def test_sentences_name_the_records_behind_them(records):
    costs, runs, _ = ok(records)
    costs = costs.assign(anchor=[f"cost-{i}" for i in range(len(costs))])
    names = [name for name, _ in wording.cost(costs).records]
    assert sorted(names) == sorted(f"{v}, {d}" for v in wording.BASIC for d in wording.DIRECTIONS.values())
    assert wording.cost(ok(records)[0]).records == ()
    named = wording.gain(runs.assign(anchor="run-1"), {}).records
    assert named == (("separable, seed 2", "run-1"),)


def test_gains_have_no_interval_where_there_is_one_seed():
    runs = frames([training_record("plain", 1, 0, 0.8), training_record("full", 4, 0, 0.95)]).runs
    assert wording.gain(runs, {}).text == (
        "Gain, on the test images of rotated-digits: plain reaches 80.0 %; full |H| = 4 reaches 95.0 %, +15.0 points "
        "over plain (single runs, n = 1 seed)."
    )
    assert wording.points(Interval(-0.021, -0.03, -0.01)) == "−2.1 [−3.0, −1.0]"


def test_names_of_networks_are_as_short_as_they_can_be():
    rows = pd.DataFrame(
        [("plain", "trivial", 1, 8), ("full", "SO2", 4, 8), ("full", "O2", 8, 8)],
        columns=["variant", "group", "resolution", "channels"],
    )
    assert list(wording.network_names(rows).values()) == ["plain", "full SO(2) |H| = 4", "full O(2) |H| = 8"]
    assert list(wording.network_names(rows.iloc[:2]).values()) == ["plain", "full |H| = 4"]
    wide = rows.iloc[:2].assign(channels=[20, 8])
    assert list(wording.network_names(wide).values()) == ["plain, C = 20", "full |H| = 4, C = 8"]


def test_recipe_names_learning_rates_that_differ(records):
    runs = ok(records)[1]
    assert "4 epochs, learning rate 0.01, 1 thread." in wording.recipe(runs)
    runs.loc[runs["variant"] == "plain", "learning_rate"] = 0.5
    assert "learning rate 0.5 (plain), 0.01 (full) and 0.01 (separable), 1 thread." in wording.recipe(runs)


def test_studies_are_named_by_what_sets_them_apart(records):
    runs = ok(records)[1]
    assert wording.study(runs) == "rotated-digits, 4 epochs, equal widths"
    assert wording.study(runs.assign(budget_unit="macs", budget=2.5e12, matched="time")) == (
        "rotated-digits, 2.50 T MACs, equal time"
    )
    assert "widths chosen for equal time" in wording.recipe(runs.assign(matched="time"))


def test_nothing_to_compare_is_said():
    nothing = frames([])
    empty = nothing.costs, nothing.runs, nothing.epochs
    table, best = analysis.against_plain(empty[0]), learning.best_networks(empty[1])
    assert wording.relative(table, best).startswith("No plain convolution was measured")
    assert wording.pareto(learning.networks(empty[0], empty[1])).startswith("No network was trained")
    assert wording.to_target(empty[2], math.nan).startswith("No validation accuracy")
    assert wording.macs_to_train(empty[2]) == "No MACs of training were counted."
    assert wording.redundancy(learning.redundancies(empty[2])).startswith("No redundancy")
    assert wording.roofline(empty[0]) == "No roofline was measured."
    assert wording.bends(analysis.growths(empty[0]), "forward").startswith("No growth")
    assert wording.undecided(pd.Series(["", ""])).startswith("No comparison was judged")


def test_a_target_that_nobody_reaches_is_said(records):
    epochs = ok(records)[2]
    assert wording.to_target(epochs, 0.99) == (
        "Half of the seeds or more of every network do not reach a validation accuracy of 99 %."
    )
