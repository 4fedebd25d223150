"""Multiply–accumulates (MACs) that one call of an operator does, forward or backward.

Torch's counter has rules for convolutions and matrix products, ``measure.operators`` for some more, and this module for
our operators in C and Triton. These are the MACs of the path that runs; ``measure.macs`` counts those of the
definition, which a faster equivalent path does not do.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.utils.flop_counter import flop_registry, shape_wrapper

from benchmarks.measure.operators import RULES, does_no_macs

# The backward of views, copies, activations, pools and norms.
_BACKWARD_WITHOUT_MACS = re.compile(
    r"aten::(slice|select|diagonal|index_select|embedding_dense|threshold|gelu|silu|hardtanh|elu|leaky_relu|sigmoid|tanh"
    r"|softplus|_(log_)?softmax|_?native_batch_norm|native_(layer|group)_norm|cudnn_batch_norm|batch_norm|nll_loss\w*"
    r"|(_?adaptive_)?(avg|max)_pool[123]d(_with_indices)?|_?upsample_nearest(_exact)?[123]d|(reflection|replication)_pad[123]d"
    r"|value_selecting_reduction|masked_scatter|native_dropout)_backward(_data)?"
)


def executed_macs(operator: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> int | None:
    """Return the MACs of a call of an operator of the dispatcher; None if no rule says how many it does."""
    name = operator.name().partition(".")[0]
    if name in OWN_RULES:
        own: int = OWN_RULES[name](result, *args, **kwargs)
        return own
    packet = operator.overloadpacket
    rule = flop_registry.get(packet) or (shape_wrapper(RULES[packet]) if packet in RULES else None)
    if rule is None:
        return 0 if does_no_macs(operator) or _BACKWARD_WITHOUT_MACS.fullmatch(name) else None
    return int(rule(*args, **kwargs, out_val=result)) // 2  # two operations for each MAC


def _convolution_backward(_: Any, gradient: Tensor, x: Tensor, weight: Tensor, *others: Any) -> int:
    """Torch's counter multiplies the gradient of a grouped convolution's weight by the number of groups."""
    *_, transposed, _, _, wanted = others
    products: int = (x if transposed else gradient).numel() * weight[0].numel()
    return products * (int(wanted[0]) + int(wanted[1]))


def _depthwise(y: Tensor, _: Tensor, weight: Tensor, *__: Any) -> int:
    return y.numel() * _taps(weight.shape)


def _taps(shape: Sequence[int]) -> int:
    """Return the number of taps of a depthwise weight, (M, k, k) in C and (k, k, M) in Triton."""
    return shape[1] ** 2


def _depthwise_weight(_: Any, __: Tensor, gradient: Tensor, kernel_size: int, *___: Any) -> int:
    return gradient.numel() * kernel_size**2


def _depthwise_backward_triton(_: Any, gradient: Tensor, __: Tensor, weight: Tensor, *others: Any) -> int:
    *_, of_x, _of_bias = others
    return gradient.numel() * _taps(weight.shape) * (2 if of_x else 1)


def _mix(_: Any, images: Tensor, weight: Tensor) -> int:
    return math.prod(images.shape[:3]) * weight.numel()


def _mix_backward(_: Any, __: Tensor, images: Tensor, weight: Tensor, of_x: bool, of_weight: bool) -> int:
    return math.prod(images.shape[:3]) * weight.numel() * (of_x + of_weight)


def _irreps_mix(
    _: Any, images: Tensor, spectrum: Tensor, basis: Tensor, upright: Tensor, blocks: Tensor, out_channels: int
) -> int:
    """Two transforms over H for every pixel, and a product with each block of the spectrum."""
    pixels, in_channels = math.prod(images.shape[:3]), images.shape[-1]
    products = int((blocks[:, 1] ** 2).sum()) * in_channels * out_channels
    return pixels * (products + basis.numel() * (in_channels + out_channels))


def _irreps_mix_backward(_: Any, gradient: Tensor, images: Tensor, *others: Any) -> int:
    *tables, of_images, of_spectrum = others
    _, basis, _, blocks = tables
    pixels, in_channels, out_channels = math.prod(images.shape[:3]), images.shape[-1], gradient.shape[-1]
    gradients = int(of_images) + int(of_spectrum)
    products = int((blocks[:, 1] ** 2).sum()) * in_channels * out_channels * gradients
    return pixels * (products + int(basis.numel()) * (out_channels + in_channels * gradients))


def _fourier(images: Tensor, taps: Tensor, offsets: Sequence[int], transforms: tuple[int, int], products: int) -> int:
    """Count ``transforms`` of the input's and of the output's maps, and products of three real numbers for each pair.

    A product also transforms the kernel at every frequency, or takes the gradient of the kernel back.
    """
    batch, height, width, in_maps = images.shape
    count, out_maps, _ = taps.shape
    border = max(map(abs, offsets))
    rows, columns = height + border, width + border
    half, half_columns = rows // 2 + 1, columns // 2 + 1
    of_a_map = 2 * half * min(half, height) * width + half * 4 * half_columns * min(half_columns, width)
    of_a_pair = half * columns * (3 * batch + count)
    maps = transforms[0] * in_maps + transforms[1] * out_maps
    return batch * maps * of_a_map + products * of_a_pair * in_maps * out_maps


def _fourier_conv2d(_: Any, images: Tensor, taps: Tensor, __: Any, offsets: Sequence[int]) -> int:
    return _fourier(images, taps, offsets, (1, 1), 1)


def _fourier_conv2d_backward(
    _: Any, __: Tensor, images: Tensor, taps: Tensor, offsets: Sequence[int], of_images: bool, of_taps: bool
) -> int:
    return _fourier(images, taps, offsets, (of_images + of_taps, 1), of_images + of_taps)


def _weights(parameters: Sequence[Tensor]) -> list[int]:
    return [parameter.numel() for parameter in parameters if parameter.dim() == 2]


def _siren(_: Any, coordinates: Tensor, *others: Any) -> int:
    (parameters,) = (each for each in others if isinstance(each, list | tuple))
    return len(coordinates) * sum(_weights(parameters))


def _siren_backward(_: Any, __: Tensor, coordinates: Tensor, *others: Any) -> int:
    """The gradients of all weights, and those of the features between layers; the coordinates need none."""
    (parameters,) = (each for each in others if isinstance(each, list | tuple))
    first, *later = _weights(parameters)
    return len(coordinates) * (first + 2 * sum(later))


OWN_RULES: Mapping[str, Callable[..., int]] = {
    "aten::convolution_backward": _convolution_backward,
    "gcnn_impl::depthwise_conv2d": _depthwise,
    "gcnn_impl::depthwise_conv2d_weight": _depthwise_weight,
    "gcnn_impl::mix_conv2d": _mix,
    "gcnn_impl::mix_conv2d_backward": _mix_backward,
    "gcnn_impl::fourier_conv2d": _fourier_conv2d,
    "gcnn_impl::fourier_conv2d_backward": _fourier_conv2d_backward,
    "gcnn_impl::irreps_mix": _irreps_mix,
    "gcnn_impl::irreps_mix_backward": _irreps_mix_backward,
    "gcnn_impl::siren": _siren,
    "gcnn_impl::siren_backward": _siren_backward,
    "gcnn_impl::depthwise_triton": _depthwise,
    "gcnn_impl::depthwise_backward_triton": _depthwise_backward_triton,
    "gcnn_impl::siren_triton": _siren,
    "gcnn_impl::siren_backward_triton": _siren_backward,
    **dict.fromkeys(
        (
            *("gcnn_impl::to_images", "gcnn_impl::to_maps", "gcnn_impl::batch_norm", "gcnn_impl::batch_norm_backward"),
            *("gcnn_impl::norm_pool", "gcnn_impl::norm_pool_backward"),
            *("gcnn_impl::depthwise_add_triton", "gcnn_impl::batch_norm_triton"),
            "gcnn_impl::batch_norm_backward_triton",
        ),
        lambda *_, **__: 0,
    ),
}
