"""Tests of the tables of equivariance errors."""

import pytest
import torch

from benchmarks.evidence.equivariance_table import exact_error, rotation_error, scaling_error, variants_of
from gcnn_impl import O2, SO2, RPlus, SO2xRPlus


@pytest.mark.parametrize("group", [O2(4), SO2xRPlus(4, 2)], ids=str)
def test_exact_elements_give_rounding_errors_for_every_variant(group) -> None:
    assert {"lifting", "full", "separable"} <= set(variants_of(group))
    for variant in variants_of(group):
        assert 0 < exact_error(group, variant, torch.float32) < 1e-5
        assert exact_error(group, variant, torch.float64) < 1e-12


def test_only_sim2_has_the_fully_separable_variant() -> None:
    assert set(variants_of(SO2xRPlus(4, 2))) - set(variants_of(SO2(4))) == {"separable2d"}


def test_errors_off_the_grid_fall_with_the_resolution_of_the_group_and_of_the_image() -> None:
    assert rotation_error(SO2(8), "full") < rotation_error(SO2(2), "full")
    assert scaling_error(RPlus(4), "lifting", 33) < scaling_error(RPlus(4), "lifting", 17)
