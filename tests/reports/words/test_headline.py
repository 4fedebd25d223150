"""The sentences of the first screen, recomputed from the made-up records without the report's own code."""

from dataclasses import replace

import pytest

from benchmarks.statistics.intervals import Interval
from reports.arithmetic.layers import against_equal_maps, against_plain, growths
from reports.arithmetic.prepared import Prepared
from reports.arithmetic.training import best_networks, networks_at
from reports.frames.frames import frames
from reports.frames.selection import along, layer_base
from reports.tables.of_layers import exponents
from reports.tables.of_layers import headline as table_of
from reports.words import numbers
from reports.words.headline import compared_with_plain, cost, gain, headline, saving
from reports.words.names import BASIC, PASS_WORDS

from ..conftest import cost_record, training_record, twin_record
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
    assert "in forward (8.0× fewer MACs, 1.0× the memory)" in text
    assert not any(word in text for word in ("faster", "slower", "ambiguous"))


def test_a_plain_convolution_of_another_block_is_named_with_its_passes():
    made = [cost_record(variant=v, direction=d) for v in ("plain", "full") for d in PASS_WORDS]
    assert "another block" not in cost(against_plain(frames(made).costs)).text
    made[0]["block"] = "another"
    assert (
        "Plain was timed in another block than these layers (forward), so"
        in cost(against_plain(frames(made).costs)).text
    )


def test_the_saving_says_its_word_only_where_it_is_not_what_the_ratio_says():
    full, separable = cost_record(variant="full"), cost_record(variant="separable")
    twin = twin_record(full, 1.001, 1.0, 0.999)
    said = {}
    for factor in (0.5, 1.0, 2.0):
        separable["seconds"]["rounds"] = [[factor * x for x in samples] for samples in full["seconds"]["rounds"]]
        data = frames([full, separable, twin])
        said[factor] = saving(data.costs, data.twins).text
    assert "in forward (8.0× fewer MACs, 1.0× the memory)" in said[0.5]
    assert "in forward (same; 8.0× fewer MACs, 1.0× the memory)" in said[1.0]
    assert "in forward (slower; 8.0× fewer MACs, 1.0× the memory)" in said[2.0]
    separable["block"] = "another"
    assert "not timed in turns; 8.0× fewer MACs" in saving(frames([full, separable]).costs, data.twins.iloc[:0]).text


def test_an_exponent_has_the_same_rule_in_every_column():
    made = [cost_record(variant="plain", channels=channels) for channels in (8, 16, 32)]
    made += [cost_record(variant="full", channels=channels) for channels in (8, 16, 32)]
    for record, predicted in zip(made, (1.0, 5.0, 2.0) * 2, strict=True):
        record["memory"]["predicted_bytes"] = predicted * 2**20
    for direction in ("forward", "forward_backward"):
        for record in made:
            record["case"]["direction"] = direction
        table = exponents(growths(frames(made).costs))
        of_model = table.headings.index("memory (model), forward + backward")
        cells = {row.cells[1].text: row.cells for row in table.rows}
        assert cells["full"][3].text == "2.0"  # MACs lie on a line
        assert cells["full"][of_model].text == ("cannot tell" if direction == "forward_backward" else "–")


def test_the_first_screen_is_about_the_basic_layers(records):
    costs, _, _ = ok([*records, cost_record(variant="gseparable")])
    assert "gseparable" not in cost(against_plain(costs)).text


def test_sentences_name_the_records_behind_them(records):
    costs, *_ = ok(records)
    costs = costs.assign(anchor=[f"cost-{i}" for i in range(len(costs))])
    found = {source.name: [what for what, _ in source.records] for source in cost(against_plain(costs)).records}
    assert found == {variant: list(PASS_WORDS.values()) for variant in BASIC}
    assert cost(against_plain(ok(records)[0])).records == ()


def test_the_records_of_a_network_are_grouped_under_their_mean_and_median(records):
    _, runs, _ = ok(records)
    runs = runs.assign(anchor=[f"run-{i}" for i in range(len(runs))])
    best = networks_at(runs, {})
    found = {source.name: source for source in gain(runs, best).records}
    assert len(found) == len(best) < len(runs)
    plain = found["plain"]
    assert [what for what, _ in plain.records] == ["seed 0: 80.0 %", "seed 1: 81.0 %", "seed 2: 82.0 %"]
    assert len({anchor for _, anchor in plain.records}) == 3
    assert plain.what == "n = 3 seeds, mean 81.0 ± 1.0 %, median 81.0 %"


def test_gains_have_no_interval_where_there_is_one_seed():
    runs = frames([training_record("plain", 1, 0, 0.8), training_record("full", 4, 0, 0.95)]).runs
    assert gain(runs, networks_at(runs, {})).text == (
        "Gain, on the test images of rotated-digits: points more (+) or less (−) than plain, which reaches 80.0 %: "
        "full |H| = 4: +15.0 (n too small for an interval) (95.0 %) (single runs, n = 1 seed; trained on Made-up CPU)."
    )
    assert numbers.percentage_points(Interval(-0.021, -0.03, -0.01)) == "−2.1 [−3.0, −1.0]"


def test_nothing_to_compare_is_said():
    nothing = frames([])
    table, best = against_plain(nothing.costs), best_networks(nothing.runs)
    assert compared_with_plain(table, Prepared(nothing).shown_studies[0], best).startswith(
        "No plain convolution was measured"
    )


def with_equal_maps(records):
    """Add the plain convolution of as many maps, C·|H|, as the layers at the base point have."""
    base = layer_base(ok(records)[0])
    maps = int(base["channels"] * base["resolution"])
    passes = ("forward", "forward_backward")
    return [*records, *(cost_record(variant="plain", channels=maps, direction=direction) for direction in passes)], maps


def test_layers_are_compared_with_the_plain_convolution_of_as_many_maps(records):
    more, maps = with_equal_maps(records)
    said = {sentence.text.split(":")[0]: sentence.text for sentence in headline(Prepared(frames(more)))}
    assert list(said) == [
        "Choice, by the runs on rotated-digits, 4 epochs, equal widths",
        "Direct comparison",
        "Cost",
        "At equal maps",
        "Saving",
        "Gain, on the test images of rotated-digits",
    ]
    # The made-up time of plain does not depend on its channels; that of full is |H|² times plain's at one batch size.
    table = against_equal_maps(ok(more)[0]).set_index(["direction", "variant"])["time_ratio"]
    plain = against_plain(ok(more)[0]).set_index(["direction", "variant"])["time_ratio"]
    assert table["forward", "full"] == pytest.approx(plain["forward", "full"])
    assert f"a plain convolution of C · |H| = {maps} channels" in said["At equal maps"]
    assert "for full and" in said["At equal maps"]
    assert "lifting" not in said["At equal maps"]


def test_without_such_a_convolution_nothing_is_said_of_equal_maps(records):
    assert not any(sentence.text.startswith("At equal maps") for sentence in headline(Prepared(frames(records))))


def test_the_first_table_has_a_row_for_equal_maps(records):
    def names(made):
        data = frames(made)
        return [row.cells[0].text for row in table_of(Prepared(replace(data, costs=data.costs.assign(anchor="")))).rows]

    more, maps = with_equal_maps(records)
    assert names(more) == [*names(records), f"plain, C · |H| = {maps}"]


def test_a_wide_plain_convolution_is_no_point_of_the_growth_with_channels(records):
    costs = ok(with_equal_maps(records)[0])[0]
    layers = costs[costs["layer"] == "conv"]
    line = along(layers, layer_base(layers), "channels")
    assert line["channels"].max() == line.loc[line["variant"] != "plain", "channels"].max()


def test_every_users_network_has_a_row_in_the_first_table(records):
    record = training_record("plain", 1, 0, 0.7)
    own = [
        {**record, "id": name, "run": {**record["run"], "variant": "custom", "network": name}}
        for name in ("a:net", "b:net")
    ]
    data = frames([*records, *own])
    table = table_of(Prepared(replace(data, costs=data.costs.assign(anchor=""))))
    assert {len(row.cells) for row in table.rows} == {len(table.headings)}
    assert [row.cells[0].text for row in table.rows][-2:] == ["a:net", "b:net"]
    assert table.headings[0] == "layer or network"
    alone = frames(own)
    assert table_of(Prepared(replace(alone, costs=alone.costs.assign(anchor="")))).headings[0] == "network"


def test_a_network_with_augmentation_says_so_where_the_row_begins(records):
    record = training_record("separable", 8, 0, 0.7)
    made = [*records, {**record, "id": "turned", "run": {**record["run"], "augmentation": "rotations"}}]
    data = frames(made)
    table = table_of(Prepared(replace(data, costs=data.costs.assign(anchor=""))))
    rows = {row.cells[0].text: row.cells for row in table.rows}
    assert len(rows) == len(table.rows)
    assert rows["separable + rotations"][-1].note == rows["separable"][-1].note == "|H| = 8"
    assert {cell.text for cell in rows["separable + rotations"][1:-1]} == {"–"}


def test_users_layers_are_pointed_to_where_they_are_compared():
    own = cost_record(variant="custom", implementation="mine:Layer")
    found = headline(Prepared(frames([cost_record(variant="full"), own])))
    said = next(sentence for sentence in found if sentence.text.startswith("Users’ layers: "))
    assert "mine:Layer" in said.text
    assert said.sections == {"Other layers": "others"}
    assert not any("Users’ layers" in sentence.text for sentence in headline(Prepared(frames([own]))))
