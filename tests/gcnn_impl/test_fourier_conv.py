"""The convolution through the Fourier transform in C equals PyTorch's in float64, gradients included."""

import math

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gcnn_impl import SO2, GroupConv2d, functional, native
from gcnn_impl.fourier import fourier_conv2d
from gcnn_impl.native import fourier_conv

pytestmark = pytest.mark.skipif(native.status() != "in use", reason=native.status())

SQUARE = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1))
CROSS = ((-2, 0), (0, -2), *SQUARE, (0, 2), (2, 0))  # a disc of radius 2
WIDE = ((0, -3), (0, 0), (0, 3))
FLAT = [place for offset in SQUARE for place in offset]


def inputs(batch, maps, size, offsets, seed=0, bias=True):
    """Return images (B, M_i, H, W), taps (T, M_o, M_i), and perhaps a bias, in single precision."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, maps[0], *size, generator=generator)
    taps = torch.randn(len(offsets), maps[1], maps[0], generator=generator) / math.sqrt(len(offsets) * maps[0])
    return x, taps, torch.randn(maps[1], generator=generator) if bias else None


def with_gradients(function, tensors, offsets, wanted=(True, True, True)):
    """Return the result and the gradients, for a cotangent that depends on the result's shape alone."""
    x, taps, bias = (None if t is None else t.detach().requires_grad_(w) for t, w in zip(tensors, wanted, strict=True))
    y = function(x, taps, offsets, bias)
    cotangent = torch.randn(y.shape, generator=torch.Generator().manual_seed(1)).to(y)
    if y.requires_grad:
        y.backward(cotangent)
    return y.detach(), *(None if t is None else t.grad for t in (x, taps, bias))


def assert_equals_pytorch(tensors, offsets, wanted=(True, True, True)):
    doubles = [None if t is None else t.double() for t in tensors]
    expected = with_gradients(fourier_conv2d, doubles, offsets, wanted)
    actual = with_gradients(fourier_conv.convolve, tensors, offsets, wanted)
    for a, e in zip(actual, expected, strict=True):
        assert (a is None) == (e is None)
        if e is not None:
            assert a.shape == e.shape
            assert (a - e).norm() <= 2e-6 * e.norm() + 1e-6


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 10), st.integers(1, 10)),
    batch=st.integers(1, 5),
    maps=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    offsets=st.sampled_from([SQUARE, CROSS, WIDE]),
    bias=st.booleans(),
    threads=st.sampled_from([1, 2]),
    seed=st.integers(0, 2**16),
)
@example(size=(28, 28), batch=2, maps=(70, 130), offsets=CROSS, bias=True, threads=2, seed=0)  # several blocks
@example(size=(6, 7), batch=13, maps=(200, 33), offsets=SQUARE, bias=True, threads=2, seed=0)
def test_equals_pytorchs_on_any_shape(size, batch, maps, offsets, bias, threads, seed):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        assert_equals_pytorch(inputs(batch, maps, size, offsets, seed, bias), offsets)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("wanted", [(True, False, False), (False, True, False), (False, False, True), (False,) * 3])
def test_only_the_gradients_that_are_wanted_are_taken(wanted):
    assert_equals_pytorch(inputs(2, (3, 4), (5, 6), SQUARE), SQUARE, wanted)


def test_the_number_of_threads_does_not_change_a_bit():
    tensors, before, results = inputs(5, (50, 70), (9, 8), CROSS), torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append(with_gradients(fourier_conv.convolve, tensors, CROSS))
    finally:
        torch.set_num_threads(before)
    for others in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], others, strict=True))


def test_more_frequencies_than_are_prepared_at_a_time():
    """62 × 62 pixels have 32 · 63 frequencies; of 8 images of 64 and 64 maps, the operator prepares 1,296 at a time."""
    assert_equals_pytorch(inputs(8, (64, 64), (62, 62), SQUARE), SQUARE)


@pytest.mark.parametrize("maps", [(32, 48), (40, 40)])
def test_spectra_and_maps_that_bypass_the_caches(maps):
    """More than two million values do, if all lines of the cache are whole: those of 32 and 48 maps are."""
    assert_equals_pytorch(inputs(80, maps, (28, 28), CROSS), CROSS)


def test_gradients_of_gradients_are_pytorchs():
    x, taps, bias = (t.requires_grad_() for t in inputs(2, (3, 2), (4, 5), SQUARE))

    def penalty(function, *tensors):
        first = torch.autograd.grad(
            function(*tensors[:2], SQUARE, tensors[2]).square().sum(), tensors, create_graph=True
        )
        return torch.autograd.grad(sum(g.square().sum() for g in first), tensors)

    actual = penalty(fourier_conv.convolve, x, taps, bias)
    expected = penalty(fourier_conv2d, *(t.detach().double().requires_grad_() for t in (x, taps, bias)))
    for a, e in zip(actual, expected, strict=True):
        torch.testing.assert_close(a.double(), e, rtol=1e-4, atol=1e-4 * float(e.abs().max()))


@pytest.mark.parametrize(
    "arguments",
    [
        (torch.ones(1, 4, 4, 2), torch.ones(9, 3, 3), None, FLAT),
        (torch.ones(1, 4, 4, 2), torch.ones(9, 3, 2), torch.ones(2), FLAT),
        (torch.ones(1, 4, 4, 2), torch.ones(8, 3, 2), None, FLAT),
        (torch.ones(1, 4, 4, 2), torch.ones(9, 3, 2), None, [*FLAT[::-1][1:], 0]),
        (torch.ones(1, 4, 4, 2), torch.ones(2, 3, 2), None, [-1, 0, 1, 0]),
        (torch.ones(1, 4, 4, 2, dtype=torch.float64), torch.ones(9, 3, 2).double(), None, FLAT),
        (torch.ones(1, 0, 4, 2), torch.ones(9, 3, 2), None, FLAT),
        (torch.ones(1, 4, 4, 4)[..., ::2], torch.ones(9, 3, 2), None, FLAT),
    ],
)
def test_operands_that_do_not_fit_are_refused(arguments):
    images, taps, bias, offsets = arguments
    with pytest.raises(ValueError, match="whose sizes fit each other"):
        torch.ops.gcnn_impl.fourier_conv2d(images, taps, bias, offsets)
    if bias is None:
        gradient = torch.ones(*images.shape[:3], taps.shape[1], dtype=images.dtype)
        with pytest.raises(ValueError, match="whose sizes fit each other"):
            torch.ops.gcnn_impl.fourier_conv2d_backward(gradient, images, taps, offsets, True, True)


def test_a_layer_takes_the_operator(monkeypatch):
    monkeypatch.setattr(functional, "fourier_conv2d", None)  # a call of PyTorch's would raise
    layer = GroupConv2d(3, 4, 5, SO2(4), padding=2)
    x = torch.randn(2, 3, 4, 7, 8)
    layer.algorithm = "direct"
    expected = layer(x)
    layer.algorithm = "fourier"
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        y = layer(x)
    y += 1  # the result is an ordinary tensor
