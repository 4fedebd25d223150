"""The subgroups are groups, their action on the plane is a representation, and their weights are Haar measures."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gcnn_impl import O2, SO2, RPlus, SO2xRPlus, Trivial

sizes = st.integers(1, 12)
scales = st.floats(1.1, 4.0)
groups = st.one_of(
    st.builds(Trivial),
    st.builds(SO2, sizes),
    st.builds(O2, sizes),
    st.builds(RPlus, sizes, scales),
    st.builds(SO2xRPlus, st.integers(1, 6), st.integers(1, 4), scales),
)
seeds = st.integers(0, 2**31)


def sample(group, seed, n=3):
    generator = torch.Generator().manual_seed(seed)
    return [group.sample(generator) for _ in range(n)]


def close(a, b):
    return torch.allclose(a, b, atol=1e-7)  # wrapping treats angles within 1e-9 of π as π


@given(groups, seeds)
def test_matrices_are_a_representation(group, seed):
    g, h, _ = sample(group, seed)
    assert close(group.matrix(group.compose(g, h)), group.matrix(g) @ group.matrix(h))
    assert close(group.matrix(group.inverse(g)) @ group.matrix(g), torch.eye(2, dtype=torch.float64))


@given(groups, seeds)
def test_composition_is_associative(group, seed):
    a, b, c = sample(group, seed)
    left = group.compose(group.compose(a, b), c)
    right = group.compose(a, group.compose(b, c))
    assert close(group.matrix(left), group.matrix(right))


@given(groups, seeds)
def test_determinant_is_that_of_the_matrix(group, seed):
    (g,) = sample(group, seed, 1)
    assert close(group.determinant(g), torch.linalg.det(group.matrix(g)).abs())


@given(groups)
def test_grid_starts_at_the_identity_and_has_distinct_elements(group):
    elements = group.elements()
    assert elements.shape == (group.resolution, group.dim)
    matrices = group.matrix(elements)
    assert close(matrices[0], torch.eye(2, dtype=torch.float64))
    assert len({tuple(m.flatten().mul(1e6).round().tolist()) for m in matrices}) == group.resolution


@given(groups, seeds)
def test_relative_elements_do_not_change_under_a_common_left_factor(group, seed):
    g, h, a = sample(group, seed)
    a = a[:1].expand_as(g)
    moved = group.relative(group.compose(a, g), group.compose(a, h))
    assert close(group.matrix(moved), group.matrix(group.relative(g, h)))


@given(groups, seeds)
def test_coordinates_of_relative_elements_lie_in_the_unit_cube(group, seed):
    g, h, _ = sample(group, seed)
    coordinates = group.coordinates(group.relative(g, h))
    assert bool((coordinates.abs() <= 1 + 1e-6).all())


@given(groups)
def test_haar_weights_sum_to_the_volume_of_the_sampled_part(group):
    volume = math.log(group.max_scale) if hasattr(group, "max_scale") else 1.0
    weights = group.haar_weights()
    assert weights.shape == (group.resolution,)
    assert weights.sum().item() == pytest.approx(volume)


@given(st.integers(1, 12), scales, seeds)
def test_sampled_scales_stay_below_the_largest(n, max_scale, seed):
    (s,) = sample(RPlus(n, max_scale), seed, 1)
    assert bool((s.exp() >= 1).all())
    assert bool((s.exp() < max_scale).all())


@given(groups, seeds)
def test_a_sampled_grid_is_the_discretised_one_moved_by_one_element(group, seed):
    (grid,) = sample(group, seed, 1)
    expected = group.compose(grid[:1].expand_as(grid), group.elements())
    assert close(group.matrix(grid), group.matrix(expected))


@pytest.mark.parametrize("n", [2, 4, 8, 16, 31])
def test_a_turn_by_pi_has_one_coordinate(n):
    group = SO2(n)
    relative = group.coordinates(group.relative(group.elements(), group.elements()))[..., 0]
    assert bool((relative < 1).all())
    distinct = {round(v, 9) for v in relative.flatten().tolist()}
    assert len(distinct) == n


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SO2(0), "SO2 rotations must be an integer of at least 1, not 0"),
        (lambda: O2(-1), "O2 rotations must be an integer of at least 1, not -1"),
        (lambda: SO2(2.0), "SO2 rotations must be an integer of at least 1, not 2.0"),
        (lambda: RPlus(0), "RPlus scales must be an integer of at least 1, not 0"),
        (lambda: RPlus(2, 1.0), "RPlus max_scale must be finite and greater than 1, not 1.0"),
        (lambda: RPlus(2, math.inf), "RPlus max_scale must be finite and greater than 1, not inf"),
        (lambda: SO2xRPlus(2, 2, float("nan")), "SO2xRPlus max_scale must be finite and greater than 1, not nan"),
    ],
)
def test_bad_grids_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
