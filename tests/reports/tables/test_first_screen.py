"""The table and the figure of the first screen are called by what they show."""

import pytest

from reports.arithmetic.prepared import Prepared
from reports.figures.compared_with_plain import compared_with_plain
from reports.frames.frames import anchored, frames
from reports.tables.of_layers import headline

from ..conftest import cost_record, training_record

LAYERS = [cost_record(variant=variant) for variant in ("plain", "separable")]
NETWORKS = [training_record("plain", 1, seed, 0.9) for seed in (0, 1)]


@pytest.mark.parametrize(
    ("records", "costs", "accuracy"),
    [(LAYERS, True, False), (NETWORKS, False, True), ([*LAYERS, *NETWORKS], True, True)],
)
@pytest.mark.usefixtures("no_figures")
def test_what_was_not_measured_is_in_no_title(records, costs, accuracy):
    results = Prepared(anchored(frames(records)))
    table, figure = headline(results), compared_with_plain(results, "relative")
    assert ("inference" in table.headings, "test accuracy" in table.headings) == (costs, accuracy)
    assert ("cost" in table.caption.lower(), "accuracy" in table.caption.lower()) == (costs, accuracy)
    assert ("costs" in figure.title, "reach" in figure.title) == (costs, accuracy)
