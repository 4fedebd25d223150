"""The results of a form, and how they become fields and lines."""

import json
from dataclasses import replace

from benchmarks.deployment.forms import Form
from benchmarks.deployment.table import deployment_lines
from tests.benchmarks.deployment.made_up import CASE, deployment, measured


def test_the_first_process_is_told_apart_from_the_later_ones() -> None:
    form = measured("compiled", 0.8)
    assert form.first_answers[0] == 9.0
    assert form.later_answer == 1.5
    assert Form("compiled").later_answer is None


def test_the_error_of_a_form_is_the_largest_of_its_processes() -> None:
    assert measured("frozen", 0.2).error == 9e-7


def test_times_are_those_of_an_image_and_multiples_those_of_the_eager_network() -> None:
    fields = json.loads(json.dumps(deployment().fields(), allow_nan=False))
    forms = {form["form"]: form for form in fields["forms"]}
    assert forms["frozen"]["seconds_per_image"]["value"] == 0.2 / CASE.batch_size
    assert forms["frozen"]["against_eager"]["value"] == 0.5
    assert forms["eager"]["against_eager"] is None
    assert fields["imports"] == {"torch": 2.5, "gcnn_impl": 0.1}


def test_a_form_that_was_not_measured_has_its_reason_and_no_numbers() -> None:
    (onnx,) = (form for form in deployment().fields()["forms"] if form["form"] == "onnx")
    assert onnx["reason"] == "skipped: onnxscript is not installed"
    assert onnx["passes"] == 0
    assert all(onnx[name] is None for name in ("bytes", "first_answer_seconds", "seconds_per_image", "against_eager"))


def test_the_table_has_a_row_for_each_form_and_says_why_one_is_missing() -> None:
    label, header, *rows, missing, _, imports = deployment_lines(deployment())
    assert label == CASE.label
    assert len({len(row) for row in (header, *rows)}) == 1  # the columns are aligned
    assert [row.split()[0] for row in rows] == ["eager", "frozen", "compiled", "exported", "onnx"]
    assert "50.000 [50.000, 50.000]" in rows[1]
    assert "0.50 [0.50, 0.50]" in rows[1]
    assert missing == "onnx (in ONNX Runtime) was not measured: skipped: onnxscript is not installed"
    assert "gcnn_impl 0.100 s more [0.100 to 0.200, n = 3]" in imports


def test_a_busy_machine_is_said() -> None:
    busy = replace(deployment(), provenance={"cores": 2, "load_before": 7.0})
    assert list(deployment_lines(busy))[1].startswith("the machine was busy (load 7 on 2 cores)")
