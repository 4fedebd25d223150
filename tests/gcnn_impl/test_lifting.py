"""Lifting convolutions of images with one channel: their gradients are those of torch's convolution."""

import pytest
import torch
from torch.nn.functional import conv2d

from gcnn_impl.lifting import lift_images


def operands(channels=1, dtype=torch.float32, k=5):
    x = torch.randn(3, channels, 11, 14, dtype=dtype)
    return x, torch.randn(12, channels, k, k, dtype=dtype), torch.randn(12, dtype=dtype)


def gradients(function, tensors, *geometry):
    inputs = [tensor.clone().requires_grad_() for tensor in tensors]
    y = function(*inputs, *geometry)
    return y, *torch.autograd.grad((y * y).sum(), inputs, create_graph=True)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("k", "stride", "padding"), [(1, 1, 0), (3, 1, 1), (5, 1, 2), (5, 2, 0), (7, 3, 4)])
def test_values_and_gradients_are_those_of_the_definition(channels, k, stride, padding):
    tensors = operands(channels, k=k)
    expected = gradients(conv2d, [t.double() for t in tensors], stride, padding)
    for a, e in zip(gradients(lift_images, tensors, stride, padding), expected, strict=True):
        assert (a - e).norm() <= 2e-6 * e.norm()


def test_one_channel_has_a_gradient_of_its_own():
    x, weight, bias = operands()
    assert "GrayConv" in type(lift_images(x, weight.requires_grad_(), bias, 1, 2).grad_fn).__name__
    x, weight, bias = operands(channels=2)
    assert "GrayConv" not in type(lift_images(x, weight.requires_grad_(), bias, 1, 2).grad_fn).__name__


def test_gradients_of_gradients_are_right():
    inputs = [tensor.requires_grad_() for tensor in operands(dtype=torch.float64, k=3)]
    inputs[0] = inputs[0].detach()[:1, :, :4, :5].clone().requires_grad_()
    assert torch.autograd.gradcheck(lift_images, (*inputs, 2, 1))
    assert torch.autograd.gradgradcheck(lift_images, (*inputs, 2, 1))


def test_an_image_without_gradient_needs_none():
    x, weight, _ = operands()
    y = lift_images(x, weight.requires_grad_(), None, 1, 2)
    (of_weight,) = torch.autograd.grad(y.sum(), weight)
    assert of_weight.shape == weight.shape


@pytest.mark.parametrize("batch", [0, 1])
def test_empty_and_single_images(batch):
    x, weight, bias = operands()
    y = lift_images(x[:batch], weight.requires_grad_(), bias, 1, 2)
    (of_weight,) = torch.autograd.grad(y.sum(), weight)
    assert y.shape == (batch, 12, 11, 14)
    assert bool(of_weight.isfinite().all())


def test_autocast_and_vmap():
    x, weight, bias = operands()
    weight.requires_grad_()
    expected = conv2d(x, weight, bias, 1, 2)
    with torch.autocast("cpu", torch.bfloat16):
        y = lift_images(x, weight, bias, 1, 2)
        assert y.dtype == torch.bfloat16
        assert (y - expected).norm() <= 2e-2 * expected.norm()
    mapped = torch.func.vmap(lambda one: lift_images(one[None], weight, bias, 1, 2)[0])(x)
    torch.testing.assert_close(mapped, expected)
