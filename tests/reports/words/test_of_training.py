"""The sentences about training, recomputed from the made-up records without the report's own code."""

import math

import pandas as pd

from reports.arithmetic.prepared import Prepared, StudyRuns
from reports.arithmetic.to_target import spent_to_target
from reports.arithmetic.training import redundancies
from reports.figures.training import redundancy
from reports.frames.frames import frames
from reports.tables import of_training as tables
from reports.words import names, of_choice, of_training

from ..conftest import training_record
from .test_of_layers import ok


def test_time_to_train(records):
    assert of_training.time_to_train(ok(records)[2]) == (
        "Training for 4 epochs takes 4.00 s for plain, 8.00 s to 32.0 s for full and 8.00 s to 32.0 s for separable "
        "(means over seeds, from the fastest to the slowest network)."
    )


def test_recipe_names_learning_rates_that_differ(records):
    runs = ok(records)[1]
    assert "4 epochs, learning rate 0.01, trained on Made-up CPU, 1 thread." in of_training.recipe(runs)
    runs.loc[runs["variant"] == "plain", "learning_rate"] = 0.5
    assert (
        "learning rate 0.5 (plain), 0.01 (full) and 0.01 (separable), trained on Made-up CPU, 1 thread."
        in of_training.recipe(runs)
    )


def test_studies_are_named_by_what_sets_them_apart(records):
    runs = ok(records)[1]
    assert names.study_title(runs) == "rotated-digits, 4 epochs, equal widths"
    assert names.study_title(runs.assign(budget_unit="macs", budget=2.5e12, matched="time")) == (
        "rotated-digits, 2.50 T MACs, equal time of a training step"
    )
    few = runs.assign(train_limit=300.0, n_train=200.0)  # of all parts, the limit was lower
    assert names.study_title(few) == "rotated-digits, 200 train images, 4 epochs, equal widths"
    assert names.study_title(few.assign(n_train=math.nan)) == "rotated-digits, 300 train images, 4 epochs, equal widths"
    assert names.study_title(few.assign(train_limit=math.nan, limit=200.0)) == names.study_title(few)
    assert "widths chosen for equal time of a training step" in of_training.recipe(runs.assign(matched="time"))
    own = runs.iloc[:2].assign(variant="custom", network="mine:net", kernel_size=3.0, channels=99.0)
    both = pd.concat([own, runs], ignore_index=True)
    assert "widths 8, 8, 16, 5 × 5 kernels (but users’ own), batch" in of_training.recipe(both)
    assert names.study_title(both) == "rotated-digits, 4 epochs, equal widths but users’ own"
    assert names.study_title(own) == "rotated-digits, 4 epochs"
    assert "kernels" not in of_training.recipe(own)


def test_a_target_that_nobody_reaches_is_said(records):
    epochs = ok(records)[2]
    assert of_training.target(spent_to_target(epochs, 0.99), 0.99) == (
        "There is no network of which all seeds reach a validation accuracy of 99 %."
    )


def test_a_network_of_which_one_seed_misses_the_target_is_not_first(records):
    epochs = ok(records)[2]
    plain = epochs["variant"] == "plain"
    epochs.loc[plain, "seconds"] /= 1000
    epochs.loc[plain & (epochs["seed"] < 2), "validation_accuracy"] = 0.9
    sentence = of_training.target(spent_to_target(epochs, 0.85), 0.85)
    assert sentence.startswith("First at a validation accuracy of 85 %, of the 6 of 7 networks whose seeds all get ")
    assert "plain" not in sentence


def test_the_figure_of_validation_accuracy_is_about_validation_accuracy(records):
    runs = ok(records)[1].assign(test_accuracy=0.123, validation_accuracy=0.5)
    assert "50.0" in of_training.accuracy(runs)
    assert "12.3" not in of_training.accuracy(runs)


def test_nothing_that_was_trained_is_said():
    nothing = frames([])
    epochs = nothing.epochs
    empty = StudyRuns(nothing.runs, nothing.epochs, nothing.costs)
    assert of_choice.fronts(empty).startswith("No network was trained")
    assert of_choice.choice(empty) == ""
    assert of_training.target(spent_to_target(epochs, math.nan), math.nan).startswith("No validation accuracy")
    assert of_training.macs_to_train(epochs) == "No MACs of training were counted."
    assert of_training.redundancy(redundancies(epochs)).startswith("No redundancy")


def test_only_a_study_has_searched_its_learning_rates(records):
    runs = ok(records)[1]
    runs.loc[runs["variant"] == "plain", "learning_rate"] = 0.5
    assert "none was searched here" in of_training.learning_rates(runs)
    studied = runs.assign(matched="time")
    assert "of those that the study tried" in of_training.learning_rates(studied)
    notes = [
        {row.cells[-1].note for row in tables.accuracy(StudyRuns(each, each, each)).rows} for each in (runs, studied)
    ]
    assert notes == [{""}, {"lowest here", "highest here"}]


def users_networks(*names):
    """Return a run of each of some users' networks, each with other seconds and MACs."""
    found = []
    for number, name in enumerate(names):
        record = training_record("plain", 1, 0, 0.5 + number / 10)
        record["id"], record["run"]["variant"], record["run"]["network"] = name, "custom", name
        for epoch in record["epochs"]:
            epoch["seconds"] *= number + 1
            epoch["macs"] *= number + 1
        found.append(record)
    return found


def test_users_networks_are_named_one_by_one(records):
    own = users_networks("a:net", "b:net")
    runs, epochs = ok(own)[1:]
    assert of_training.accuracy(runs).startswith(
        "Validation accuracy at the best epoch of each run, of each user’s network: 60.0 % (b:net) and 50.0 % (a:net)"
    )
    assert "the highest mean and of each user’s network: " in of_training.accuracy(ok([*records, *own])[1])
    assert "4.00 s for a:net and 8.00 s for b:net (means over seeds)" in of_training.time_to_train(epochs)
    assert of_training.macs_to_train(epochs).endswith(": 12.0 k for a:net and 24.0 k for b:net.")


def redundant_runs_of_two_studies():
    """Return a run of a network and a seed in each of two studies, with a layer of 5 × 5 kernels."""
    runs = [training_record("full", 4, seed=0, accuracy=0.9) for _ in range(2)]
    runs[1]["id"], runs[1]["run"]["matched"] = "of another study", "time"
    for run, fraction in zip(runs, (0.25, 0.75), strict=True):
        run["epochs"][-1]["redundancy"] = {"conv1": {"separable": fraction}}
    return runs


def test_the_same_network_and_seed_in_two_studies_are_two_trained_networks():
    data = frames(redundant_runs_of_two_studies())
    said = of_training.redundancy(redundancies(data.epochs))
    assert "50 % [25 % to 75 %] by separable" in said
    assert "n = 2 trained layers of 2 trained networks" in said
    assert "(n = 2)" in redundancy(Prepared(data), "redundancy").caption


def test_every_study_has_a_row_with_its_choice(records):
    runs, epochs = ok(records)[1:]
    few = runs.assign(train_limit=300.0, n_train=300.0, id=[f"few-{name}" for name in runs["id"]], test_accuracy=0.5)
    studies = [StudyRuns(each, epochs, ok(records)[0]) for each in (runs, few)]
    table = tables.all_studies(studies)
    first, second = ([cell.text for cell in row.cells] for row in table.rows)
    assert first[0] == names.study_title(runs)
    assert "300 train images" in second[0]
    assert first[2] == str(len(runs))
    assert first[4] == of_choice.choice(studies[0])
    assert second[3] == "50.0 %"
