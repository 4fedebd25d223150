"""``GroupBatchNorm2d`` computed by PyTorch: its gradients are right however maps and gradients lie in memory."""

import itertools

import pytest
import torch

from gcnn_impl.layers import GroupBatchNorm2d


def layouts(x):
    """Return a map, (B, C, |H|, H, W), in torch's order, group-major, and with the rows first."""
    orders = [(0, 1, 2, 3, 4), (0, 3, 4, 2, 1), (3, 4, 0, 2, 1), (4, 0, 3, 1, 2)]
    return [x.permute(order).contiguous().permute([order.index(axis) for axis in range(5)]) for order in orders]


@pytest.mark.parametrize("shape", [(1, 3, 4, 5, 6), (2, 3, 4, 1, 5), (2, 3, 1, 5, 1), (1, 3, 1, 1, 5), (2, 3, 2, 5, 6)])
def test_gradients_do_not_depend_on_layouts(shape):
    x, cotangent = (torch.randn(shape, dtype=torch.float64) for _ in range(2))
    norm = GroupBatchNorm2d(3, dtype=torch.float64)
    axes = 0, 2, 3, 4
    centred = x - x.mean(axes, keepdim=True)
    scale = (centred.square().mean(axes, keepdim=True) + norm.eps).rsqrt()
    normalised = centred * scale
    along = (cotangent * normalised).mean(axes, keepdim=True) * normalised
    expected = scale * (cotangent - cotangent.mean(axes, keepdim=True) - along)
    for map_, gradient in itertools.product(layouts(x), layouts(cotangent)):
        value = map_.detach().requires_grad_()
        (found,) = torch.autograd.grad(norm(value), value, gradient)
        torch.testing.assert_close(found, expected)
