"""Batch norm, spatial max pooling and ReLU by one operator in C equal torch's in float64, one after the other."""

import copy
import itertools

import pytest
import torch
from norms import OPTIONS, norm_of
from torch import nn

from gcnn_impl import functional, native
from gcnn_impl.layers import GroupBatchNorm2d
from gcnn_impl.layers.norm import norm_pool_relu
from gcnn_impl.native import norm_pool as operators

pytestmark = pytest.mark.skipif(native.status() != "in use", reason=native.status())
# (B, C, |H|, H, W): fewer maps than a vector, no multiple of one, a multiple, more channels than a vector, one window
SHAPES = [(3, 2, 3, 6, 4), (2, 5, 3, 4, 8), (2, 16, 8, 6, 6), (1, 33, 1, 8, 2), (1, 64, 8, 28, 28), (2, 24, 4, 2, 2)]


def one_by_one(norm, x, relu=True):
    y = functional.spatial_max_pool(norm(x))
    return torch.relu(y) if relu else y


def called(monkeypatch):
    """Return a list that grows with each call of the operator's forward and backward pass."""
    calls = []
    for name in ("normalise", "gradients"):
        function = getattr(operators, name)
        monkeypatch.setattr(operators, name, lambda *a, f=function, n=name: calls.append(n) or f(*a))
    return calls


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_equals_torchs_in_float64(shape, options, threads, monkeypatch):
    calls = called(monkeypatch)
    for training, relu in itertools.product((True, False), repeat=2):
        norm = norm_of(shape[1], **options).train(training)
        double, same = copy.deepcopy(norm).double(), copy.deepcopy(norm)
        x = (torch.randn(shape) + 3).requires_grad_()
        doubles = [x.detach().double().requires_grad_(), *double.parameters()]
        y, expected_y = norm(x, relu=relu, pool=True), one_by_one(double, doubles[0], relu)
        cotangent = torch.randn(y.shape) * (expected_y.abs() > 1e-4)  # rounding decides which side of 0 others are
        actual = torch.autograd.grad(y, [x, *norm.parameters()], cotangent)
        expected = torch.autograd.grad(expected_y, doubles, cotangent.double())
        running = [(a, e) for a, e in zip(norm.buffers(), double.buffers(), strict=True) if a.dim()]
        for a, e in [(y, expected_y), *zip(actual, expected, strict=True), *running]:
            assert (a - e).norm() <= 3e-6 * e.norm()
        with torch.no_grad():
            assert torch.equal(same(x, relu=relu, pool=True), y)
    assert calls == ["normalise", "gradients", "normalise"] * 4


@pytest.mark.parametrize("shape", [(2, 3, 4, 5, 5), (2, 3, 4, 6, 5)], ids=str)
def test_odd_sides_are_pooled_by_torch(shape, monkeypatch):
    calls, norm, x = called(monkeypatch), norm_of(3), torch.randn(shape)
    torch.testing.assert_close(norm_pool_relu(norm, x), one_by_one(copy.deepcopy(norm).eval().train(), x))
    assert not calls


def test_hooks_see_the_norm_alone(monkeypatch):
    calls, norm, x, seen = called(monkeypatch), norm_of(3), torch.randn(2, 3, 4, 6, 6), []
    norm.register_forward_hook(lambda module, inputs, output: seen.append(output))
    y = norm_pool_relu(norm, x)
    assert torch.equal(y, torch.relu(functional.spatial_max_pool(seen[0])))
    assert not calls


def test_the_first_of_equal_values_has_the_gradient():
    norm = GroupBatchNorm2d(1, affine=False).eval()
    x = torch.ones(1, 1, 1, 2, 4, requires_grad=True)
    norm_pool_relu(norm, x).sum().backward()
    assert x.grad.ne(0).squeeze().tolist() == [[True, False, True, False], [False] * 4]


def test_nans_and_infinities_are_kept_as_torch_keeps_them():
    norm = norm_of(3).eval()
    x = torch.randn(1, 3, 2, 4, 4)
    x[0, 0, 0, 0, 0], x[0, 1, 0, 1, 0], x[0, 2, 0, 3, 3] = float("nan"), float("inf"), float("-inf")
    x[0, 0, 1, 1, 1] = float("nan")
    assert torch.equal(norm_pool_relu(norm, x).isnan(), one_by_one(norm, x).isnan())
    torch.testing.assert_close(norm_pool_relu(norm, x), one_by_one(norm, x), equal_nan=True)


def test_computes_the_same_bits_again(threads):
    norm, x = norm_of(12), torch.randn(4, 12, 4, 20, 20).requires_grad_()

    def run():
        y = norm_pool_relu(norm, x)
        return y, *torch.autograd.grad(y, (x, *norm.parameters()), torch.ones_like(y))

    first = run()
    for _ in range(5):
        assert all(torch.equal(a, b) for a, b in zip(run(), first, strict=True))
    assert norm.num_batches_tracked == 6


def test_gradients_of_gradients_are_torchs():
    norm = norm_of(3)
    double = copy.deepcopy(norm).double()
    x = torch.randn(2, 3, 2, 4, 6)

    def second(norm, x):
        y = norm_pool_relu(norm, x)
        first = torch.autograd.grad(y.square().sum(), [x, *norm.parameters()], create_graph=True)
        return torch.autograd.grad(sum(g.square().sum() for g in first), [x, *norm.parameters()])

    expected = second(double, x.double().requires_grad_())
    for a, e in zip(second(norm, x.clone().requires_grad_()), expected, strict=True):
        assert (a - e).norm() <= 1e-4 * e.norm()


def test_pooling_goes_without_a_residual():
    x = torch.randn(2, 3, 4, 6, 6)
    with pytest.raises(ValueError, match="pool goes without a residual"):
        norm_of(3)(x, pool=True, residual=x)


@pytest.mark.parametrize(
    "change",
    [
        {"weight": torch.zeros(4)},
        {"bias": torch.zeros(3, dtype=torch.float64)},
        {"running_mean": torch.zeros(3)},  # without a variance
        {"of_batch": False},  # without running statistics
        {"x": torch.zeros(2, 4, 3, 2, 3)},  # an odd side
        {"x": torch.zeros(4, 4, 3)},
        {"x": torch.zeros(2, 4, 4, 2, 6)[..., ::2]},
        {"x": torch.zeros(0, 4, 4, 2, 3)},
    ],
    ids=str,
)
def test_the_operator_refuses_what_does_not_fit(change):
    names = ("x", "weight", "bias", "running_mean", "running_var", "of_batch", "momentum", "eps", "relu")
    right = dict(zip(names, (torch.zeros(2, 4, 4, 2, 3), *[None] * 4, True, 0.1, 1e-5, True), strict=True))
    operators.normalise(**right)
    with pytest.raises(ValueError, match="whose sizes fit each other"):
        operators.normalise(**right | change)


@pytest.mark.parametrize("shape", [(2, 4, 4, 2, 3), (2, 2, 2, 2, 4), (1, 2, 2, 2, 3)])
def test_the_backward_operator_refuses_another_gradient(shape):
    x, statistics = torch.zeros(2, 4, 4, 2, 3), [None, None, torch.zeros(3), torch.ones(3)]
    operators.gradients(torch.zeros(2, 2, 2, 2, 3), x, *statistics, True, True)
    with pytest.raises(ValueError, match="whose sizes fit each other"):
        operators.gradients(torch.zeros(shape), x, *statistics, True, True)


def test_a_network_without_the_operator_pools_the_same():
    norm, x = norm_of(3).double(), torch.randn(2, 3, 4, 6, 6, dtype=torch.float64)
    torch.testing.assert_close(norm_pool_relu(norm, x), one_by_one(copy.deepcopy(norm), x))
    plain = nn.BatchNorm3d(3)
    torch.testing.assert_close(norm_pool_relu(plain, x.float()), one_by_one(copy.deepcopy(plain), x.float()))
