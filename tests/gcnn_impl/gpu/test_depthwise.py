"""The depthwise convolution in Triton, on CUDA or else in Triton's interpreter, against torch's in float64."""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from unittest import mock

import numpy as np
import oracle
import pytest
import torch
from functorch.compile import make_boxed_func
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch._dynamo.backends.common import aot_autograd
from torch.nn.functional import conv2d

from gcnn_impl import SO2, SeparableGroupConv2d, functional, gpu
from gcnn_impl.gpu import depthwise as operators
from gcnn_impl.gpu.depthwise import depthwise, taps_of, tiling
from gcnn_impl.native import build

pytest.importorskip("triton")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
TOLERANCES = {torch.float64: 1e-13, torch.float32: 2e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}


@pytest.fixture(autouse=True)
def _with_triton() -> Iterator[None]:
    with gpu.turned(True), mock.patch.object(build, "library", return_value=None):
        yield


@dataclass(frozen=True)
class Shape:
    batch: int
    height: int
    width: int
    channels: int
    elements: int
    size: int
    padding: int
    disc: bool = True
    bias: bool = True
    dtype: torch.dtype = torch.float64


SHAPES = {
    "oblong": Shape(2, 5, 6, 3, 4, 3, 1),
    "one pixel": Shape(1, 1, 1, 2, 3, 3, 1),
    "kernel larger than the image": Shape(1, 3, 4, 1, 4, 7, 5, disc=False),
    "disc of 29 taps": Shape(1, 6, 3, 3, 2, 7, 3),
    "one channel": Shape(2, 4, 3, 1, 1, 3, 1, bias=False),
    "no padding": Shape(2, 6, 4, 5, 3, 3, 0),
    "padding over half": Shape(1, 3, 5, 2, 2, 5, 4),
    "one tap": Shape(2, 5, 4, 3, 4, 1, 0),
    "two blocks of maps": Shape(1, 2, 3, 11, 4, 3, 1, disc=False),
    "four warps and a rest": Shape(1, 2, 2, 65, 2, 3, 1),
    "float32": Shape(1, 5, 4, 3, 5, 5, 2, dtype=torch.float32),
    "bfloat16": Shape(1, 5, 4, 3, 5, 3, 1, dtype=torch.bfloat16),
    "float16": Shape(1, 4, 5, 5, 3, 3, 1, disc=False, dtype=torch.float16),
    "wide enough to divide": Shape(1, 2, 15, 1, 3, 3, 1),
}


def tensors(shape: Shape) -> tuple[Tensor, Tensor, Tensor | None]:
    options = {"dtype": shape.dtype, "device": DEVICE}
    images = torch.randn(shape.batch, shape.height, shape.width, shape.channels * shape.elements, **options)
    weight = torch.randn(shape.size, shape.size, images.shape[-1], **options)
    bias = torch.randn(shape.channels, **options) if shape.bias else None
    return images.requires_grad_(), weight.requires_grad_(), None if bias is None else bias.requires_grad_()


def in_float64(shape: Shape, images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Compute the convolution by ``conv2d`` with a weight that is zero outside the disc."""
    r = shape.size // 2
    rows, columns = torch.meshgrid(*[torch.arange(-r, r + 1)] * 2, indexing="ij")
    inside = (rows**2 + columns**2 <= r * r) | (not shape.disc)
    kernel = (weight * inside[..., None].to(weight)).permute(2, 0, 1)[:, None]
    bias = None if bias is None else bias.repeat(shape.elements)
    y = conv2d(images.permute(0, 3, 1, 2), kernel, bias, padding=shape.padding, groups=len(kernel))
    return y.permute(0, 2, 3, 1)


def errors(shape: Shape) -> list[float]:
    """Return the largest errors of result and gradients, relative to the largest value."""
    inputs = tensors(shape)
    doubles = [None if t is None else t.detach().double().requires_grad_() for t in inputs]
    y, wanted = depthwise(*inputs, shape.padding, shape.disc), in_float64(shape, *doubles)
    cotangent = torch.randn_like(y)
    found = torch.autograd.grad(y, [t for t in inputs if t is not None], cotangent)
    exact = torch.autograd.grad(wanted, [t for t in doubles if t is not None], cotangent.double())
    assert y.is_contiguous()
    assert {t.dtype for t in (y, *found)} == {shape.dtype}
    return [relative_error(a, b) for a, b in zip((y, *found), (wanted, *exact), strict=True)]


def relative_error(found: Tensor, exact: Tensor) -> float:
    assert found.shape == exact.shape
    return ((found.double() - exact).abs().max() / exact.abs().max().clamp_min(1e-300)).item()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_result_and_gradients_equal_those_of_torch(shape: Shape, oracle_errors: list[float]) -> None:
    found = errors(shape)
    if shape.dtype == torch.float64:
        oracle_errors += found
    assert max(found) <= TOLERANCES[shape.dtype]


@settings(max_examples=8, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_shape_divided_in_any_way(data: st.DataObject) -> None:
    small = functools.partial(st.integers, 1)
    size = data.draw(st.sampled_from([1, 3, 5]))
    padding = data.draw(st.integers(0, size - 1))
    least = max(1, size - 2 * padding)
    height, width = (data.draw(st.integers(least, least + 3)) for _ in range(2))
    shape = Shape(data.draw(small(2)), height, width, data.draw(small(9)), data.draw(small(4)), size, padding)
    shape = replace(shape, disc=data.draw(st.booleans()), bias=data.draw(st.booleans()))
    with (
        mock.patch.object(operators, "ROWS", data.draw(small(3))),
        mock.patch.object(operators, "LEAST_COLUMNS", data.draw(small(3))),
        mock.patch.object(operators, "WARPS", data.draw(st.sampled_from([1, 3, 1000]))),
    ):
        assert max(errors(shape)) <= TOLERANCES[torch.float64]


def without_the_first(taps: operators.Taps) -> operators.Taps:
    return taps[1:]


def with_two_weights_swapped(taps: operators.Taps) -> operators.Taps:
    (i, j, first), (k, m, second), *others = taps
    return (i, j, second), (k, m, first), *others


def with_one_moved(taps: operators.Taps) -> operators.Taps:
    *others, (i, j, row) = taps
    return *others, (i - 1, j, row)


@pytest.mark.parametrize("wrong", [without_the_first, with_two_weights_swapped, with_one_moved])
def test_a_wrong_tap_is_found_in_the_result_and_in_every_gradient_it_changes(
    wrong: Callable[[operators.Taps], operators.Taps],
) -> None:
    shape = replace(SHAPES["oblong"], batch=1)
    with mock.patch.object(operators, "taps_of", lambda *arguments: wrong(taps_of(*arguments))):
        y, of_images, of_weight, of_bias = errors(shape)
    assert min(y, of_images, of_weight) > 1e-3
    assert of_bias <= TOLERANCES[torch.float64]


def test_all_of_every_output_is_written_and_nothing_outside_the_input_is_read() -> None:
    shape = replace(SHAPES["no padding"], bias=False)
    images, weight, _ = (None if t is None else t.detach() for t in tensors(shape))
    poison = functools.partial(torch.full, fill_value=math.nan, dtype=shape.dtype, device=DEVICE)
    surrounded = poison((3, *images.shape))
    surrounded[1] = images
    images, taps = surrounded[1], taps_of(3, True, False)
    y = poison(operators._shape_of_result(images, 3, 0))
    operators.launch_convolve(images, weight, None, y, 0, taps)
    assert relative_error(y, in_float64(shape, images, weight, None)) <= 1e-13

    flipped = taps_of(3, True, True)
    surrounded = poison((3, *y.shape))
    surrounded[1] = y
    of_x, partial = poison(images.shape), poison((2, 6, images.shape[-1]))
    with mock.patch.object(operators, "WARPS", 2):
        operators.launch_backward(surrounded[1], images, weight, of_x, partial, 0, flipped)
    of_weight, of_bias = poison(weight.shape), poison((shape.channels,))
    operators.launch_add(partial, of_weight, of_bias, flipped)
    assert not any(t.isnan().any() for t in (of_x, partial, of_weight, of_bias))
    assert torch.allclose(of_bias, y.unflatten(3, (-1, shape.channels)).sum((0, 1, 2, 3)))


def test_two_passes_give_the_same_bits() -> None:
    shape = Shape(2, 4, 3, 3, 4, 3, 1, dtype=torch.float32)
    inputs = tensors(shape)
    cotangent = torch.randn_like(depthwise(*inputs, 1, True))
    assert operators.partial_rows(tiling(inputs[0].shape, 3)) > 1
    first, second = (torch.autograd.grad(depthwise(*inputs, 1, True), inputs, cotangent) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("wanted", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)], ids=str)
def test_only_the_wanted_gradients(wanted: tuple[int, ...]) -> None:
    shape = Shape(1, 3, 4, 2, 2, 3, 1)
    inputs = [t.detach() for t in tensors(shape)]
    chosen = [inputs[i].requires_grad_() for i in wanted]
    found = torch.autograd.grad(depthwise(*inputs, 1, True).sum(), chosen)
    exact = torch.autograd.grad(in_float64(shape, *inputs).sum(), chosen)
    assert max(map(relative_error, found, exact)) <= 1e-13


@pytest.mark.parametrize(("of_images", "disc"), [(True, False), (False, True)])
def test_gradients_of_gradients(of_images: bool, disc: bool) -> None:
    images, weight, bias = tensors(Shape(1, 1, 2, 1, 2, 3, 2, disc=disc))
    images.requires_grad_(of_images)
    convolve = functools.partial(depthwise, padding=2, disc=disc)
    options = {"fast_mode": True, "nondet_tol": 0.0}
    assert torch.autograd.gradcheck(convolve, (images, weight, bias), **options)
    assert torch.autograd.gradgradcheck(convolve, (images, weight, bias), **options)


def test_a_batch_of_gradients_is_computed_by_pytorch() -> None:
    shape = Shape(1, 3, 4, 2, 2, 3, 1)
    inputs = tensors(shape)
    y, exact = depthwise(*inputs, 1, True), in_float64(shape, *inputs)
    cotangents = torch.randn(2, *y.shape, dtype=y.dtype, device=DEVICE)
    found, wanted = (torch.autograd.grad(t, inputs, cotangents, is_grads_batched=True) for t in (y, exact))
    assert max(map(relative_error, found, wanted)) <= 1e-13


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # torch 2.11 does so itself
@pytest.mark.parametrize("differentiated", [False, True])
def test_compiled_as_one_graph(differentiated: bool) -> None:
    called: set[str] = set()

    def look(graph: torch.fx.GraphModule, inputs: object) -> Callable[..., object]:
        called.update(str(node.target) for node in graph.graph.nodes)
        return make_boxed_func(graph.forward)

    layer = SeparableGroupConv2d(1, 2, 3, SO2(2), padding=1, hidden_features=4, dtype=torch.float64, device=DEVICE)
    compiled = torch.compile(layer, fullgraph=True, backend=aot_autograd(fw_compiler=look, bw_compiler=look))
    x = torch.randn(1, 1, 2, 3, 4, dtype=torch.float64, device=DEVICE, requires_grad=differentiated)
    with torch.set_grad_enabled(differentiated):
        y, wanted = compiled(x), layer(x)
    assert y.permute(0, 3, 4, 2, 1).is_contiguous()
    assert relative_error(y, wanted) <= 1e-13
    assert "gcnn_impl.depthwise_triton.default" in called
    if differentiated:
        inputs = (x, *layer.parameters())
        found, exact = (torch.autograd.grad(t, inputs, torch.ones_like(t)) for t in (y, wanted))
        assert "gcnn_impl.depthwise_backward_triton.default" in called
        assert max(map(relative_error, found, exact)) <= 1e-12


class recorded(torch.utils._python_dispatch.TorchDispatchMode):  # noqa: N801
    """Records the names of the operators called in its context."""

    def __enter__(self) -> list[str]:
        super().__enter__()
        self.names: list[str] = []
        return self.names

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.names.append(func.name())
        return func(*args, **(kwargs or {}))


LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "torch's own order": Tensor.contiguous,
    "group-major": lambda x: x.permute(0, 3, 4, 2, 1).contiguous().permute(0, 4, 3, 1, 2),
    "every other column": lambda x: x.repeat_interleave(2, -1)[..., ::2],
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_layer_equals_its_definition_and_its_gradients_those_of_pytorch(
    layout: Callable[[Tensor], Tensor], oracle_errors: list[float]
) -> None:
    layer = SeparableGroupConv2d(2, 3, 3, SO2(4), padding=1, hidden_features=8, dtype=torch.float64)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 2, 4, 3, 5, dtype=torch.float64)
    rotations = oracle.elements("SO2", 4)
    exact = oracle.convolution(
        *(x.numpy(), oracle.full_kernel(layer, "separable"), "SO2", rotations, rotations, 1 / 4),
        *(3, 1, 1, layer.bias.detach().numpy()),
    )
    layer, x = layer.to(DEVICE), layout(x.to(DEVICE)).requires_grad_()
    with recorded() as names:
        y = layer(x)
        cotangent = torch.randn_like(y).contiguous()
        found = torch.autograd.grad(y, (x, *layer.parameters()), cotangent)
    assert {"gcnn_impl::depthwise_triton", "gcnn_impl::depthwise_backward_triton"} <= set(names)
    error = np.abs(y.detach().cpu().numpy() - exact).max() / np.abs(exact).max()
    oracle_errors.append(error)
    assert error <= 1e-11
    with gpu.turned(False):
        wanted = torch.autograd.grad(layer(x), (x, *layer.parameters()), cotangent)
    assert max(map(relative_error, found, wanted)) <= 1e-12


def test_autocast_computes_in_its_dtype_and_returns_gradients_in_the_parameters_own() -> None:
    layer = SeparableGroupConv2d(2, 3, 3, SO2(4), padding=1, hidden_features=8, device=DEVICE)
    x = torch.randn(1, 2, 4, 3, 4, device=DEVICE, requires_grad=True)
    with recorded() as names, torch.autocast(DEVICE, torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    assert "gcnn_impl::depthwise_triton" in names
    found = torch.autograd.grad(y.float().square().mean(), (x, *layer.parameters()))
    exact = torch.autograd.grad(layer(x).square().mean(), (x, *layer.parameters()))
    assert {t.dtype for t in found} == {torch.float32}
    assert max(map(relative_error, found, exact)) <= 0.1


@pytest.mark.parametrize("options", [{"stride": 2, "padding": 1}, {"padding": 3}, {"algorithm": "direct"}], ids=str)
def test_other_convolutions_are_pytorchs(options: dict[str, object]) -> None:
    x, kernel = torch.randn(1, 2, 4, 5, 5, device=DEVICE), torch.randn(2, 4, 3, 3, device=DEVICE)
    with recorded() as names:
        functional.spatial_conv2d(x, kernel, **options)
    assert not any("gpu" in name for name in names)
