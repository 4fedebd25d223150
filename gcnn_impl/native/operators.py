"""The operators in C as functions of tensors, with gradients.

A caller must first check all tensors with ``takes``. Arguments and results are maps on the group, (B, C, |H|, H, W);
the operators work on images, the same values as (B, H, W, |H|, C) in memory. An input in torch's own order is copied to
that layout, and its gradient is copied back. Gradients of gradients are those of ``reference``, the same function in
PyTorch.
"""

import functools
import math
from collections.abc import Callable, Sequence
from ctypes import CDLL, c_long
from typing import Any

import torch
from torch import Tensor

from gcnn_impl.gradients import is_differentiated, pytorch_gradients
from gcnn_impl.kernel_nets import parameter_shapes
from gcnn_impl.native.build import library, takes
from gcnn_impl.rectifying import rectify
from gcnn_impl.registration import check_operands, operator

# Geometric means of the numbers of input and output maps up to which our 1×1 convolution is faster than oneDNN's, in
# the forward and in the backward pass: with 64 maps, 28 × 28 pixels take 29 µs instead of 56, and 49 instead of 107.
FEW_MAPS, FEW_MAPS_BACKWARD = 96, 256
_ONE_BY_ONE: tuple[Any, ...] = ([1, 1], [0, 0], [1, 1], False, [0, 0], 1)  # stride, padding, dilation, …, groups


def library_in_use() -> CDLL:
    found = library()
    assert found is not None, "ask ``takes`` first"
    return found


def addresses(*tensors: Tensor | None) -> list[int | None]:
    """Return the addresses of the tensors' values, for a function in C; None for a null pointer."""
    return [None if t is None else t.data_ptr() for t in tensors]


def is_pytorchs(gradient: Tensor) -> bool:
    """Return whether PyTorch must compute the backward pass: for gradients of gradients, or if ``takes`` refuses."""
    return torch.is_grad_enabled() or not takes(gradient)


def check(fits: bool, *tensors: Tensor | None) -> None:
    """Raise ``ValueError`` unless ``fits``, and all tensors are contiguous, in float32 on the CPU, and not empty."""
    check_operands(fits, (torch.float32,), ("cpu",), *tensors)


def _empty_images(x: Tensor) -> Tensor:
    batch, channels, resolution, height, width = x.shape
    return x.new_empty(batch, height, width, resolution, channels)


@operator("to_images(Tensor x) -> Tensor", "CPU", fake=_empty_images)
def _to_images(x: Tensor) -> Tensor:
    check(x.dim() == 5, x)
    batch, channels, resolution, height, width = x.shape
    images = _empty_images(x)
    sizes = batch, channels, resolution, height * width
    library_in_use().gcnn_layout(x.data_ptr(), images.data_ptr(), *sizes, False, torch.get_num_threads())
    return images


def _empty_maps(images: Tensor) -> Tensor:
    batch, height, width, resolution, channels = images.shape
    return images.new_empty(batch, channels, resolution, height, width)


@operator("to_maps(Tensor images) -> Tensor", "CPU", fake=_empty_maps)
def _to_maps(images: Tensor) -> Tensor:
    check(images.dim() == 5, images)
    batch, height, width, resolution, channels = images.shape
    x = _empty_maps(images)
    sizes = batch, channels, resolution, height * width
    library_in_use().gcnn_layout(x.data_ptr(), images.data_ptr(), *sizes, True, torch.get_num_threads())
    return x


class _Images(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        return _to_images(x)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        if is_pytorchs(gradient):
            return maps_of(gradient).contiguous()
        return _to_maps(gradient.contiguous())


def images_of(x: Tensor) -> Tensor:
    """Lay maps out as images, (B, C, |H|, H, W) → (B, H, W, |H|, C), contiguous."""
    images = x.permute(0, 3, 4, 2, 1)
    if images.is_contiguous() or not x.is_contiguous():
        return images.contiguous()
    return _Images.apply(x) if is_differentiated(x) else _to_images(x)


def maps_of(images: Tensor) -> Tensor:
    """Return a view of images as maps, (B, H, W, |H|, C) → (B, C, |H|, H, W)."""
    return images.permute(0, 4, 3, 1, 2)


def result(images: Tensor) -> Tensor:
    """Return images as maps that can be changed in place.

    Torch refuses this for a view that was made inside a function with its own gradients, or without gradients.
    """
    maps = maps_of(images)
    return maps if torch.is_grad_enabled() else maps.detach()


@functools.lru_cache(maxsize=256)
def memory(function: str, count: int, *sizes: int) -> list[int]:
    """Return the numbers of floats of the ``count`` buffers that a function in C needs."""
    floats = (c_long * count)()
    getattr(library_in_use(), function)(*sizes, floats)
    return list(floats)


def _shape_of_result(images: Tensor, kernel_size: int, padding: int) -> tuple[int, ...]:
    batch, height, width, resolution, channels = images.shape
    grown = 2 * padding - kernel_size + 1
    return batch, height + grown, width + grown, resolution, channels


@operator(
    "depthwise_conv2d(Tensor images, Tensor weight, Tensor? bias, int padding, bool disc, bool flip,"
    " Tensor? residual=None, bool relu=False) -> Tensor",
    "CPU",
    fake=lambda images, weight, bias, padding, *_, **__: images.new_empty(
        _shape_of_result(images, weight.shape[-1], padding)
    ),
)
def _depthwise(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: int,
    disc: bool,
    flip: bool,
    residual: Tensor | None = None,
    relu: bool = False,
) -> Tensor:
    """Convolve images, (B, H, W, |H|, C) and weight (|H|·C, k, k) → (B, H', W', |H|, C); then as ``rectified``."""
    batch, height, width, resolution, channels = images.shape
    k, maps = weight.shape[-1], resolution * channels
    fits = k % 2 == 1 and 0 <= padding < k <= min(height, width) + 2 * padding and weight.shape == (maps, k, k)
    wanted = _shape_of_result(images, k, padding)
    fits = fits and (bias is None or bias.shape == (channels,)) and (residual is None or residual.shape == wanted)
    check(fits, images, weight, bias, residual)
    sizes = batch, height, width, maps, k, padding
    threads = torch.get_num_threads()
    scratch = images.new_empty(memory("gcnn_depthwise_memory", 2, *sizes, threads)[0])
    y = images.new_empty(wanted)
    tensors = images, weight, bias, residual, y, scratch
    library_in_use().gcnn_depthwise(*addresses(*tensors), *sizes, channels, disc, flip, relu, threads)
    return y


def _empty_weights(images: Tensor, gradient: Tensor, kernel_size: int, *_: Any) -> tuple[Tensor, Tensor]:
    resolution, channels = images.shape[3:]
    of_weight = images.new_empty(resolution * channels, kernel_size, kernel_size)
    return of_weight, images.new_empty(resolution, channels)


@operator(
    "depthwise_conv2d_weight(Tensor images, Tensor gradient, int kernel_size, int padding, bool disc)"
    " -> (Tensor, Tensor)",
    "CPU",
    fake=_empty_weights,
)
def _depthwise_weight(
    images: Tensor, gradient: Tensor, kernel_size: int, padding: int, disc: bool
) -> tuple[Tensor, Tensor]:
    """Return the gradients of the weight, (|H|·C, k, k), and of a bias, (|H|, C)."""
    batch, height, width, resolution, channels = images.shape
    fits = kernel_size % 2 == 1 and 0 <= padding < kernel_size <= min(height, width) + 2 * padding
    check(fits and gradient.shape == _shape_of_result(images, kernel_size, padding), images, gradient)
    sizes = batch, height, width, resolution * channels, kernel_size, padding
    threads = torch.get_num_threads()
    scratch, partial = map(images.new_empty, memory("gcnn_depthwise_memory", 2, *sizes, threads))
    of_weight, of_bias = _empty_weights(images, gradient, kernel_size)
    tensors = images, gradient, of_weight, of_bias, scratch, partial
    library_in_use().gcnn_depthwise_weight(*(t.data_ptr() for t in tensors), *sizes, disc, threads)
    return of_weight, of_bias


class _SpatialConv2d(torch.autograd.Function):
    @staticmethod
    def forward(ctx, images, kernel, bias, padding, disc, reference):  # type: ignore[no-untyped-def]
        weight = kernel.transpose(0, 1).flatten(0, 1).contiguous()  # (|H|·C, k, k)
        ctx.save_for_backward(images, kernel, bias, weight)
        ctx.padding, ctx.disc, ctx.reference = padding, disc, reference
        return _depthwise(images, weight, bias, padding, disc, False)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        images, kernel, bias, weight = ctx.saved_tensors
        if is_pytorchs(gradient):
            inputs = images, kernel, bias
            return *pytorch_gradients(on_images(ctx.reference), inputs, gradient), None, None, None
        size, padding, disc = weight.shape[-1], ctx.padding, ctx.disc
        of_images = of_kernel = of_bias = None
        gradient = images_of(maps_of(gradient))
        if ctx.needs_input_grad[1] or ctx.needs_input_grad[2]:
            of_weight, of_biases = _depthwise_weight(images, gradient, size, padding, disc)
            of_kernel = of_weight.view(kernel.shape[1], -1, size, size).transpose(0, 1)
            of_bias = of_biases.sum(0) if ctx.needs_input_grad[2] else None
        if ctx.needs_input_grad[0]:
            of_images = _depthwise(gradient, weight, None, size - 1 - padding, disc, True)
        return of_images, of_kernel, of_bias, None, None, None


def on_images(reference: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a function of maps as the same function of images, (B, H, W, |H|, C)."""
    return lambda images, *others: reference(maps_of(images), *others).permute(0, 3, 4, 2, 1)


def spatial_conv2d(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    padding: int,
    disc: bool,
    relu: bool,
    residual: Tensor | None,
    reference: Callable[..., Tensor],
) -> Tensor:
    """Compute ``functional.spatial_conv2d`` with stride 1, padding below k, and a kernel that fits the padded image.

    ``reference`` is the same function in PyTorch, of (x, kernel, bias), without ``relu`` and ``residual``.
    """
    images, bias = images_of(x), None if bias is None else bias.contiguous()
    if is_differentiated(images, kernel, bias, residual):
        y = _SpatialConv2d.apply(images, kernel, bias, padding, disc, reference)
        return rectify(result(y), relu, residual)
    weight, others = (
        kernel.transpose(0, 1).flatten(0, 1).contiguous(),
        None if residual is None else images_of(residual),
    )
    return result(_depthwise(images, weight, bias, padding, disc, False, others, relu))


@operator(
    "mix_conv2d(Tensor images, Tensor weight) -> Tensor",
    "CPU",
    fake=lambda images, weight: images.new_empty(*images.shape[:3], len(weight)),
)
def _mix(images: Tensor, weight: Tensor) -> Tensor:
    """Mix channels, (B, H, W, |H_in|, C_i) and weight (|H_out|·C_o, |H_in|·C_i) → (B, H, W, |H_out|·C_o)."""
    (maps, in_maps), shape = weight.shape, images.shape[:3]
    check(images.dim() == 5 and images.shape[3:].numel() == in_maps, images, weight)
    pixels = shape.numel()
    if maps * in_maps > FEW_MAPS**2:
        flat = images.flatten(3).permute(0, 3, 1, 2)
        y = torch.ops.aten.convolution(flat, weight[..., None, None], None, *_ONE_BY_ONE)
        return y.permute(0, 2, 3, 1).contiguous()
    sizes = pixels, in_maps, maps, torch.get_num_threads()
    y, scratch = images.new_empty(*shape, maps), images.new_empty(memory("gcnn_mix_memory", 2, *sizes)[0])
    tensors = images, weight, y, scratch
    library_in_use().gcnn_mix(*[t.data_ptr() for t in tensors], *sizes)
    return y


def _empty_gradients(
    gradient: Tensor, images: Tensor, weight: Tensor, of_x: bool, of_weight: bool
) -> tuple[Tensor | None, Tensor | None]:
    return torch.empty_like(images) if of_x else None, torch.empty_like(weight) if of_weight else None


@operator(
    "mix_conv2d_backward(Tensor gradient, Tensor images, Tensor weight, bool of_x, bool of_weight)"
    " -> (Tensor?, Tensor?)",
    "CPU",
    fake=_empty_gradients,
)
def _mix_backward(
    gradient: Tensor, images: Tensor, weight: Tensor, of_x: bool, of_weight: bool
) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients of images and of weight; None where ``of_x`` or ``of_weight`` is false."""
    (maps, in_maps), pixels = weight.shape, images.shape[:3].numel()
    fits = images.dim() == gradient.dim() == 5 and gradient.shape[:3] == images.shape[:3]
    fits = fits and images.shape[3:].numel() == in_maps and gradient.shape[3:].numel() == maps
    check(fits, gradient, images, weight)
    if maps * in_maps > FEW_MAPS_BACKWARD**2:
        g, flat = (t.flatten(3).permute(0, 3, 1, 2) for t in (gradient, images))
        wanted = [of_x, of_weight, False]
        x_, weight_, _ = torch.ops.aten.convolution_backward(
            g, flat, weight[..., None, None], None, *_ONE_BY_ONE, wanted
        )
        return (
            x_.permute(0, 2, 3, 1).contiguous().view(images.shape) if of_x else None,
            weight_.reshape(maps, in_maps) if of_weight else None,
        )
    g_x, g_weight = _empty_gradients(gradient, images, weight, of_x, of_weight)
    sizes = pixels, in_maps, maps, torch.get_num_threads()
    partial = images.new_empty(memory("gcnn_mix_memory", 2, *sizes)[1]) if of_weight else None
    tensors = gradient, images, weight, g_x, g_weight, partial
    library_in_use().gcnn_mix_backward(*addresses(*tensors), *sizes)
    return g_x, g_weight


def _mixing_weight(kernel: Tensor) -> Tensor:
    """Reshape a kernel, (C_o, |H_out|, C_i, |H_in|) → (|H_out|·C_o, |H_in|·C_i)."""
    return kernel.permute(1, 0, 3, 2).flatten(2).flatten(0, 1).contiguous()


class _GroupMix(torch.autograd.Function):
    @staticmethod
    def forward(ctx, images, kernel, reference):  # type: ignore[no-untyped-def]
        weight = _mixing_weight(kernel)
        ctx.save_for_backward(images, kernel, weight)
        ctx.reference = reference
        return _mix(images, weight)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        images, kernel, weight = ctx.saved_tensors
        c_out, h_out, c_in, h_in = kernel.shape
        gradient = gradient.reshape(*gradient.shape[:3], h_out, c_out)  # an operation that torch's older vmap knows
        if is_pytorchs(gradient):
            return *pytorch_gradients(on_images(ctx.reference), (images, kernel), gradient), None
        wanted = ctx.needs_input_grad[:2]
        of_images, of_weight = _mix_backward(images_of(maps_of(gradient)), images, weight, *wanted)
        if of_weight is not None:
            of_weight = of_weight.view(h_out, c_out, h_in, c_in).permute(1, 0, 3, 2)
        return of_images, of_weight, None


def group_mix(x: Tensor, kernel: Tensor, reference: Callable[..., Tensor]) -> Tensor:
    """Compute ``functional.group_mix``; ``reference`` is the same function in PyTorch, of (x, kernel)."""
    images = images_of(x)
    if is_differentiated(images, kernel):
        y = _GroupMix.apply(images, kernel, reference)
    else:
        y = _mix(images, _mixing_weight(kernel))
    return result(y.unflatten(3, (kernel.shape[1], -1)))


def _empty_values(
    coordinates: Tensor, weights: Tensor, index: Tensor, parameters: Sequence[Tensor], omega: float, channels: int
) -> tuple[Tensor, Tensor]:
    """Return an empty kernel, (A, C_o, T, C_i), and empty memory of what is kept for backward."""
    (points, dimensions), (values, hidden) = coordinates.shape, parameters[4].shape
    sizes = map(int, (points, dimensions, hidden, channels, values // channels))
    kept, *_ = memory("gcnn_siren_memory", 3, *sizes, 1)
    out = coordinates.new_empty(index.shape[0], channels, index.shape[1], values // channels)
    return out, coordinates.new_empty(kept)


@operator(
    "siren(Tensor coordinates, Tensor weights, Tensor index, Tensor[] parameters, float omega, int channels)"
    " -> (Tensor, Tensor)",
    "CPU",
    fake=_empty_values,
)
def _siren(
    coordinates: Tensor, weights: Tensor, index: Tensor, parameters: Sequence[Tensor], omega: float, channels: int
) -> tuple[Tensor, Tensor]:
    """Return the kernel values (A, C_o, T, C_i) and the values kept for backward; index (A, T), channels C_o."""
    (points, dimensions), (values, hidden), threads = coordinates.shape, parameters[4].shape, torch.get_num_threads()
    check(weights.shape == (points,) and channels >= 1 and values % channels == 0, coordinates, weights)
    _check_net(dimensions, index, parameters)
    sizes = points, dimensions, hidden, *index.shape, channels, values // channels, threads
    out, kept = _empty_values(coordinates, weights, index, parameters, omega, channels)
    scratch = coordinates.new_empty(memory("gcnn_siren_memory", 3, points, dimensions, hidden, *sizes[5:])[1])
    tensors = coordinates, weights, index, *parameters, out, kept, scratch
    _within(library_in_use().gcnn_siren(*[t.data_ptr() for t in tensors], omega, *sizes), points)
    return out, kept


def _check_net(dimensions: int, index: Tensor, parameters: Sequence[Tensor]) -> None:
    values, hidden = parameters[4].shape
    shapes = parameter_shapes(dimensions, hidden, values)
    fits = index.dim() == 2 and index.dtype is torch.int64 and index.is_cpu and index.is_contiguous()
    check(fits and tuple([p.shape for p in parameters]) == shapes, *parameters)


def _within(is_within: int, points: int) -> None:
    if not is_within:
        raise ValueError(f"the index of a kernel's places must have values from 0 to {points}")


def _empty_like(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [torch.empty_like(t) for t in tensors]


@operator(
    "siren_backward(Tensor gradient, Tensor coordinates, Tensor index, Tensor[] parameters, Tensor kept, float omega)"
    " -> Tensor[]",
    "CPU",
    fake=lambda gradient, coordinates, index, parameters, *_: _empty_like(parameters),
)
def _siren_backward(
    gradient: Tensor, coordinates: Tensor, index: Tensor, parameters: Sequence[Tensor], kept: Tensor, omega: float
) -> list[Tensor]:
    """Return the gradients of the six parameters."""
    (points, dimensions), hidden, threads = coordinates.shape, parameters[2].shape[0], torch.get_num_threads()
    channels = gradient.shape[1], gradient.shape[3]
    values = parameters[4].shape[0]
    _check_net(dimensions, index, parameters)
    fits = gradient.shape == (index.shape[0], channels[0], index.shape[1], channels[1]) and values == math.prod(
        channels
    )
    check(fits and kept.shape == (memory("gcnn_siren_memory", 3, points, dimensions, hidden, *channels, threads)[0],))
    check(True, gradient, coordinates, kept)
    _, _, scratch = memory("gcnn_siren_memory", 3, points, dimensions, hidden, *channels, threads)
    found = _empty_like(parameters)
    tensors = gradient, coordinates, index, parameters[2], parameters[4], kept, *found, gradient.new_empty(scratch)
    places = [t.data_ptr() for t in tensors]
    sizes = points, dimensions, hidden, *index.shape, *channels, threads
    _within(library_in_use().gcnn_siren_backward(*places, omega, *sizes), points)
    return found


class _Siren(torch.autograd.Function):
    @staticmethod
    def forward(ctx, coordinates, weights, index, omega, channels, reference, *parameters):  # type: ignore[no-untyped-def]
        out, kept = _siren(coordinates, weights, index, parameters, omega, channels)
        ctx.save_for_backward(coordinates, index, kept, *parameters)
        ctx.omega, ctx.reference = omega, reference
        return out

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        coordinates, index, kept, *parameters = ctx.saved_tensors
        if is_pytorchs(gradient):
            found: Sequence[Tensor | None] = pytorch_gradients(ctx.reference, parameters, gradient)
        else:
            found = _siren_backward(gradient.contiguous(), coordinates, index, parameters, kept, ctx.omega)
        return None, None, None, None, None, None, *found


def siren(
    coordinates: Tensor,
    weights: Tensor,
    index: Tensor,
    omega: float,
    channels: int,
    parameters: Sequence[Tensor],
    reference: Callable[..., Tensor],
) -> Tensor:
    """Return the values of a SIREN at the T places of each of the A output elements of a kernel; (A, C_o, T, C_i).

    Args:
        coordinates: coordinates of the points, shape (N, d).
        weights: factors of the values at each point, shape (N,).
        index: the number of each place's point, or N where the kernel is zero; shape (A, T).
        omega, parameters: frequency and parameters of the net, in the order of ``SIREN.tensors``.
        channels: C_o.
        reference: the same function in PyTorch, of the parameters.
    """
    parameters = [parameter.contiguous() for parameter in parameters]
    if is_differentiated(*parameters):
        return _Siren.apply(coordinates, weights, index, omega, channels, reference, *parameters)
    return _siren(coordinates, weights, index, parameters, omega, channels)[0]
