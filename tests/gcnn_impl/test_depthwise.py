"""The depthwise convolution and its gradients equal torch's, for all strips."""

import pytest
import torch
from torch.nn.functional import conv2d

from gcnn_impl.depthwise import column_strips, depthwise_conv2d
from gcnn_impl.kernels import disc_taps


@pytest.mark.parametrize("kernel_size", range(3, 26, 2))
def test_strips_cover_every_column_once_and_are_two_or_three_wide(kernel_size):
    strips = column_strips(kernel_size)
    assert [column for start, width in strips for column in range(start, start + width)] == list(range(kernel_size))
    assert {width for _, width in strips} <= {2, 3}


@pytest.mark.parametrize("kernel_size", [3, 5, 7, 9, 11])
@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, "same"), (2, "same"), (2, 1), (1, 12)])
@pytest.mark.parametrize("disc", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_gradients_equal_those_of_conv2d(kernel_size, stride, padding, disc, bias):
    padding = kernel_size // 2 if padding == "same" else padding
    kept = disc_taps(kernel_size).reshape(kernel_size, kernel_size) if disc else torch.ones(kernel_size, kernel_size)
    kept = kept.double()
    x = torch.randn(2, 6, 13, 12, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(6, 1, kernel_size, kernel_size, dtype=torch.float64) * kept
    inputs = [x, weight, *([torch.randn(6, dtype=torch.float64)] if bias else [])]
    inputs = [value.requires_grad_() for value in inputs]
    y = depthwise_conv2d(*inputs, stride=stride, padding=padding, disc=disc)
    reference = conv2d(*inputs, stride=stride, padding=padding, groups=6)
    torch.testing.assert_close(y, reference)
    cotangent = torch.randn_like(y)
    actual = torch.autograd.grad(y, inputs, cotangent)
    expected = list(torch.autograd.grad(reference, inputs, cotangent))
    torch.testing.assert_close(actual[0], expected[0])
    torch.testing.assert_close(actual[1] * kept, expected[1] * kept)
    if bias:
        torch.testing.assert_close(actual[2], expected[2])


@pytest.mark.parametrize("side", [1, 2, 3])
def test_an_image_may_be_narrower_than_the_kernel(side):
    x = torch.randn(2, 3, side, side, dtype=torch.float64)
    weight = torch.randn(3, 1, 7, 7, dtype=torch.float64, requires_grad=True)
    y = depthwise_conv2d(x, weight, padding=3)
    reference = conv2d(x, weight, padding=3, groups=3)
    [actual], [expected] = (torch.autograd.grad(z.square().sum(), weight) for z in (y, reference))
    torch.testing.assert_close(actual, expected)


def test_the_gradient_of_the_gradient_is_right():
    x = torch.randn(1, 2, 6, 6, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 1, 5, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x, w: depthwise_conv2d(x, w, padding=2), (x, weight))
