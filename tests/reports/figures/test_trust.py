"""The figure of equivariance errors says by which elements each panel turns, and draws plain networks."""

from reports.arithmetic.prepared import Prepared
from reports.figures.trust import equivariance
from reports.frames.frames import frames

from ..conftest import cost_record, training_record

TURNED = "Trained networks are turned by 90°, 180° and 270°, in H or not"
LAYER, TRAINED = "one layer, elements of H", "trained, quarter turns"


def drawn(*runs):
    figure = equivariance(Prepared(frames([cost_record(variant="full", resolution=4), *runs])), "e")
    headings = [name for name in (LAYER, TRAINED) if any(f">{name}<" in panel for panel in figure.panels)]
    return figure, headings


def test_trained_networks_are_turned_by_quarter_turns_and_plain_ones_are_drawn():
    runs = [training_record(variant, resolution, 0, 0.9) for variant, resolution in (("plain", 1), ("full", 2))]
    for run, error in zip(runs, (0.38, 0.41), strict=True):
        run["epochs"][-1]["equivariance_error"] = error
    figure, headings = drawn(*runs)
    assert headings == [LAYER, TRAINED]
    assert "plain, group resolution |H| 1: worst 3.8e-1 of 1 cases" in figure.panels[-1]
    assert TURNED in figure.caption


def test_nothing_is_said_of_trained_networks_where_there_are_none():
    figure, headings = drawn()
    assert headings == [LAYER]
    assert TURNED not in figure.caption
