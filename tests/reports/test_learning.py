"""What networks reach and what they cost, against independent computation."""

import math

import numpy as np
import pandas as pd
import pytest

from reports import learning
from reports.frames import frames

from .conftest import cost_record, training_record


def test_over_seeds():
    frame = pd.DataFrame({"variant": ["a"] * 3 + ["b"], "accuracy": [0.7, 0.8, 0.96, 0.5]})
    a, b = (row for _, row in learning.over_seeds(frame, ["variant"], "accuracy").iterrows())
    assert (a["mean"], a["sd"]) == pytest.approx((np.mean([0.7, 0.8, 0.96]), np.std([0.7, 0.8, 0.96], ddof=1)))
    assert (a["min"], a["max"], a["n"], b["n"]) == (0.7, 0.96, 3, 1)
    assert math.isnan(b["sd"])


def test_recipes_are_not_averaged_as_seeds(records):
    runs = frames(records).runs
    others = pd.concat([runs.iloc[[0]].assign(learning_rate=0.5), runs.iloc[:5].assign(budget=99)])
    assert learning.one_recipe(pd.concat([others, runs], ignore_index=True))["id"].tolist() == runs["id"].tolist()


def test_each_variant_may_have_its_own_learning_rate(records):
    runs = frames(records).runs
    runs.loc[runs["variant"] == "plain", "learning_rate"] = 0.5
    assert learning.one_recipe(runs)["id"].tolist() == runs["id"].tolist()


def test_where_something_was_matched_each_network_has_its_own_learning_rate_and_kernel(records):
    runs = frames(records).runs.assign(matched="time")
    tuned = (runs["variant"] == "full") & (runs["resolution"] == 8)
    runs.loc[tuned, ["learning_rate", "kernel_size"]] = [0.5, 9]
    again = runs[tuned].iloc[:1].assign(learning_rate=0.25, id="another rate")
    [study] = learning.studies(pd.concat([runs, again], ignore_index=True))
    assert study["id"].tolist() == runs["id"].tolist()
    costs = frames(records).costs.query("status == 'ok'")
    networks = learning.networks(costs, study).set_index(["variant", "resolution"])
    assert math.isnan(networks.loc[("full", 8), "seconds"])  # what was measured has smaller kernels
    assert networks.loc[("full", 4), "seconds"] > 0


def test_no_runs_have_no_recipe(records):
    runs = frames(records).runs
    assert learning.one_recipe(runs.iloc[:0]).empty


def test_studies_are_sets_of_runs_that_may_be_compared_the_largest_first(records):
    runs = frames(records).runs
    matched = runs.iloc[:6].assign(matched="time", channels=[4, 5, 6, 7, 8, 9])
    other = runs.iloc[:4].assign(dataset="stars")
    found = learning.studies(pd.concat([other, matched, runs], ignore_index=True))
    assert [len(study) for study in found] == [21, 6, 4]  # widths that were chosen may differ in one study


def study(records):
    data = frames(records)
    return data.costs.query("status == 'ok'"), learning.one_recipe(data.runs), data.epochs


def test_networks_have_an_accuracy_and_what_they_cost(records):
    costs, runs, _ = study(records)
    table = learning.networks(costs, runs).set_index(["variant", "resolution"])
    full = table.loc[("full", 8)]
    assert full["mean"] == pytest.approx(0.95)
    assert full["seconds"] == pytest.approx(1e-3 * 8**2 * (64 / 16) / 64)
    assert (full["n"], full["n_case"], full["macs"], full["parameters"]) == (3, 21, 1000, 5678)
    assert full["peak_bytes"] == 2**20 * 8 * 64
    assert full["training_seconds"] == 8 * 4
    # Separable |H| = 4 costs what full |H| = 2 does in time, more memory, and is worse.
    assert {name for name, on in table["front"].items() if not on} == {("separable", 4)}


def test_the_front_is_what_brute_force_finds():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.integers(1, 5, (60, 4)).astype(float), columns=["mean", *learning.COSTS])
    table.loc[3, "seconds"] = math.nan
    goods = [(row["mean"], *(-row[name] for name in learning.COSTS)) for _, row in table.iterrows()]

    def beaten(ours):
        return any(all(b >= a for a, b in zip(ours, rival, strict=True)) and rival != ours for rival in goods)

    expected = [not beaten(ours) and not any(map(math.isnan, ours)) for ours in goods]
    assert learning.front_of_all(table).tolist() == expected
    assert 0 < sum(expected) < 60


def test_a_cost_that_nobody_has_does_not_count(records):
    _, runs, _ = study(records)
    table = learning.networks(frames([]).costs, runs)
    assert table["seconds"].isna().all()
    assert table["front"].sum() == 1  # all need as many MACs: the most accurate


def test_times_prefer_the_threads_of_the_training_runs(records):
    network = {"variant": "plain", "layer": "resnet", "channels": 8, "image_size": 16, "batch_size": 64}
    costs, runs, _ = study([cost_record(**network, threads=2), *records])
    table = learning.networks(costs, runs)
    assert table.set_index("variant").loc["plain", "threads_case"] == 1
    assert len(table) == 7


def test_gains_are_paired_by_seed(records):
    runs = frames(records).runs
    runs = runs[(runs["variant"] != "plain") | (runs["seed"] > 0)]
    gains = learning.gains(runs, learning.best_networks(runs))
    differences = [0.94 + 0.01 * seed - (0.80 + 0.01 * seed) for seed in (1, 2)]
    assert gains["full"].value == pytest.approx(np.mean(differences))
    assert gains["full"].low < gains["full"].value < gains["full"].high
    assert set(gains) == {"full", "separable"}
    assert learning.gains(runs[runs["variant"] != "plain"], learning.best_networks(runs).iloc[1:]) == {}


def test_the_target_is_what_the_weakest_network_reaches(records):
    _, _, epochs = study(records)
    assert learning.common_target(epochs) == 0.81  # plain: 80, 81 and 82 %
    assert math.isnan(learning.common_target(epochs.iloc[:0]))


def test_what_was_spent_until_the_target(records):
    _, _, epochs = study(records)
    table = learning.to_target(epochs, 0.85).set_index(["variant", "resolution"])
    # full |H| = 8 climbs to 0.94, 0.95 and 0.96 in four equal steps of 8 s: only the last is there.
    full = table.loc[("full", 8)]
    assert (full["n"], full["reached"], full["epoch_median"], full["seconds_median"]) == (3, 3, 4, 32)
    assert full["macs_median"] == 12000
    assert table.loc[("plain", 1), "reached"] == 0
    assert table.loc[("plain", 1), "seconds_median"] == math.inf


def test_redundancy_is_that_of_the_first_and_the_last_epoch_that_has_any():
    run = training_record("full", 4, seed=0, accuracy=0.9)
    run["epochs"][0]["redundancy"] = {"<layer>": {"separable": 0.25, "gseparable": 0.5}}
    run["epochs"][2]["redundancy"] = {"<layer>": {"separable": 0.75}}
    rows = learning.redundancies(frames([run]).epochs)
    assert rows[["when", "layer", "form", "fraction"]].to_numpy().tolist() == [
        ["at the start", "<layer>", "separable", 0.25],
        ["at the start", "<layer>", "gseparable", 0.5],
        ["after training", "<layer>", "separable", 0.75],
    ]
    assert learning.redundancies(frames([training_record("full", 4, 0, 0.9)]).epochs).empty


def test_networks_stand_at_the_base_point_or_where_they_validate_best(records):
    runs = frames(records).runs
    here = learning.networks_at(runs, {"group": "SO2", "resolution": 4}).set_index("variant")
    assert here["resolution"].to_dict() == {"plain": 1, "full": 4, "separable": 4}
    elsewhere = learning.networks_at(runs, {"group": "O2", "resolution": 4}).set_index("variant")
    assert elsewhere["resolution"].to_dict() == {"plain": 1, "full": 8, "separable": 8}
