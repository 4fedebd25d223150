"""The convolution through the Fourier transform equals the direct one, gradients included."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import conv2d

from gcnn_impl import O2, SO2, GroupConv2d, GroupSeparableConv2d, RPlus, SO2xRPlus, functional
from gcnn_impl.calibration import fourier_pays
from gcnn_impl.fourier import CHUNK, fourier_conv2d

SQUARE = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1))
CROSS = ((-2, 0), (0, -2), *SQUARE, (0, 2), (2, 0))  # a disc of radius 2


def dense(taps: Tensor, offsets: tuple[tuple[int, int], ...]) -> Tensor:
    """Return the (M_o, M_i, k, k) kernel with the T ``taps``, (T, M_o, M_i), at ``offsets`` and zeros elsewhere."""
    r = max(abs(place) for offset in offsets for place in offset)
    weight = taps.new_zeros(*taps.shape[1:], 2 * r + 1, 2 * r + 1)
    for tap, (row, column) in zip(taps, offsets, strict=True):
        weight[:, :, row + r, column + r] = tap
    return weight


@settings(max_examples=30, deadline=None)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    batch=st.integers(1, 3),
    maps=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    offsets=st.sampled_from([SQUARE, CROSS]),
    seed=st.integers(0, 2**16),
)
def test_equals_the_direct_convolution_on_any_shape(size, batch, maps, offsets, seed) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, maps[0], *size, dtype=torch.float64, generator=generator)
    taps = torch.randn(len(offsets), maps[1], maps[0], dtype=torch.float64, generator=generator)
    bias = torch.randn(maps[1], dtype=torch.float64, generator=generator)
    weight = dense(taps, offsets)
    expected = conv2d(x, weight, bias, padding=weight.shape[-1] // 2)
    y = fourier_conv2d(x, taps, offsets, bias)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_gradients_and_gradients_of_gradients_are_right() -> None:
    x = torch.randn(2, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    taps = torch.randn(len(SQUARE), 3, 2, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(3, dtype=torch.float64, requires_grad=True)

    def convolve(x: Tensor, taps: Tensor, bias: Tensor) -> Tensor:
        return fourier_conv2d(x, taps, SQUARE, bias)

    assert torch.autograd.gradcheck(convolve, (x, taps, bias))
    assert torch.autograd.gradgradcheck(convolve, (x, taps, bias))


@pytest.mark.parametrize("wanted", ["x", "taps"])
def test_only_the_gradients_that_are_wanted_are_taken(wanted: str) -> None:
    x = torch.randn(1, 2, 5, 5, requires_grad=wanted == "x")
    taps = torch.randn(len(SQUARE), 2, 2, requires_grad=wanted == "taps")
    fourier_conv2d(x, taps, SQUARE).sum().backward()
    assert (x.grad is not None, taps.grad is not None) == (wanted == "x", wanted == "taps")


def test_kernels_larger_than_a_chunk_are_taken_a_frequency_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    x, taps = torch.randn(1, 4, 5, 5, dtype=torch.float64), torch.randn(len(SQUARE), 4, 4, dtype=torch.float64)
    whole = fourier_conv2d(x, taps, SQUARE)
    assert CHUNK > 4 * 4
    monkeypatch.setattr("gcnn_impl.fourier.CHUNK", 1)
    torch.testing.assert_close(fourier_conv2d(x, taps, SQUARE), whole, rtol=0, atol=1e-13)


def test_vmap_over_a_batch_of_kernels() -> None:
    x = torch.randn(2, 2, 4, 4, dtype=torch.float64)
    taps = torch.randn(3, len(SQUARE), 2, 2, dtype=torch.float64)
    mapped = torch.vmap(lambda kernel: fourier_conv2d(x, kernel, SQUARE))(taps)
    torch.testing.assert_close(mapped, torch.stack([fourier_conv2d(x, kernel, SQUARE) for kernel in taps]))


@pytest.mark.parametrize("variant", [GroupConv2d, GroupSeparableConv2d])
@pytest.mark.parametrize("group", [SO2(4), O2(2), RPlus(2), SO2xRPlus(2, 2)], ids=str)
@pytest.mark.parametrize("kernel_size", [3, 5])
def test_layers_give_the_same_in_every_algorithm(
    variant, group, kernel_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    transformed: list[str] = []

    def counted(*arguments):
        transformed.append(layer.algorithm)
        return fourier_conv2d(*arguments)

    monkeypatch.setattr(functional, "fourier_conv2d", counted)
    layer = variant(2, 3, kernel_size, group, padding=kernel_size // 2, dtype=torch.float64)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 2, group.resolution, 7, 6, dtype=torch.float64, requires_grad=True)
    results = {}
    for algorithm in ("direct", "disc", "fourier", "auto"):
        layer.algorithm = algorithm
        y = layer(x)
        results[algorithm] = (y, *torch.autograd.grad(y.square().sum(), [x, *layer.parameters()]))
    assert set(transformed) - {"auto"} == {"fourier"}  # or the direct way would be compared with itself
    for algorithm in ("disc", "fourier", "auto"):
        torch.testing.assert_close(results[algorithm], results["direct"], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("stride", "padding"), [(2, 1), (1, 0)])
def test_a_change_of_size_is_convolved_directly(stride: int, padding: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functional, "fourier_conv2d", None)  # a call would raise
    layer = GroupConv2d(2, 2, 3, SO2(4), stride=stride, padding=padding, algorithm="fourier")
    layer(torch.randn(1, 2, 4, 7, 7))


def test_half_precision_stays_with_the_direct_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functional, "fourier_conv2d", None)
    layer = GroupConv2d(2, 2, 3, SO2(4), padding=1, algorithm="fourier")
    with torch.autocast("cpu"):
        assert layer(torch.randn(1, 2, 4, 7, 7)).dtype == torch.bfloat16


def test_the_transform_pays_for_many_maps_and_many_taps_only() -> None:
    layer = {"height": 28, "width": 28, "radius": 3}
    for in_c in (False, True):
        assert fourier_pays(64, in_maps=256, out_maps=256, taps=29, in_c=in_c, **layer)
        # The spectrum of the kernel takes too long, or the transforms of the maps, or there are too few taps.
        assert not fourier_pays(1, in_maps=256, out_maps=256, taps=29, in_c=in_c, **layer)
        assert not fourier_pays(64, in_maps=8, out_maps=8, taps=29, in_c=in_c, **layer)
        assert not fourier_pays(4, in_maps=128, out_maps=128, taps=9, height=28, width=28, radius=1, in_c=in_c)


def test_the_transform_pays_more_often_in_c() -> None:
    layers = [
        {"batch": batch, "height": side, "width": side, "in_maps": maps, "out_maps": maps, "taps": taps, "radius": r}
        for batch in (1, 16, 64)
        for side in (7, 28)
        for maps in (32, 128, 512)
        for taps, r in ((13, 2), (29, 3))
    ]
    by_pytorch, in_c = ([fourier_pays(**layer, in_c=c) for layer in layers] for c in (False, True))
    assert sum(in_c) > 2 * sum(by_pytorch) > 0
