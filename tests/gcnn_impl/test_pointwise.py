"""A strided kernel of one pixel has the gradients of the definition, and writes to no memory but its own."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gcnn_impl.pointwise import conv2d

# On images of this layout and these sizes, the weight gradient of torch 2.15 ended most processes.
WRITES_OUTSIDE = """
import torch
from gcnn_impl import functional

torch.set_num_threads(2)
for _ in range(20):
    x = torch.randn(3, 16, 28, 8, 1).permute(0, 4, 3, 1, 2)  # (B, C, |H|, H, W), group-major
    kernel = torch.randn(16, 1, 1, 8, 1, 1, requires_grad=True)
    tips = torch.zeros(16, 1, 1, 8, 2, 1), torch.zeros(16, 1, 1, 8, 1, 2)
    outputs = [
        functional.group_conv2d(x, kernel, stride=2),
        functional.group_conv2d(x, kernel, stride=2, algorithm="direct"),
        functional.disc_group_conv2d(x, kernel, *tips, stride=2),
        functional.lift_conv2d(x[:, 0], kernel[:, :, 0], stride=2),
    ]
    sum(y.sum() for y in outputs).backward()
    actual, expected = kernel.grad[:, 0, 0, :, 0, 0], len(outputs) * x[..., ::2, ::2].sum((0, 1, 3, 4))
    torch.testing.assert_close(actual, expected.expand(16, 8), rtol=1e-4, atol=1e-3)
"""


def test_gradients_write_to_no_other_memory():
    command = [sys.executable, "-X", "faulthandler", "-c", WRITES_OUTSIDE]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(("k", "stride", "padding"), [(1, 1, 0), (1, 2, 0), (1, 3, 0), (1, 2, 1), (3, 2, 1)])
def test_values_and_gradients_are_those_of_torch_in_float64(k, stride, padding, groups):
    x = torch.randn(2, 4, 7, 10).to(memory_format=torch.channels_last).requires_grad_()
    weight, bias = torch.randn(6, 4 // groups, k, k, requires_grad=True), torch.randn(6, requires_grad=True)
    y = conv2d(x, weight, bias, stride, padding, groups=groups)
    doubles = [t.detach().double().requires_grad_() for t in (x, weight, bias)]
    expected = torch.nn.functional.conv2d(*doubles, stride, padding, groups=groups)
    cotangent = torch.randn_like(y)
    gradients = torch.autograd.grad(y, (x, weight, bias), cotangent)
    of_expected = torch.autograd.grad(expected, doubles, cotangent.double())
    for ours, theirs in zip([y, *gradients], [expected, *of_expected], strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-5, atol=1e-4)
