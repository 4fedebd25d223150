"""The accuracies and costs of networks, against independent computation."""

import math

import numpy as np
import pandas as pd
import pytest

from reports.arithmetic.training import (
    PRICES,
    best_networks,
    common_target,
    front_of_all,
    gains,
    networks_at,
    over_seeds,
    redundancies,
    spent_to_target,
    trained_networks,
)
from reports.frames.frames import frames
from reports.frames.selection import largest_study, studies

from ..conftest import cost_record, training_record


def test_over_seeds():
    frame = pd.DataFrame({"variant": ["a"] * 3 + ["b"], "accuracy": [0.7, 0.8, 0.96, 0.5]})
    a, b = (row for _, row in over_seeds(frame, ["variant"], "accuracy").iterrows())
    assert (a["mean"], a["sd"]) == pytest.approx((np.mean([0.7, 0.8, 0.96]), np.std([0.7, 0.8, 0.96], ddof=1)))
    assert (a["min"], a["max"], a["n"], b["n"]) == (0.7, 0.96, 3, 1)
    assert math.isnan(b["sd"])


def test_where_something_was_matched_each_network_has_its_own_learning_rate_and_kernel(records):
    runs = frames(records).runs.assign(matched="time")
    tuned = (runs["variant"] == "full") & (runs["resolution"] == 8)
    runs.loc[tuned, ["learning_rate", "kernel_size"]] = [0.5, 9]
    again = runs[tuned].iloc[:1].assign(learning_rate=0.25, id="another rate")
    [study] = studies(pd.concat([runs, again], ignore_index=True))
    assert study["id"].tolist() == runs["id"].tolist()
    costs = frames(records).costs.query("status == 'ok'")
    table = trained_networks(costs, study).set_index(["variant", "resolution"])
    assert math.isnan(table.loc[("full", 8), "seconds"])  # the measured case has smaller kernels
    assert table.loc[("full", 4), "seconds"] > 0


def study(records):
    data = frames(records)
    return data.costs.query("status == 'ok'"), largest_study(data.runs), data.epochs


def test_networks_have_an_accuracy_and_what_they_cost(records):
    costs, runs, _ = study(records)
    table = trained_networks(costs, runs).set_index(["variant", "resolution"])
    full = table.loc[("full", 8)]
    assert full["mean"] == pytest.approx(0.95)
    assert full["seconds"] == pytest.approx(1e-3 * 8**2 * (64 / 16) / 64)
    assert (full["n"], full["n_case"], full["macs"], full["parameters"]) == (3, 21, 1000, 5678)
    assert full["peak_bytes"] == 2**20 * 8 * 64
    assert full["training_seconds"] == 8 * 4
    # Separable at |H| = 4 takes as long as full at |H| = 2, needs more memory, and is less accurate.
    assert {name for name, on in table["front"].items() if not on} == {("separable", 4)}


def test_the_front_is_what_brute_force_finds():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.integers(1, 5, (60, 4)).astype(float), columns=["mean", *PRICES])
    table.loc[3, "seconds"] = math.nan
    goods = [(row["mean"], *(-row[name] for name in PRICES)) for _, row in table.iterrows()]

    def beaten(ours):
        return any(all(b >= a for a, b in zip(ours, rival, strict=True)) and rival != ours for rival in goods)

    expected = [not beaten(ours) and not any(map(math.isnan, ours)) for ours in goods]
    assert front_of_all(table).tolist() == expected
    assert 0 < sum(expected) < 60


def test_a_cost_that_nobody_has_does_not_count(records):
    _, runs, _ = study(records)
    table = trained_networks(frames([]).costs, runs)
    assert table["seconds"].isna().all()
    assert table["front"].sum() == 1  # all need the same MACs, so only the most accurate is on the front


def test_times_prefer_the_threads_of_the_training_runs(records):
    network = {"variant": "plain", "layer": "resnet", "channels": 8, "image_size": 16, "batch_size": 64}
    costs, runs, _ = study([cost_record(**network, threads=2), *records])
    table = trained_networks(costs, runs)
    assert table.set_index("variant").loc["plain", "threads_case"] == 1
    assert len(table) == 7


def test_gains_are_paired_by_seed(records):
    runs = frames(records).runs
    found = gains(runs, best_networks(runs))
    assert found["full"].low < found["full"].value < found["full"].high
    runs = runs[(runs["variant"] != "plain") | (runs["seed"] > 0)]
    found = gains(runs, best_networks(runs))
    differences = [0.94 + 0.01 * seed - (0.80 + 0.01 * seed) for seed in (1, 2)]
    assert found["full"].value == pytest.approx(np.mean(differences))
    assert math.isnan(found["full"].low)  # of two seeds
    assert set(found) == {"full", "separable"}
    assert gains(runs[runs["variant"] != "plain"], best_networks(runs).iloc[1:]) == {}


def test_the_target_is_what_the_weakest_network_reaches(records):
    _, _, epochs = study(records)
    assert common_target(epochs) == 0.81  # plain: 80, 81 and 82 %
    assert math.isnan(common_target(epochs.iloc[:0]))


def test_what_was_spent_until_the_target(records):
    _, _, epochs = study(records)
    table = spent_to_target(epochs, 0.85).set_index(["variant", "resolution"])
    # Full at |H| = 8 rises to 0.94, 0.95 and 0.96 in four equal epochs of 8 s; only the last reaches the target.
    full = table.loc[("full", 8)]
    assert (full["n"], full["reached"], full["epoch_median"], full["seconds_median"]) == (3, 3, 4, 32)
    assert full["macs_median"] == 12000
    assert table.loc[("plain", 1), "reached"] == 0
    assert table.loc[("plain", 1), "seconds_median"] == math.inf


def test_redundancy_is_that_of_the_first_and_the_last_epoch_that_has_any():
    run = training_record("full", 4, seed=0, accuracy=0.9)
    run["epochs"][0]["redundancy"] = {"<layer>": {"separable": 0.25, "gseparable": 0.5}}
    run["epochs"][2]["redundancy"] = {"<layer>": {"separable": 0.75}}
    rows = redundancies(frames([run]).epochs)
    assert rows[["when", "layer", "form", "fraction"]].to_numpy().tolist() == [
        ["at the start", "<layer>", "separable", 0.25],
        ["at the start", "<layer>", "gseparable", 0.5],
        ["after training", "<layer>", "separable", 0.75],
    ]
    assert redundancies(frames([training_record("full", 4, 0, 0.9)]).epochs).empty


def test_networks_stand_at_the_base_point_or_where_they_validate_best(records):
    runs = frames(records).runs
    here = networks_at(runs, {"group": "SO2", "resolution": 4}).set_index("variant")
    assert here["resolution"].to_dict() == {"plain": 1, "full": 4, "separable": 4}
    elsewhere = networks_at(runs, {"group": "O2", "resolution": 4}).set_index("variant")
    assert elsewhere["resolution"].to_dict() == {"plain": 1, "full": 8, "separable": 8}


def test_plain_is_the_network_without_augmentation_where_there_is_one():
    runs = frames([training_record("plain", 1, seed, 0.8) for seed in (0, 1)]).runs
    turned = runs.assign(augmentation="rotations", validation_accuracy=0.99, id="turned")
    best = best_networks(pd.concat([runs, turned], ignore_index=True))
    assert best["augmentation"].tolist() == ["none"]
    assert best_networks(turned)["augmentation"].tolist() == ["rotations"]


def test_every_network_of_users_is_kept():
    runs = frames([training_record("plain", 1, 0, 0.8)]).runs.assign(variant="custom")
    own = [runs.assign(network=name, id=name) for name in ("a:net", "b:net")]
    assert sorted(best_networks(pd.concat(own, ignore_index=True))["network"]) == ["a:net", "b:net"]
