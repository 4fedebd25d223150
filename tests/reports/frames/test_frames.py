import math

import pytest

from benchmarks.statistics.summary import summarise_rounds
from reports.frames.frames import frames, newest
from reports.frames.selection import studies

from ..conftest import NEW_AXES, cost_record, failed_record, noisy, old, training_record, twin_record


def test_rows_of_each_kind(records):
    data = frames(records)
    assert len(data.costs) == sum(record["kind"] == "cost" for record in records)
    assert len(data.runs) == 21
    assert len(data.epochs) == 21 * 4
    assert len(data.machines) == 1


def test_a_cost_record_becomes_a_row():
    record = cost_record(variant="full", resolution=4, batch_size=64)
    row = frames([record]).costs.iloc[0]
    assert row["variant"] == "full"
    assert row["seconds"] == record["seconds"]["median"]
    assert row["macs_convolution"] == record["macs"]["convolution"]
    assert row["macs_unsupported"] == "aten::sin×3"
    assert row["threads"] == 1
    assert row["machine"] == "Made-up CPU, 2 cores"
    assert [row[name] for name in NEW_AXES] == ["gcnn_impl", 1, "cached", "eager"]
    assert row["round_medians"] == pytest.approx([record["seconds"]["median"] * part for part in (0.99, 1.0, 1.01)])
    assert (row["rounds"], row["n"], row["stopped"], row["outliers_far"]) == (3, 21, "budget", 1)
    assert (row["noise"], row["findings"], row["missing"]) == ("quiet", (), ())
    assert row["kernels_bytes"] == record["memory"]["kernels_bytes"]
    assert row["stage_spatial_convolution"] == record["stages"]["spatial_convolution"]
    assert math.isnan(row["stage_group_mixing"])
    assert (row["roofline_fraction"], row["joules_per_sample"], row["kernel_generation_share"]) == (0.6, 0.002, 0.1)


def test_an_interval_from_before_the_rule_of_few_rounds_includes_how_much_they_differ():
    """A record's own interval may say 1 % where its three processes differ by a factor of two."""
    record = cost_record()
    record["seconds"] |= {"rounds": [[1.0], [1.5], [2.0]], "median": 1.5, "ci_low": 1.49, "ci_high": 1.51}
    row = frames([record]).costs.iloc[0]
    summary = summarise_rounds(record["seconds"]["rounds"])
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((summary["ci_low"], summary["ci_high"]))


def test_a_record_of_no_macs_was_not_counted():
    counted = cost_record(implementation="mine:Layer", variant="custom")
    macs = {**counted["macs"], "convolution": 0, "backward": 0, "unsupported": {"aten::_convolution_mode": 1}}
    row = frames([{**counted, "macs": macs}]).costs.iloc[0]
    numbers = ("macs_convolution", "macs_backward", "roofline_fraction", "macs_per_second", "zero_counted_time_share")
    assert all(math.isnan(row[name]) for name in numbers)
    assert row["macs_not_counted"] == "not counted: aten::_convolution_mode"


def test_a_record_of_schema_1_is_what_it_was_with_the_axes_it_did_not_have():
    for direction, kernels in (("forward", "cached"), ("forward_backward", "generated")):
        row = frames([old(cost_record(direction=direction))]).costs.iloc[0]
        assert [row[name] for name in NEW_AXES] == ["gcnn_impl", 1, kernels, "eager"]
        assert (row["rounds"], row["n"], row["noise"], row["block"]) == (1, 21, "", "")
        assert row["round_medians"] == pytest.approx([row["seconds"]])


def test_findings_and_what_is_missing_keep_their_reasons():
    record = noisy(cost_record())
    record |= {"energy": {"reason": "no counter"}, "missing": {"stages": "it broke"}}
    row = frames([record]).costs.iloc[0]
    assert (row["noise"], row["findings"]) == ("noisy", (("drift", "it <drifts>", "warm up longer"),))
    assert row["missing"] == (("energy", "no counter"), ("stages", "it broke"))
    assert math.isnan(row["joules_per_sample"])


def test_a_twin_is_a_pair_and_no_row():
    first = cost_record(variant="full")
    data = frames([first, twin_record(first, 2, 2, 4)])
    assert len(data.costs) == len(data.twins) == 1
    pair = data.twins.iloc[0]
    assert [b / a for a, b in zip(pair["first"], pair["second"], strict=True)] == pytest.approx([2, 2, 4])
    assert (pair["variant"], pair["machine"]) == ("full", "Made-up CPU, 2 cores")


def test_a_twin_without_its_first_entry_is_left_out():
    first = cost_record()
    twin = twin_record(first, 1, 1, 1)
    elsewhere = {**twin, "provenance": {**twin["provenance"], "cpu": "Another CPU"}}
    for others in ([], [{**first, "block": "another"}], [{**first, "status": "killed"}]):
        assert frames([*others, twin]).twins.empty
    assert frames([first, {**twin, "status": "killed"}]).twins.empty
    assert frames([first, elsewhere]).twins.empty


def test_a_twin_on_a_gpu_is_paired_there():
    first = cost_record(device="cuda")
    first["provenance"]["gpu"] = "Made-up GPU"
    assert frames([first, twin_record(first, 1, 1, 1)]).twins["machine"].tolist() == [
        "Made-up GPU in Made-up CPU, 2 cores"
    ]


def test_a_failure_keeps_its_status_and_message_and_has_no_numbers():
    row = frames([failed_record("it broke")]).costs.iloc[0]
    assert (row["status"], row["message"]) == ("failed", "it broke")
    assert math.isnan(row["seconds"])
    assert math.isnan(row["macs_convolution"])


def test_a_training_record_becomes_a_run_and_epochs():
    data = frames([training_record("full", 4, seed=2, accuracy=0.9)])
    run = data.runs.iloc[0]
    assert (run["seed"], run["test_accuracy"], run["validation_accuracy"], run["seconds"]) == (2, 0.9, 0.9, 16.0)
    assert data.epochs["epoch"].tolist() == [1, 2, 3, 4]
    assert data.epochs["macs"].tolist() == [3000, 6000, 9000, 12000]


def test_runs_on_other_images_are_called_by_these_and_never_compared():
    made = [training_record("plain", 1, seed, 0.9) for seed in range(4)]
    for record in made:
        record["run"]["dataset"] = "folder" if record["run"]["seed"] > 1 else "rotated-mnist"
    made[0]["data"]["name"] = "rotated-mnist-generated"
    for name, record in zip(("leaves", "shells"), made[2:], strict=True):
        record["data"] |= {"name": "folder", "source": f"folder {name}"}
    data, names = frames(made), ["rotated-mnist-generated", "rotated-mnist", "folder leaves", "folder shells"]
    assert list(data.runs["dataset"]) == list(dict.fromkeys(data.epochs["dataset"])) == names
    assert [set(study["dataset"]) for study in studies(data.runs)] == [{name} for name in names]


def test_the_newest_record_of_an_id_wins():
    old, new = cost_record(), cost_record()
    new["seconds"]["median"] = 42.0
    assert newest([old, new]) == [new]
    assert frames([old, new]).costs["seconds"].tolist() == [42.0]


def test_the_same_case_on_two_machines_is_two_records():
    here, there = cost_record(), cost_record()
    there["provenance"]["cpu"] = "Another CPU"
    data = frames([here, there, cost_record(variant="full")])
    assert data.machines == ["Made-up CPU, 2 cores", "Another CPU, 2 cores"]
    assert len(data.on("Another CPU, 2 cores").costs) == 1


def test_a_gpu_is_another_machine_than_its_host():
    on_gpu = cost_record(device="cuda")
    on_gpu["provenance"]["gpu"] = "Made-up GPU"
    assert frames([cost_record(), on_gpu]).machines[1] == "Made-up GPU in Made-up CPU, 2 cores"


def test_no_records_and_other_schemas_give_empty_frames_with_their_columns():
    data = frames([{**cost_record(), "schema": 99}])
    assert data.machines == []
    assert {"seconds", "variant"} <= set(data.costs.columns)
    assert {"epoch", "validation_accuracy"} <= set(data.epochs.columns)
