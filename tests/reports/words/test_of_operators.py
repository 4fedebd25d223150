"""The sentences about operators and first answers, recomputed from the made-up records."""

import pytest

from reports.arithmetic.first_answers import first_answers
from reports.arithmetic.operators import operators, shares
from reports.arithmetic.prepared import Prepared
from reports.frames.frames import frames
from reports.tables import of_layers
from reports.tables import of_operators as tables
from reports.words import of_operators

from ..conftest import cost_record, old

BETWEEN = "Python and dispatch between operators"

NOTHING = frames([]).costs


def layers(*variants, directions=("forward", "forward_backward"), **changes):
    return [cost_record(variant=v, direction=d, **changes) for v in variants for d in directions]


def costs_of(records):
    return frames(records).costs


def test_the_largest_operator_and_the_time_between_operators_are_named_for_each_pass():
    parts = operators(costs_of(layers("plain", "full")))
    assert of_operators.operators(parts) == (
        "Forward: the largest operators are convolution 60 % (plain) and convolution 60 % (full); between operators "
        "20.0 % (plain) to 20.0 % (full). Forward + backward: the largest operators, calls in forward and backward "
        "apart, are convolution 30 % (plain) and convolution 30 % (full); between operators 20.0 % (plain) to 20.0 % "
        "(full)."
    )


def test_one_name_in_forward_and_backward_is_not_larger_than_two_names():
    (record,) = layers("full", directions=["forward_backward"])
    rows = record["operators"]["rows"]
    named = (("gcnn_impl::depthwise", "forward", 9), ("gcnn_impl::depthwise", "backward", 8))
    for operator, phase, seconds in (
        *named,
        ("gcnn_impl::mix_backward", "backward", 15),
        ("gcnn_impl::mix", "forward", 9),
    ):
        rows.append({**rows[0], "operator": operator, "phase": phase, "seconds": float(seconds)})
    assert " are mix_backward " in of_operators.operators(operators(costs_of([record])))


def test_the_table_of_the_roofline_and_that_of_operators_agree_on_the_time_without_macs():
    results = Prepared(frames(layers("full", "plain")))
    [column] = [i for i, name in enumerate(of_layers.roofline(results.steps).headings) if name == "time without MACs"]
    shown = [row.cells[column].text for row in of_layers.roofline(results.steps).rows]
    # 60 % of a forward pass is in the operator with MACs, 30 % of the other pass; the record's own share is 25 %.
    assert shown == ["40.0 %", "40.0 %", "70.0 %", "70.0 %"]


def test_the_shares_of_a_pass_add_up_and_rare_operators_are_joined():
    parts = operators(costs_of(layers("full")))
    table = shares(parts, most=1)
    assert list(table) == ["aten::convolution", "other operators", BETWEEN]
    assert table.sum(axis=1).tolist() == pytest.approx([1.0, 1.0])
    assert table.loc[("forward_backward", "full")].tolist() == pytest.approx([0.3, 0.5, 0.2])


def test_the_time_between_kernels_of_a_gpu_has_its_own_name():
    (record,) = layers("full", directions=["forward"])
    record["case"]["device"] = "cuda"
    assert list(operators(costs_of([record])).query("calls == 0")["operator"]) == ["gaps between kernels"]


def test_by_how_much_the_profiler_slows_a_pass_is_said():
    records = layers("full", "plain", directions=["forward"])
    assert "takes 1.2× to 1.2× the time of one without, in turns." in of_operators.slowed(operators(costs_of(records)))
    records[0]["operators"]["seconds"] *= 0.5
    assert "takes 0.62× to 1.2×" in of_operators.slowed(operators(costs_of(records)))
    assert of_operators.slowed(operators(costs_of(records))).endswith("in turns; less than 1 is noise of this machine.")
    del records[0]["operators"]["seconds"], records[1]["operators"]["plain_seconds"]
    assert of_operators.slowed(operators(costs_of(records))) == "How much the profiler slows a pass was not recorded."


def test_only_the_layers_at_the_base_point_are_shown():
    records = [*layers("full", "plain"), *layers("full", resolution=4, directions=["forward"])]
    assert len(operators(costs_of(records)).drop_duplicates(["variant", "direction"])) == 4


def test_the_table_has_every_operator_with_its_numbers():
    table = tables.operators(operators(costs_of(layers("full", directions=["forward"]))))
    texts = [[cell.text for cell in row.cells] for row in table.rows]
    assert texts[0][2:6] == ["aten::convolution", "forward", "60.0 %", "48.0 ms"]
    assert texts[0][6:] == ["2", "1.00 k", "8.00 B"]
    assert texts[2][2:5] == [BETWEEN, "forward", "20.0 %"]
    assert texts[2][6:8] == ["0", "–"]


def test_the_longest_time_until_a_first_answer_is_named():
    records = [*layers("full", "plain"), cost_record(layer="resnet", variant="full", resolution=16, batch_size=64)]
    records += layers("full", batch_size=128, directions=["forward"])  # not at the base point, so not in the table
    records[-1]["first_call_seconds"] = 3.0
    results = Prepared(frames(records))
    assert len(results.first_answers) == 5
    assert of_operators.first_answers(results.all_first_answers) == (
        "Of 6 cases, the longest time until a first answer is 3.08 s (one layer, full, |H| = 8, C = 16, batch 128, "
        "forward): 80.0 ms to construct the module, 3.00 s for its first call."
    )


def test_of_networks_the_table_has_the_case_that_takes_longest():
    records = layers("plain")
    records += [cost_record(layer="resnet", variant="full", resolution=n) for n in (2, 8, 4)]
    table = tables.first_answers(first_answers(costs_of(records), NOTHING), {})
    texts = [[cell.text for cell in row.cells][:4] for row in table.rows]
    assert texts == [
        ["one layer", "plain", "1", "forward"],
        ["one layer", "plain", "1", "forward + backward"],
        ["network", "full", "8", "forward"],
    ]


def test_each_layer_and_network_of_users_has_a_row_with_its_name():
    factories = ("a:make", "b:make")
    own = [cost_record(variant="custom", implementation=name) for name in factories]
    own += [cost_record(layer="network", variant="custom", implementation=name) for name in factories]
    results = Prepared(frames([*layers("full"), *own]))
    rows = tables.first_answers(results.first_answers, results.looks).rows
    assert [[cell.text for cell in row.cells[:2]] for row in rows if row.cells[3].text == "forward"] == [
        ["one layer", "full"],
        *(["one layer", name] for name in factories),
        *(["network of a user", name] for name in factories),
    ]
    assert [row.cells[1].look for row in rows][-2:] == ["custom", "own-2"]


def test_records_without_these_fields_are_shown_as_not_recorded():
    records = layers("full", "plain", directions=["forward"])
    for name in ("construction_seconds", "first_call_seconds", "operators"):
        del records[0][name]
    costs = costs_of(records)
    table = tables.first_answers(first_answers(costs, NOTHING), {})
    assert [[cell.text for cell in row.cells][1:5:3] for row in table.rows] == [
        ["plain", "10.0 ms"],
        ["full", "not recorded"],
    ]
    assert set(operators(costs)["variant"]) == {"plain"}
    older = costs_of([old(record) for record in records])
    assert tables.first_answers(first_answers(older, NOTHING), {}).rows == ()
    assert of_operators.first_answers(first_answers(older, NOTHING)) == "Construction and first call: not recorded."
    assert of_operators.operators(operators(older)).startswith("Operators: not recorded.")


def test_a_profile_with_unknown_numbers_breaks_nothing():
    (record,) = layers("full", directions=["forward"])
    for name in ("seconds", "calls", "bytes", "operator"):
        record["operators"]["rows"][0][name] = None
    parts = operators(costs_of([record]))
    assert parts["share"].sum() == pytest.approx(1.0)
    assert len(tables.operators(parts).rows) == 3
