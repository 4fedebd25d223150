"""The sentences of the first screen, recomputed from the made-up records without the report's own code."""

from dataclasses import replace

from benchmarks.statistics.intervals import Interval
from reports.arithmetic.layers import against_plain
from reports.arithmetic.prepared import Prepared
from reports.arithmetic.training import best_networks, networks_at
from reports.frames.frames import frames
from reports.words import numbers
from reports.words.headline import compared_with_plain, cost, gain, headline
from reports.words.names import BASIC, PASS_WORDS

from ..conftest import cost_record, training_record
from .test_of_layers import ok


def test_headline_without_plain_or_training_says_less(records):
    data = frames(records)
    costs, runs = data.costs, data.runs
    without = costs[costs["variant"] != "plain"]
    assert [
        sentence.text.split(":")[0] for sentence in headline(Prepared(replace(data, costs=without, runs=runs.iloc[:0])))
    ] == ["Saving"]
    assert headline(Prepared(replace(data, costs=costs.iloc[:0], runs=runs.iloc[:0]))) == []


def test_without_twins_there_is_no_word(records):
    data = replace(frames(records), twins=frames([]).twins)
    text = " ".join(sentence.text for sentence in headline(Prepared(data)))
    assert "in forward (8.0× fewer MACs)" in text
    assert not any(word in text for word in ("faster", "slower", "ambiguous"))


def test_the_first_screen_is_about_the_basic_layers(records):
    costs, _, _ = ok([*records, cost_record(variant="gseparable")])
    assert "gseparable" not in cost(against_plain(costs)).text


def test_sentences_name_the_records_behind_them(records):
    costs, runs, _ = ok(records)
    costs = costs.assign(anchor=[f"cost-{i}" for i in range(len(costs))])
    names = [name for name, _ in cost(against_plain(costs)).records]
    assert sorted(names) == sorted(f"{v}, {d}" for v in BASIC for d in PASS_WORDS.values())
    assert cost(against_plain(ok(records)[0])).records == ()
    named = gain(runs.assign(anchor="run-1"), networks_at(runs, {})).records
    assert named == (("separable, seed 2", "run-1"),)


def test_gains_have_no_interval_where_there_is_one_seed():
    runs = frames([training_record("plain", 1, 0, 0.8), training_record("full", 4, 0, 0.95)]).runs
    assert gain(runs, networks_at(runs, {})).text == (
        "Gain, on the test images of rotated-digits: plain reaches 80.0 %; full |H| = 4 reaches 95.0 %, +15.0 "
        "(n too small for an interval) points over plain (single runs, n = 1 seed; trained on Made-up CPU)."
    )
    assert numbers.percentage_points(Interval(-0.021, -0.03, -0.01)) == "−2.1 [−3.0, −1.0]"


def test_nothing_to_compare_is_said():
    nothing = frames([])
    table, best = against_plain(nothing.costs), best_networks(nothing.runs)
    assert compared_with_plain(table, best).startswith("No plain convolution was measured")
