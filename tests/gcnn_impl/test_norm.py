"""Batch norm of maps on the group, with ReLU and residual, by the operators in C, equals torch's in float64."""

import copy
import itertools

import pytest
import torch
from norms import OPTIONS, norm_of
from torch.nn import functional

from gcnn_impl import native
from gcnn_impl.layers import GroupBatchNorm2d
from gcnn_impl.layers.norm import norm_relu
from gcnn_impl.native import norm as operators

pytestmark = pytest.mark.skipif(native.status() != "in use", reason=native.status())
# (B, C, |H|, H, W): fewer channels than a vector, no divisor of one, a multiple, a last row that is shorter, two rows
SHAPES = [(3, 8, 4, 5, 5), (2, 5, 3, 4, 7), (2, 16, 8, 6, 6), (2, 24, 4, 5, 5), (1, 33, 1, 9, 3), (1, 64, 8, 28, 28)]


def definition(norm, x, relu, residual):
    """Return the norm's result by torch, and let it change the running statistics."""
    of_batch = norm.training or norm.running_mean is None
    statistics = (
        (norm.running_mean, norm.running_var) if not norm.training or norm.track_running_stats else (None, None)
    )
    rows = x.movedim(1, -1).reshape(-1, x.shape[1])
    y = functional.batch_norm(rows, *statistics, norm.weight, norm.bias, of_batch, norm.momentum, norm.eps)
    y = y.view(x.movedim(1, -1).shape).movedim(-1, 1)
    y = torch.relu(y) if relu else y
    return y if residual is None else torch.relu(y + residual)


def away_from_corners(norm, x, relu, residual):
    """Return where no ReLU has an input so near to 0 that rounding decides whether it has a gradient."""
    normalised = definition(copy.deepcopy(norm), x, False, None)
    far = (normalised.abs() > 1e-4) | (not relu)
    if residual is None:
        return far
    return far & (((torch.relu(normalised) if relu else normalised) + residual).abs() > 1e-4)


def map_of(shape, mean=0.0):
    b, c, h, height, width = shape
    return (torch.randn(b, height, width, h, c) + mean).permute(0, 4, 3, 1, 2)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_equals_torchs_in_float64(shape, options, threads):
    for training, relu, with_residual in itertools.product((True, False), repeat=3):
        norm = norm_of(shape[1], **options).train(training)
        double = copy.deepcopy(norm).double()
        x, residual = map_of(shape, mean=3.0), map_of(shape) if with_residual else None
        inputs = [t.requires_grad_() for t in (x, residual) if t is not None] + list(norm.parameters())
        doubles = [t.detach().double().requires_grad_() for t in (x, residual) if t is not None]
        smooth = away_from_corners(double, doubles[0], relu, doubles[1] if with_residual else None)
        expected_y = definition(double, doubles[0], relu, doubles[1] if with_residual else None)
        y = norm(x, relu=relu, residual=residual)
        cotangent = torch.randn(shape) * smooth
        expected = torch.autograd.grad(expected_y, doubles + list(double.parameters()), cotangent.double())
        actual = torch.autograd.grad(y, inputs, cotangent)
        running = [(a, e) for a, e in zip(norm.buffers(), double.buffers(), strict=True) if a.dim()]
        for a, e in [(y, expected_y), *zip(actual, expected, strict=True), *running]:
            assert (a - e).norm() <= 3e-6 * e.norm()
        with torch.no_grad():
            assert torch.equal(copy.deepcopy(norm)(x, relu=relu, residual=residual), y)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_operator_takes_norms_with_and_without_parameters(options):
    assert norm_of(5, **options)._operators(map_of((2, 5, 3, 4, 7)), None) is operators


def test_counts_batches_and_computes_the_same_bits_again(threads):
    norm, x = norm_of(12), map_of((4, 12, 4, 20, 20)).requires_grad_()

    def run():
        y = norm_relu(norm, x, lambda: x)
        return y, *torch.autograd.grad(y, (x, *norm.parameters()), torch.ones_like(y))

    first = run()
    for _ in range(5):
        assert all(torch.equal(a, b) for a, b in zip(run(), first, strict=True))
    assert norm.num_batches_tracked == 6


def test_a_large_mean_costs_no_precision():
    """The variance is that of the deviations, not the difference of two large sums."""
    norm, x = GroupBatchNorm2d(4), map_of((2, 4, 4, 30, 30), mean=3000.0)
    y = norm(x)
    expected = definition(GroupBatchNorm2d(4).double(), x.double(), False, None)
    assert (y - expected).abs().max() < 3e-3  # the rounding of x itself: 3000 · 2⁻²⁴ · 2 parts
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * x.double().var(dim=(0, 2, 3, 4)).float())


def test_nans_and_infinities_are_kept_as_torch_keeps_them():
    norm = norm_of(3).eval()
    x = map_of((1, 3, 2, 4, 4)).clone()
    x[0, 0, 0, 0, 0], x[0, 1, 0, 0, 0], x[0, 2, 0, 0, 0] = float("nan"), float("inf"), float("-inf")
    for relu in (False, True):
        expected = definition(norm, x, relu, None)
        torch.testing.assert_close(norm(x, relu=relu), expected, equal_nan=True)


def test_gradients_of_gradients_are_torchs():
    # In 1 of 50 draws, rounding moves a value across the ReLU's kink, where its gradient is another one.
    torch.manual_seed(0)
    norm = norm_of(3)
    double = copy.deepcopy(norm).double()
    x = map_of((2, 3, 2, 3, 3))

    def second(norm, x):
        y = norm(x, relu=True)
        first = torch.autograd.grad(y.square().sum(), [x, *norm.parameters()], create_graph=True)
        return torch.autograd.grad(sum(g.square().sum() for g in first), [x, *norm.parameters()])

    actual = second(norm, x.clone().requires_grad_())
    expected = second(double, x.double().requires_grad_())
    for a, e in zip(actual, expected, strict=True):
        assert (a - e).norm() <= 1e-4 * e.norm()


@pytest.mark.parametrize(
    "change",
    [
        {"weight": torch.zeros(4)},
        {"bias": torch.zeros(3, dtype=torch.float64)},
        {"running_mean": torch.zeros(3)},  # without a variance
        {"residual": torch.zeros(2, 1, 3)},
        {"of_batch": False},  # without running statistics
        {"x": torch.zeros(3)},  # one row has no variance
        {"x": torch.zeros(2, 2, 6)[..., ::2]},
        {"x": torch.zeros(0, 3)},
    ],
    ids=str,
)
def test_the_operator_refuses_what_does_not_fit(change):
    names = ("x", "weight", "bias", "running_mean", "running_var", "residual", "of_batch", "momentum", "eps", "relu")
    right = dict(zip(names, (torch.zeros(2, 2, 3), *[None] * 5, True, 0.1, 1e-5, True), strict=True))
    operators.normalise(**right)
    with pytest.raises(ValueError, match="whose sizes fit each other"):
        operators.normalise(**right | change)
