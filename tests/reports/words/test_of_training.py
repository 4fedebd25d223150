"""The sentences about training, recomputed from the made-up records without the report's own code."""

import math

from reports.arithmetic.training import redundancies, spent_to_target, trained_networks
from reports.frames.frames import frames
from reports.words import names, of_training

from .test_of_layers import ok


def test_time_to_train(records):
    assert of_training.time_to_train(ok(records)[2]) == (
        "Training for 4 epochs takes 4.00 s for plain, 8.00 s to 32.0 s for full and 8.00 s to 32.0 s for separable."
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
        "rotated-digits, 2.50 T MACs, equal time"
    )
    assert "widths chosen for equal time" in of_training.recipe(runs.assign(matched="time"))


def test_a_target_that_nobody_reaches_is_said(records):
    epochs = ok(records)[2]
    assert of_training.target(spent_to_target(epochs, 0.99), 0.99) == (
        "Half of the seeds or more of every network do not reach a validation accuracy of 99 %."
    )


def test_nothing_that_was_trained_is_said():
    nothing = frames([])
    epochs = nothing.epochs
    assert of_training.pareto(trained_networks(nothing.costs, nothing.runs)).startswith("No network was trained")
    assert of_training.target(spent_to_target(epochs, math.nan), math.nan).startswith("No validation accuracy")
    assert of_training.macs_to_train(epochs) == "No MACs of training were counted."
    assert of_training.redundancy(redundancies(epochs)).startswith("No redundancy")
