"""The depthwise convolution and its gradients equal torch's, whatever the strips."""

import pytest
import torch
from torch.nn.functional import conv2d

from gcnn_impl import native
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


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.skipif(native.status() != "in use", reason=native.status())
class TestInC:
    """Beside PyTorch in float64: what float32 adds up to is an error of its own."""

    def inputs(self, batch, channels, height, width, kernel_size, disc):
        kept = disc_taps(kernel_size).reshape(kernel_size, kernel_size) if disc else 1.0
        x = torch.randn(batch, channels, height, width).contiguous(memory_format=torch.channels_last)
        return x, torch.randn(channels, 1, kernel_size, kernel_size) * kept, torch.randn(channels)

    def assert_equal(self, inputs, padding, disc, monkeypatch):
        inputs = [value.detach().requires_grad_() for value in inputs]
        doubles = [value.detach().double().requires_grad_() for value in inputs]
        reference = conv2d(*doubles, padding=padding, groups=len(inputs[1]))
        cotangent = torch.randn(reference.shape)
        expected = list(torch.autograd.grad(reference, doubles, cotangent.double()))
        with monkeypatch.context() as patch:  # what is compared is not torch with itself
            patch.setattr("gcnn_impl.depthwise.conv2d", None)
            y = depthwise_conv2d(*inputs, padding=padding, disc=disc)
            if padding < inputs[1].shape[-1]:
                actual = list(torch.autograd.grad(y, inputs, cotangent))
                with torch.no_grad():
                    assert torch.equal(depthwise_conv2d(*inputs, padding=padding, disc=disc), y)
        if padding >= inputs[1].shape[-1]:
            actual = list(torch.autograd.grad(y, inputs, cotangent))
        if disc:
            outside = ~disc_taps(inputs[1].shape[-1]).reshape(inputs[1].shape[2:])
            assert not actual[1][..., outside].any()
            expected[1] = expected[1] * ~outside
        for a, e in zip([y, *actual], [reference, *expected], strict=True):
            assert a.shape == e.shape
            assert (a - e).abs().max() <= 1e-5 * e.abs().max() + 1e-5

    @pytest.mark.parametrize("kernel_size", [3, 5, 7, 9, 11])
    @pytest.mark.parametrize("disc", [False, True])
    @pytest.mark.parametrize("padding", [0, "same", 12])
    def test_equals_conv2d(self, kernel_size, disc, padding, threads, monkeypatch):
        padding = kernel_size // 2 if padding == "same" else padding
        self.assert_equal(self.inputs(3, 35, 13, 12, kernel_size, disc), padding, disc, monkeypatch)

    @pytest.mark.parametrize(
        "shape", [(1, 1, 1, 1), (2, 6, 2, 3), (1, 300, 5, 40), (1, 128, 28, 28), (2, 17, 61, 64), (1, 5, 3, 700)]
    )
    def test_equals_conv2d_on_any_shape(self, shape, threads, monkeypatch):
        self.assert_equal(self.inputs(*shape, 7, True), 3, True, monkeypatch)

    def test_takes_any_layout(self, threads):
        x, weight, bias = self.inputs(2, 6, 9, 8, 5, False)
        expected = conv2d(x, weight, bias, groups=6)
        strided = torch.empty(2, 9, 8, 12).permute(0, 3, 1, 2)[:, ::2].copy_(x)
        for other in (x.contiguous(), strided, x.flip(3).contiguous().flip(3)):
            turned = weight.mT.contiguous().mT
            y = depthwise_conv2d(other, turned, bias[:, None].expand(-1, 2)[:, 0], disc=False)
            torch.testing.assert_close(y, expected, rtol=1e-4, atol=1e-5)

    def test_computes_the_same_bits_again(self, threads):
        inputs = [value.requires_grad_() for value in self.inputs(5, 48, 20, 20, 7, True)]
        runs = []
        for _ in range(5):
            y = depthwise_conv2d(*inputs, padding=3, disc=True)
            runs.append([y, *torch.autograd.grad(y.square().sum(), inputs)])
        for run in runs[1:]:
            assert all(torch.equal(a, b) for a, b in zip(run, runs[0], strict=True))

    @pytest.mark.parametrize("wanted", [(0,), (1,), (2,), (0, 2), (1, 2)])
    def test_gives_the_gradients_that_are_wanted(self, wanted):
        inputs = self.inputs(2, 6, 9, 8, 5, False)
        some = [inputs[i].requires_grad_() for i in wanted]
        actual = torch.autograd.grad(depthwise_conv2d(*inputs, padding=2).square().sum(), some)
        expected = torch.autograd.grad(conv2d(*inputs, padding=2, groups=6).square().sum(), some)
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-3)

    def test_the_gradient_of_the_gradient_is_pytorchs(self):
        inputs = [value.requires_grad_() for value in self.inputs(2, 6, 9, 8, 5, False)]

        def second(in_c):
            y = depthwise_conv2d(*inputs, padding=2, in_c=in_c)
            first = torch.autograd.grad(y.square().sum(), inputs, create_graph=True)
            return torch.autograd.grad(sum(g.square().sum() for g in first), inputs)

        for a, e in zip(second(True), second(False), strict=True):
            assert (a - e).norm() <= 1e-5 * e.norm()
