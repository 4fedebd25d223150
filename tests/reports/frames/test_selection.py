"""The rows that are compared: at the base point, with default settings, and of one study."""

import itertools

import pandas as pd

from reports.frames.frames import frames
from reports.frames.selection import (
    PASSES,
    STEP,
    at,
    base_point,
    first_study,
    latest,
    opening_order,
    ours_by_default,
    studies,
    usual_threads,
)

from ..conftest import GPU, both_devices, cost_record, every_record, gpu_records, old, on_gpu, training_record


def test_base_point_of_a_star_is_its_centre(records):
    base = base_point(frames(records).costs.query("layer == 'conv' and status == 'ok'"))
    assert (base["resolution"], base["channels"], base["batch_size"], base["group"]) == (8, 16, 16, "SO2")


def test_base_point_of_a_grid_is_its_middle():
    grid = itertools.product((4, 8, 16), (8, 16, 32, 64), (1, 16, 64))
    made = [cost_record(resolution=r, channels=c, batch_size=b) for r, c, b in grid]
    base = base_point(frames(made).costs)
    assert (base["resolution"], base["channels"], base["batch_size"]) == (8, 16, 16)


def test_slices_keep_plain_at_any_group(records):
    costs = ours_by_default(frames(records).costs)
    costs = costs.query("layer == 'conv' and status == 'ok' and direction == 'forward'")
    here = at(costs, base_point(costs))
    assert sorted(here["variant"]) == ["full", "lifting", "plain", "separable"]
    along = at(costs, base_point(costs), free=["channels"])
    assert along.groupby("variant").size().to_dict() == dict.fromkeys(["full", "lifting", "plain", "separable"], 3)


def test_comparable_is_what_is_used_by_default():
    usual = [cost_record(), cost_record(direction="forward_backward")]
    step = cost_record(direction="training_step")
    other = [{"execution": "compiled"}, {"dtype": "bfloat16"}, {"kernels": "generated"}, {"implementation": "escnn"}]
    costs = frames([*usual, step, *(cost_record(**changes) for changes in other)]).costs
    assert ours_by_default(costs)["id"].tolist() == [record["id"] for record in usual]
    assert len(ours_by_default(costs, (*PASSES, STEP))) == 3


def test_usual_threads_are_those_of_most_cases():
    costs = frames([cost_record(threads=t, channels=c) for t, c in ((1, 8), (2, 8), (2, 16), (1, 16), (1, 32))]).costs
    assert set(usual_threads(costs)["threads"]) == {1}
    assert set(usual_threads(costs.iloc[:4])["threads"]) == {2}
    assert usual_threads(costs.iloc[:0]).empty


def test_the_newest_record_of_a_case_counts_whatever_its_id():
    new, before = cost_record(), old(cost_record())
    before["provenance"]["measured_at"] = "2029-01-01T00:00:00+00:00"
    other = cost_record(kernels="generated")
    kept = latest(frames([new, before, other]).costs)
    assert kept["id"].tolist() == [new["id"], other["id"]]


def test_recipes_are_not_averaged_as_seeds(records):
    runs = frames(records).runs
    others = pd.concat([runs.iloc[[0]].assign(learning_rate=0.5), runs.iloc[:5].assign(budget=99)])
    assert first_study(pd.concat([others, runs], ignore_index=True))["id"].tolist() == runs["id"].tolist()


def test_each_variant_may_have_its_own_learning_rate(records):
    runs = frames(records).runs
    runs.loc[runs["variant"] == "plain", "learning_rate"] = 0.5
    assert first_study(runs)["id"].tolist() == runs["id"].tolist()


def test_augmented_runs_may_have_their_own_learning_rate(records):
    runs = frames(records).runs
    turned = runs.assign(augmentation="rotations", learning_rate=0.5)
    assert len(first_study(pd.concat([runs, turned], ignore_index=True))) == 2 * len(runs)


def test_different_numbers_of_train_images_are_different_studies(records):
    runs = frames(records).runs
    few = runs.iloc[:6].assign(train_limit=100.0)
    assert [len(study) for study in studies(pd.concat([few, runs], ignore_index=True))] == [len(runs), 6]


def test_no_runs_have_no_recipe(records):
    runs = frames(records).runs
    assert first_study(runs.iloc[:0]).empty


def test_studies_are_sets_of_runs_that_may_be_compared_those_with_most_runs_first(records):
    runs = frames(records).runs
    matched = runs.iloc[:6].assign(matched="time", channels=[4, 5, 6, 7, 8, 9])
    other = runs.iloc[:4].assign(dataset="stars")
    found = studies(pd.concat([other, matched, runs], ignore_index=True))
    assert [len(study) for study in found] == [21, 6, 4]  # matched widths may differ within a study


def test_a_study_of_more_test_images_comes_first_if_it_compares_networks(records):
    runs = frames(records).runs
    precise = runs.iloc[:9].assign(dataset="stars", n_test=50_000.0)
    assert list(precise["variant"].unique()) != ["plain"]
    alone = runs.iloc[:1].assign(dataset="a lone run", n_test=90_000.0)
    found = studies(pd.concat([runs, alone, precise], ignore_index=True))
    assert [len(study) for study in found] == [9, 21, 1]


HOST = "Made-up CPU, 2 cores"


def test_a_gpu_with_results_for_its_base_point_comes_first():
    assert opening_order(frames(every_record())) == [HOST]
    assert opening_order(frames(both_devices())) == [f"{GPU} in {HOST}", HOST]
    few = [*every_record(), on_gpu(cost_record())]
    assert frames(few).machines[0] == HOST
    assert opening_order(frames(few)) == [f"{GPU} in {HOST}", HOST]


def test_a_gpu_without_a_layer_in_the_usual_setting_does_not_come_first():
    others = [on_gpu(cost_record(layer="resnet")), on_gpu(cost_record(dtype="tf32")), on_gpu(cost_record()) | FAILED]
    for record in (*others, on_gpu(training_record("plain", 1, 0, 0.8))):
        assert opening_order(frames([*every_record(), record])) == [HOST, f"{GPU} in {HOST}"]


FAILED = {"status": "failed"}


def test_among_gpus_the_one_with_the_most_records_comes_first():
    more = gpu_records("B")
    assert opening_order(frames([*every_record(), *gpu_records("A")[:80], *more])) == [
        f"B in {HOST}",
        f"A in {HOST}",
        HOST,
    ]


def test_devices_are_never_at_one_base_point():
    costs = frames([cost_record(), on_gpu(cost_record()), on_gpu(cost_record(variant="full"))]).costs
    base = base_point(costs)
    assert base["device"] == "cuda"
    assert set(at(costs, base)["device"]) == {"cuda"}
    assert len(latest(costs)) == 3


def test_networks_of_two_kinds_are_two_studies_and_a_users_joins_the_most_frequent(records):
    runs = frames(records).runs
    other = runs.iloc[:4].assign(network="allcnnc")
    own = runs.iloc[:2].assign(network="mine:net", variant="custom")
    found = studies(pd.concat([own, other, runs], ignore_index=True))
    assert [len(study) for study in found] == [len(runs) + 2, 4]
    assert set(found[0]["network"]) == {"resnet", "mine:net"}


def test_the_sizes_in_the_records_of_a_users_network_do_not_part_it_from_the_others():
    """Its function need not take a width, and its records have one all the same; a study of two widths takes one."""
    runs = frames([training_record(*run) for run in (("plain", 1, 0, 0.8), ("separable", 4, 0, 0.9))]).runs
    own = runs.iloc[:1].assign(network="mine:net", variant="custom", channels=16.0, kernel_size=3.0)
    [study] = studies(pd.concat([own, runs], ignore_index=True))
    assert set(study["network"]) == {"resnet", "mine:net"}
    assert set(study.loc[study["variant"] == "custom", "channels"]) == {16.0}
    wide = runs.assign(channels=16.0, kernel_size=3.0)
    found = studies(pd.concat([own, runs, wide], ignore_index=True))
    assert [set(study["channels"]) for study in found if "mine:net" in set(study["network"])] == [{16.0}]
    assert len(studies(own)) == 1


def test_of_studies_with_the_same_test_images_the_one_of_the_most_train_images_comes_first():
    def study(images, seeds):
        made = [training_record(variant, 1, seed, 0.5) for variant in ("plain", "full") for seed in range(seeds)]
        return [
            {**each, "id": f"{each['id']}-{images}", "data": each["data"] | {"train": images}}
            | {"run": each["run"] | {"train_limit": images}}
            for each in made
        ]

    runs = frames([*study(100, 4), *study(3000, 3), *study(300, 3)]).runs
    assert [set(found["train_limit"]) for found in studies(runs)] == [{3000}, {300}, {100}]
