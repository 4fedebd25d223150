"""Networks that halve their maps are exact where the rule about strides says so, and nowhere else."""

from pathlib import Path

import pytest

from benchmarks.evidence.downsampling import EXACT, HALVINGS, SIDES, Halving, error, table

DOCUMENT = Path(__file__).parents[3] / "docs" / "equivariance.md"


@pytest.mark.parametrize("halving", HALVINGS, ids=lambda halving: halving.name)
def test_the_rule_says_on_which_sides_a_network_is_exact(halving: Halving) -> None:
    for side in SIDES:
        found = error(halving, side)
        assert (found < EXACT) == halving.is_exact(side), (side, found)
        assert found < EXACT or found > 0.1  # no side is nearly exact


def test_the_page_has_the_table_of_the_program() -> None:
    lines = DOCUMENT.read_text().splitlines()
    assert [line for line in table() if line not in lines] == []
