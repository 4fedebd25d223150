"""The accuracies and costs of networks, against independent computation."""

import math

import numpy as np
import pandas as pd
import pytest

from benchmarks.statistics.choosing import Accuracies
from reports.arithmetic.training import (
    accuracies,
    beaten_by,
    best_networks,
    best_plain,
    gains,
    networks_at,
    over_seeds,
    redundancies,
    trained_networks,
)
from reports.frames.frames import frames
from reports.frames.selection import first_study, studies

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
    return data.costs.query("status == 'ok'"), first_study(data.runs), data.epochs


def test_networks_have_an_accuracy_and_what_they_cost(records):
    costs, runs, _ = study(records)
    table = trained_networks(costs, runs).set_index(["variant", "resolution"])
    full = table.loc[("full", 8)]
    assert full["mean"] == pytest.approx(0.95)
    assert full["seconds"] == pytest.approx(1e-3 * 8**2 * (64 / 16) / 64)
    assert (full["n"], full["n_case"], full["macs"], full["parameters"]) == (3, 21, 1000, 5678)
    assert full["peak_bytes"] == 2**20 * 8 * 64
    assert full["training_seconds"] == 8 * 4


def test_a_network_leaves_the_front_where_another_is_clearly_better():
    times = [(1.0, 0.9, 1.1), (1.05, 0.95, 1.15), (2.0, 1.9, 2.1), (math.nan,) * 3]
    table = pd.DataFrame(times, columns=["seconds", "ci_low", "ci_high"]).assign(macs=[1, 1, 2, 2], peak_bytes=math.nan)
    means = (0.9, 0.9, 0.9, 0.95)
    nothing = Accuracies(means, better=frozenset(), near=frozenset(), far=frozenset(), seeds=3)
    assert beaten_by(table, nothing, "seconds") == [[], [], [0, 1], []]  # the intervals of 0 and 1 overlap
    assert beaten_by(table, nothing, "macs") == [[], [], [0, 1], []]
    assert beaten_by(table, nothing, "peak_bytes") == [[], [], [], []]
    better = Accuracies(
        (0.95, 0.9, 0.96, 0.8), better=frozenset({(0, 1), (2, 3)}), near=frozenset(), far=frozenset(), seeds=3
    )
    assert beaten_by(table, better, "seconds") == [[], [0], [], []]
    assert beaten_by(table, better, "macs") == [[], [0], [], [0, 1, 2]]


def test_a_cost_that_nobody_has_does_not_count(records):
    _, runs, _ = study(records)
    table = trained_networks(frames([]).costs, runs)
    assert table["seconds"].isna().all()
    compared = accuracies(runs, table)
    assert not any(beaten_by(table, compared, "seconds"))
    # All need the same MACs, and seeds differ in all networks alike, so that each is shown to be better or worse.
    assert sum(not rivals for rivals in beaten_by(table, compared, "macs")) == 1


def test_times_prefer_the_threads_of_the_training_runs(records):
    network = {"variant": "plain", "layer": "resnet", "channels": 8, "image_size": 16, "batch_size": 64}
    costs, runs, _ = study([cost_record(**network, threads=2), *records])
    table = trained_networks(costs, runs)
    assert table.set_index("variant").loc["plain", "threads_case"] == 1
    assert len(table) == 7


def gains_by_variant(runs):
    best = best_networks(runs)
    return {best.loc[i, "variant"]: gain for i, gain in gains(runs, best).items()}


def test_gains_are_paired_by_seed(records):
    runs = frames(records).runs
    found = gains_by_variant(runs)
    assert found["full"].low < found["full"].value < found["full"].high
    runs = runs[(runs["variant"] != "plain") | (runs["seed"] > 0)]
    found = gains_by_variant(runs)
    differences = [0.94 + 0.01 * seed - (0.80 + 0.01 * seed) for seed in (1, 2)]
    assert found["full"].value == pytest.approx(np.mean(differences))
    assert math.isnan(found["full"].low)  # of two seeds
    assert set(found) == {"full", "separable"}
    assert gains(runs[runs["variant"] != "plain"], best_networks(runs).iloc[1:]) == {}


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


def test_what_is_redundant_by_construction_is_left_out():
    run, alone = training_record("full", 4, seed=0, accuracy=0.9), training_record("full", 1, seed=0, accuracy=0.9)
    run["epochs"][0]["redundancy"] = {"conv1": {"separable": 0.25}, "blocks.1.skip": {"separable": 1.0}}
    alone["epochs"][0]["redundancy"] = {"conv9": {"gseparable": 1.0}}
    assert set(redundancies(frames([run, alone]).epochs)["layer"]) == {"conv1"}


def test_networks_stand_at_the_base_point_or_where_they_validate_best(records):
    runs = frames(records).runs
    here = networks_at(runs, {"group": "SO2", "resolution": 4}).set_index("variant")
    assert here["resolution"].to_dict() == {"plain": 1, "full": 4, "separable": 4}
    elsewhere = networks_at(runs, {"group": "O2", "resolution": 4}).set_index("variant")
    assert elsewhere["resolution"].to_dict() == {"plain": 1, "full": 8, "separable": 8}


def test_a_network_with_augmented_images_is_one_of_its_own():
    runs = frames([training_record("plain", 1, seed, 0.8) for seed in (0, 1)]).runs
    turned = runs.assign(augmentation="rotations", id="turned")
    best = best_networks(pd.concat([turned, runs], ignore_index=True))
    assert best["augmentation"].tolist() == ["none", "rotations"]


@pytest.mark.parametrize(("augmented", "gain"), [(0.85, 0.1), (0.75, 0.15)])
def test_gains_are_over_the_plain_network_that_validates_best(augmented, gain):
    runs = frames([training_record("plain", 1, seed, 0.8) for seed in (0, 1)]).runs
    full = frames([training_record("full", 4, seed, 0.95) for seed in (0, 1)]).runs
    turned = runs.assign(augmentation="rotations", id="turned")
    turned[["validation_accuracy", "test_accuracy"]] += augmented - 0.8
    runs = pd.concat([runs, turned, full], ignore_index=True)
    best = best_networks(runs)
    assert best.loc[best_plain(best), "augmentation"] == ("rotations" if augmented > 0.8 else "none")
    found = gains(runs, best)
    assert found[best.index[best["variant"] == "full"][0]].value == pytest.approx(gain)
    assert len(found) == 2


def test_every_network_of_users_is_kept():
    runs = frames([training_record("plain", 1, 0, 0.8)]).runs.assign(variant="custom")
    own = [runs.assign(network=name, id=name) for name in ("a:net", "b:net")]
    assert sorted(best_networks(pd.concat(own, ignore_index=True))["network"]) == ["a:net", "b:net"]
