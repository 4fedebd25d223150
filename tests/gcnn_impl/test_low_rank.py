"""Rank-1 energies have their known values for products and for noise, and never exceed those of an unfolding."""

import math

import pytest
import torch

from gcnn_impl.low_rank import rank_one_energy, rank_one_tensor_energy


@pytest.mark.parametrize(("rows", "columns"), [(40, 29), (16, 200), (128, 128)])
def test_noise_has_the_largest_singular_value_of_random_matrix_theory(rows, columns):
    noise = torch.randn(100, rows, columns, dtype=torch.float64)
    fraction = rank_one_energy(noise) / noise.square().sum((-1, -2))
    expected = (math.sqrt(rows) + math.sqrt(columns)) ** 2 / (rows * columns)  # Marchenko and Pastur's edge
    assert fraction.mean().item() == pytest.approx(expected, rel=0.12)  # small matrices stay 8 % below the edge


class TestRankOneTensors:
    def test_a_product_is_found_exactly(self):
        a, b, c = (torch.randn(6, n, dtype=torch.float64) for n in (5, 4, 7))
        tensors = torch.einsum("np,nq,nr->npqr", a, b, c)
        torch.testing.assert_close(rank_one_tensor_energy(tensors), tensors.square().sum((1, 2, 3)))

    def test_a_product_is_found_under_noise(self):
        a, b, c = (torch.nn.functional.normalize(torch.randn(6, n, dtype=torch.float64)) for n in (8, 6, 20))
        signal = 10 * torch.einsum("np,nq,nr->npqr", a, b, c)
        noisy = signal + 0.01 * torch.randn_like(signal)
        torch.testing.assert_close(rank_one_tensor_energy(noisy), torch.full((6,), 100.0).double(), rtol=0.02, atol=0)

    def test_with_one_trivial_side_it_is_the_svd(self):
        matrices = torch.randn(6, 5, 7, dtype=torch.float64)
        torch.testing.assert_close(rank_one_tensor_energy(matrices[:, None], tolerance=0), rank_one_energy(matrices))

    def test_no_unfolding_explains_less(self):
        tensors = torch.randn(10, 4, 5, 6, dtype=torch.float64)
        energy = rank_one_tensor_energy(tensors)
        for mode in (1, 2, 3):
            assert torch.all(energy <= rank_one_energy(tensors.movedim(mode, 1).flatten(2)) + 1e-12)

    def test_more_iterations_never_explain_less(self):
        tensors = torch.randn(10, 4, 5, 6, dtype=torch.float64)
        energies = torch.stack([rank_one_tensor_energy(tensors, n) for n in (1, 2, 5, 50)])
        assert torch.all(energies.diff(dim=0) >= -1e-10)
