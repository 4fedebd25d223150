"""Cells that say in words what no number says keep their place among the numbers."""

import pytest

from reports.arithmetic.layers import growths
from reports.arithmetic.to_target import spent_to_target
from reports.frames.frames import frames
from reports.tables.of_layers import exponents
from reports.tables.of_training import target

from ..conftest import cost_record, training_record


def growing(*seconds, direction="forward"):
    """Return full layers of 8, 16 and more channels that take these seconds."""
    made = [cost_record(variant="full", channels=8 * 2**i, direction=direction) for i in range(len(seconds))]
    for record, time in zip(made, seconds, strict=True):
        record["seconds"] |= {"median": time, "ci_low": 0.9 * time, "ci_high": 1.1 * time}
    return made


def exponent_cells(made):
    """Return the cells of the only row of exponents, by their headings."""
    table = exponents(growths(frames(made).costs))
    [row] = table.rows
    return dict(zip(table.headings, row.cells, strict=True))


@pytest.mark.parametrize("seconds", [(1.0, 1.1, 9.0), (1.0, 2.0)], ids=["a wide interval", "two points"])
def test_an_exponent_that_the_points_do_not_tell_is_sorted_by_its_value(seconds):
    cell = exponent_cells(growing(*seconds))["time, forward"]
    assert cell.text == "cannot tell"
    assert cell.number
    slope = growths(frames(growing(*seconds)).costs)["time"].item()
    assert float(cell.key) == pytest.approx(slope)


def test_an_exponent_that_was_not_measured_is_told_from_one_that_the_points_do_not_tell():
    cells = exponent_cells(growing(1.0, 1.1, 9.0))
    assert cells["time, forward + backward"].text == "–"
    assert cells["time, forward + backward"].key == ""
    assert exponent_cells(growing(1.0, 2.0, 4.0))["time, forward"].text == "1.0"


def test_the_exponent_of_macs_is_that_of_inference_whichever_pass_was_measured_first():
    """Generating kernels is in the MACs of a training pass; inference finds them in the cache."""
    training = growing(1.0, 2.0, 4.0, direction="forward_backward")
    for record, generated in zip(training, (0, 10**6, 10**9), strict=True):
        record["macs"]["kernel_generation"] = generated
    inference = growing(1.0, 2.0, 4.0)
    for made in (inference + training, training + inference):
        assert exponent_cells(made)["MACs (theory)"].text == "2.0"


@pytest.mark.parametrize(
    ("epochs", "seeds", "text", "key"),
    [
        ((2, 2, 2), "3 of 3", "2", "2.0"),
        ((1, 2, 4), "3 of 3", "2 [1, 4]", "2.0"),
        ((1, 2, 9), "2 of 3", "2 [1, not all]", "2.0"),
        ((1, 9, 9), "1 of 3", "not in time", ""),
        ((9, 9, 9), "0 of 3", "not in time", ""),
    ],
    ids=["all alike", "all", "most", "few", "none"],
)
def test_seeds_that_miss_the_target_are_said_in_its_cell(epochs, seeds, text, key):
    """A run has four epochs, and reaches 90 % in the named one."""
    runs = [training_record("plain", 1, seed, 0.9) for seed in range(len(epochs))]
    for run, first in zip(runs, epochs, strict=True):
        for entry in run["epochs"]:
            entry["validation_accuracy"] = 0.9 if entry["epoch"] >= first else 0.1
    table = target(spent_to_target(frames(runs).epochs, 0.9), 0.9, {})
    [row] = table.rows
    cells = dict(zip(table.headings, row.cells, strict=True))
    assert cells["seeds that got there"].text == seeds
    assert (cells["epochs"].text, cells["epochs"].key) == (text, key)
    for unit in ("training time", "MACs"):
        assert ("not all" in cells[unit].text, cells[unit].text == "not in time") == ("not all" in text, not key)


def test_networks_of_which_seeds_miss_the_target_are_sorted_behind_those_that_reach_it():
    runs = [training_record(variant, 1, seed, 0.9) for variant in ("plain", "full") for seed in range(3)]
    for run in runs:
        for entry in run["epochs"]:
            entry["validation_accuracy"] = 0.9 if run["run"]["variant"] == "full" and entry["epoch"] > 1 else 0.1
    plain, full = target(spent_to_target(frames(runs).epochs, 0.9), 0.9, {}).rows
    assert [row.cells[2].key for row in (plain, full)] == ["", "2.0"]
