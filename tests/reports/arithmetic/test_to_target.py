"""What networks had spent when they reached a target, and which of them the seeds call the first."""

import math

import pytest

from reports.arithmetic.to_target import common_target, rivals_of_first, spent_to_target
from reports.frames.frames import frames

from ..conftest import training_record
from .test_training import study


def test_the_target_is_what_the_weakest_network_reaches(records):
    _, _, epochs = study(records)
    assert common_target(epochs) == 0.81  # plain: 80, 81 and 82 %
    assert math.isnan(common_target(epochs.iloc[:0]))


def test_a_target_of_a_whole_percent_is_not_rounded_down_to_the_one_below():
    runs = [training_record("plain", 1, seed, 0.57) for seed in range(3)]
    for entry in (entry for run in runs for entry in run["epochs"]):
        entry["validation_accuracy"] = 0.57
    assert 100 * 0.57 < 57
    assert common_target(frames(runs).epochs) == 0.57


def test_what_was_spent_until_the_target(records):
    _, _, epochs = study(records)
    table = spent_to_target(epochs, 0.85).set_index(["variant", "resolution"])
    # Full at |H| = 8 rises to 0.94, 0.95 and 0.96 in four equal epochs of 8 s; only the last reaches the target.
    full = table.loc[("full", 8)]
    assert (full["n"], full["reached"], full["epoch_median"], full["seconds_median"]) == (3, 3, 4, 32)
    assert full["macs_median"] == 12000
    assert table.loc[("plain", 1), "reached"] == 0
    assert table.loc[("plain", 1), "seconds_median"] == math.inf


def reaching(variant, *firsts):
    """Return a run for each seed, which reaches 90 % in an epoch after some seconds: `firsts` has both of each seed."""
    runs = [training_record(variant, 1 if variant == "plain" else 4, seed, 0.9) for seed in range(len(firsts))]
    for run, (epoch, seconds) in zip(runs, firsts, strict=True):
        for entry in run["epochs"]:
            entry["validation_accuracy"] = 0.9 if entry["epoch"] >= epoch else 0.1
            entry["seconds"] = seconds + 100 * (entry["epoch"] - epoch)
    return runs


def test_the_median_of_seconds_is_over_the_seconds_of_the_seeds():
    # Three of five seeds share the middle epoch, and the slowest of them is the slowest of all.
    runs = reaching("plain", (2, 98.5), (2, 69.5), (2, 66.9), (1, 67.0), (3, 97.0))
    [row] = spent_to_target(frames(runs).epochs, 0.85).to_dict("records")
    assert [row[f"seconds_{part}"] for part in ("low", "median", "high")] == [66.9, 69.5, 98.5]
    assert (row["epoch_median"], row["macs_median"]) == (2, 6000)
    assert row["seconds_seeds"] == {0: 98.5, 1: 69.5, 2: 66.9, 3: 67.0, 4: 97.0}


def test_a_seed_that_misses_the_target_counts_as_the_longest():
    [row] = spent_to_target(frames(reaching("plain", (2, 10.0), (9, 1.0), (2, 30.0))).epochs, 0.85).to_dict("records")
    assert (row["reached"], row["seconds_median"], row["seconds_high"]) == (2, 30.0, math.inf)


@pytest.mark.parametrize(
    ("factors", "apart"),
    [((1.5, 1.6, 1.7), True), ((0.6, 1.5, 1.9), False), ((1.5, 1.6), False)],
    ids=["every seed is later", "the seeds disagree", "two seeds"],
)
def test_a_network_is_first_only_if_the_seeds_tell_it_apart(factors, apart):
    seconds = (50.0, 60.0, 70.0)[: len(factors)]
    runs = reaching("plain", *((2, each) for each in seconds))
    runs += reaching("full", *((2, each * factor) for each, factor in zip(seconds, factors, strict=True)))
    spent = spent_to_target(frames(runs).epochs, 0.85)
    assert rivals_of_first(spent, "seconds")["variant"].tolist() == ["plain"] + ["full"] * (not apart)
    assert rivals_of_first(spent, "macs")["variant"].tolist() == ["plain", "full"]
