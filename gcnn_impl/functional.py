"""Group convolutions with given kernels: nothing here is learnable, and nothing depends on which group H is.

Shapes: an image is (B, C, H, W), a map on the group is (B, C, |H|, H, W). Kernels already contain |det h|⁻¹, the Haar
weights and the windows (``kernels.py``), so the functions here are correlations. The formulas are those of Knigge et
al. 2022. A bias has one value per output channel, shape (C_o,), the same at every group element.

With ``relu``, a convolution rectifies its result y. With a ``residual``, a map of the same shape as y, a convolution
returns relu(y + residual). An operator in C does both while it writes y.

Memory: maps are kept channels-last and group-major, that is (B, H, W, |H|, C) in memory. A convolution then sees
a channels-last image of |H|·C channels, and a batch norm sees one of C channels. Inputs may have any layout.

``algorithm="direct"`` computes everything by plain ``conv2d``. ``"disc"`` omits taps that are zero outside the disc
and computes depthwise gradients in strips. ``"fourier"`` uses the Fourier transform over the plane where a convolution
over the group keeps the size of the image. ``"auto"`` chooses the algorithm that should be fastest, which may be an
operator in C (``native``) or in Triton (``gpu``); the measurements are in ``docs/performance.md``. ``disc=True`` states
that a kernel is zero outside the disc i² + j² ≤ r²; the gradient of such a kernel must be used only inside the disc.

All algorithms agree up to rounding where all values are finite. A NaN or an infinity in a map spreads to different
pixels, because it also spreads through a zero of the kernel, and only some algorithms multiply by those: "direct" by
all taps, "disc" by those of the disc, and the Fourier transform spreads it over the whole map.

Every function checks its arguments before anything is computed. The error is a ``ValueError`` that names all shapes and
what is allowed; kernels have an odd side, and a stride or a padding is one number for both sides.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv3d, linear, max_pool2d

from gcnn_impl import gpu, native
from gcnn_impl.calibration import fourier_pays
from gcnn_impl.checks import ALGORITHMS, Signature, check_axes, check_choice, check_integer, described
from gcnn_impl.checks import Algorithm as Algorithm
from gcnn_impl.depthwise import autocast, depthwise_conv2d
from gcnn_impl.fourier import Offsets, fourier_conv2d, square
from gcnn_impl.gpu.depthwise import depthwise
from gcnn_impl.irreps import Irreps
from gcnn_impl.lifting import lift_images
from gcnn_impl.native import fourier_conv, irreps_mix, operators
from gcnn_impl.pointwise import conv2d
from gcnn_impl.rectifying import rectify
from gcnn_impl.watching import is_exporting

_MAP, _INPUT = ("B", "C_o", "|H_out|", "H", "W"), ("B", "C_i", "|H_in|", "H", "W")
_GROUP_KERNEL, _BIAS = ("C_o", "|H_out|", "C_i", "|H_in|"), ("C_o",)
_SPATIAL_KERNEL: tuple[str, ...] = ("C_o", "|H_out|", "k", "k")


def _signature(function: str, side: str = "k", **axes: tuple[str, ...]) -> Signature:
    return Signature(function, axes, side)


_LIFT = _signature("lift_conv2d", x=("B", "C_i", "H", "W"), kernel=("C_o", "|H|", "C_i", "k", "k"), bias=_BIAS)
_GROUP = _signature("group_conv2d", x=_INPUT, kernel=(*_GROUP_KERNEL, "k", "k"), bias=_BIAS)
_DISC = _signature(
    "disc_group_conv2d",
    side="k − 2",
    x=_INPUT,
    inner=(*_GROUP_KERNEL, "k − 2", "k − 2"),
    vertical=(*_GROUP_KERNEL, "2", "1"),
    horizontal=(*_GROUP_KERNEL, "1", "2"),
    bias=_BIAS,
)
_MIX = _signature("group_mix", x=_INPUT, kernel=_GROUP_KERNEL)
_FOURIER_MIX = _signature("fourier_group_mix", x=_INPUT, spectrum=("values",))
_DEPTHWISE = _signature(
    "depthwise_group_conv2d",
    x=("B", "C_o", "|H_in|", "H", "W"),
    kernel=("C_o", "|H_out|", "1", "|H_in|", "k", "k"),
    bias=_BIAS,
)
_SPATIAL = _signature("spatial_conv2d", x=_MAP, kernel=_SPATIAL_KERNEL, bias=_BIAS)
_SEPARABLE = _signature(
    "separable_group_conv2d", x=_INPUT, group_kernel=_GROUP_KERNEL, spatial_kernel=_SPATIAL_KERNEL, bias=_BIAS
)
_FULLY_SEPARABLE = _signature(
    "fully_separable_conv2d",
    x=("B", "C_i", "R_in·S_in", "H", "W"),
    rotation_kernel=("C_o", "R_out", "C_i", "R_in"),
    scale_kernel=("C_o", "S_out", "1", "S_in"),
    spatial_kernel=("C_o", "R_out·S_out", "k", "k"),
    bias=_BIAS,
)
_CHANNEL_MIX = _signature("channel_mix", x=("B", "C_i", "|H|", "H", "W"), weight=("C_o", "C_i"))
_COMPOSE = _signature("compose_kernels", group_kernel=_GROUP_KERNEL, spatial_kernel=_SPATIAL_KERNEL)


def _images(x: Tensor) -> Tensor:
    """Lay a map out as (B, C, |H|, H, W) → (B, H, W, |H|·C), contiguous: a view where the map is group-major."""
    return x.permute(0, 3, 4, 2, 1).flatten(3).contiguous()  # by operations that vmap supports


def flatten_group(x: Tensor) -> Tensor:
    """Put the group axis into the channels, (B, C, |H|, H, W) → (B, |H|·C, H, W), channels-last."""
    check_axes("x", x, *_INPUT)
    return _images(x).permute(0, 3, 1, 2)


def unflatten_group(x: Tensor, resolution: int) -> Tensor:
    """Take the group axis out of the channels, (B, |H|·C, H, W) → (B, C, |H|, H, W).

    >>> unflatten_group(torch.zeros(2, 4 * 3, 5, 5), resolution=4).shape
    torch.Size([2, 3, 4, 5, 5])
    """
    check_axes("x", x, "B", "|H|·C", "H", "W")
    if x.shape[1] % check_integer("resolution", resolution, 1):
        raise ValueError(f"resolution must divide the {x.shape[1]} channels of x, not {resolution}")
    return _unflatten(x, resolution)


def _unflatten(x: Tensor, resolution: int) -> Tensor:
    """Compute ``unflatten_group``; where ``torch.jit`` traces, a size is a tensor, which a check would refuse."""
    return _ordinary(x.unflatten(1, (resolution, -1)).transpose(1, 2))


def _ordinary(y: Tensor) -> Tensor:
    """Return a result that can be changed in place: torch refuses this for a view that was made without gradients."""
    return y if torch.is_grad_enabled() else y.detach()


def _maps(images: Tensor, resolution: int) -> Tensor:
    """Return the map of images, (B, H, W, |H|·C) → (B, C, |H|, H, W)."""
    return _unflatten(images.permute(0, 3, 1, 2), resolution)


def _group_bias(bias: Tensor | None, resolution: int) -> Tensor | None:
    if bias is None:
        return None
    if torch.compiler.is_compiling():  # torch 2.11 cannot compile a convolution whose bias is a view
        return bias.repeat(resolution)
    return bias.expand(resolution, -1).flatten()  # (|H_out|·C_o,); `repeat` is slower


def lift_conv2d(
    x: Tensor,
    kernel: Tensor,
    *,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    relu: bool = False,
    residual: Tensor | None = None,
) -> Tensor:
    """Lift an image to the group, y_o(x, h) = Σ_i Σ_x' f_i(x') k_oi(h⁻¹(x' − x)).

    Image (B, C_i, H, W) and kernel (C_o, |H|, C_i, k, k) → map (B, C_o, |H|, H', W').

    >>> lift_conv2d(torch.zeros(2, 3, 9, 9), torch.zeros(5, 8, 3, 7, 7), padding=3).shape
    torch.Size([2, 5, 8, 9, 9])
    """
    stride, padding = _LIFT.check(x, kernel, bias, stride=stride, padding=padding)
    resolution = kernel.shape[1]
    # (|H|·C_o, C_i, k, k); contiguous, because torch 2.15 has no float64 gradient of a single strided filter
    weight = kernel.transpose(0, 1).flatten(0, 1).contiguous()
    images = x.permute(0, 2, 3, 1).contiguous()  # channels-last, by operations that vmap supports
    if x.shape[1] == 1:  # a stride of 1, without which torch takes gray images, and so the map, as channels-first
        images = images.squeeze(3).unsqueeze(3)
    x = images.permute(0, 3, 1, 2)
    y = _unflatten(lift_images(x, weight, _group_bias(bias, resolution), stride, padding), resolution)
    return rectify(y, relu, residual)


def group_major_kernel(kernel: Tensor) -> Tensor:
    """Lay a kernel (C_o, |H_out|, …) out in memory so that ``lift_conv2d`` needs no copy."""
    _check_layout(kernel)
    return kernel.transpose(0, 1).contiguous().transpose(0, 1)


def _check_layout(kernel: Tensor) -> None:
    if not isinstance(kernel, Tensor) or kernel.dim() < 2:
        raise ValueError(f"kernel must be a tensor (C_o, |H_out|, …), not {described(kernel)}")


def depthwise_kernel(kernel: Tensor) -> Tensor:
    """Lay a kernel (C_o, |H_out|, k, k) out in memory so that ``spatial_conv2d`` needs no copy."""
    check_axes("kernel", kernel, *_SPATIAL_KERNEL)
    if gpu.takes(kernel):
        return kernel.permute(2, 3, 1, 0).contiguous().permute(3, 2, 0, 1)
    return group_major_kernel(kernel)


def channels_last_kernel(kernel: Tensor) -> Tensor:
    """Lay a kernel (C_o, |H_out|, C_i, |H_in|[, k, k]) out in memory so that ``group_conv2d`` needs no copy."""
    _check_layout(kernel)
    if kernel.dim() == 4:
        return kernel.permute(1, 0, 3, 2).contiguous().permute(1, 0, 3, 2)
    check_axes("kernel", kernel, *_GROUP.axes["kernel"])
    return kernel.permute(1, 0, 4, 5, 3, 2).contiguous().permute(1, 0, 5, 4, 2, 3)


def _weight(kernel: Tensor) -> Tensor:
    """Reshape a kernel, (C_o, |H_out|, C_i, |H_in|, k, k) → (|H_out|·C_o, |H_in|·C_i, k, k), channels-last."""
    weight = kernel.permute(1, 0, 4, 5, 3, 2)  # (|H_out|, C_o, k, k, |H_in|, C_i)
    return weight.flatten(4, 5).flatten(0, 1).permute(0, 3, 1, 2)


def group_conv2d(
    x: Tensor,
    kernel: Tensor,
    *,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    algorithm: Algorithm = "auto",
    relu: bool = False,
    residual: Tensor | None = None,
) -> Tensor:
    """Convolve over the group and the plane, y_o(x, h) = Σ_i Σ_h' Σ_x' f_i(x', h') k_oi(h⁻¹(x' − x), h⁻¹h').

    Map (B, C_i, |H_in|, H, W) and kernel (C_o, |H_out|, C_i, |H_in|, k, k) → map (B, C_o, |H_out|, H', W').

    >>> group_conv2d(torch.zeros(2, 3, 8, 9, 9), torch.zeros(5, 8, 3, 8, 7, 7), padding=3).shape
    torch.Size([2, 5, 8, 9, 9])
    """
    stride, padding = _GROUP.check(x, kernel, bias, stride=stride, padding=padding)
    check_choice("algorithm", algorithm, ALGORITHMS)
    resolution, size = kernel.shape[1], kernel.shape[-1]
    x, weight, bias = flatten_group(x), _weight(kernel), _group_bias(bias, kernel.shape[1])
    same = stride == 1 and padding == size // 2
    if same and size > 1 and _through_fourier(x, len(weight), size * size, size // 2, algorithm):
        y = _fourier_conv2d(x, _taps(kernel), square(size // 2), bias)
    else:
        y = conv2d(x, weight, bias, stride, padding)
    return rectify(_unflatten(y, resolution), relu, residual)


def _through_fourier(x: Tensor, out_maps: int, taps: int, radius: int, algorithm: Algorithm) -> bool:
    """Return whether to convolve x (B, |H_in|·C_i, H, W) by the Fourier transform; for "auto", if that is faster."""
    device = x.device.type
    if algorithm not in ("auto", "fourier") or x.dtype not in (torch.float32, torch.float64):
        return False
    if device != "meta" and torch.is_autocast_enabled(device):
        return False
    if algorithm == "fourier":
        return True
    if device != "cpu" or is_exporting():  # measured on CPUs alone; an exported program serves any batch
        return False
    batch, in_maps, height, width = x.shape
    return fourier_pays(batch, height, width, in_maps, out_maps, taps, radius, native.takes(x))


def _fourier_conv2d(x: Tensor, taps: Tensor, offsets: Offsets, bias: Tensor | None) -> Tensor:
    if native.takes(x, taps, bias):
        return fourier_conv.convolve(x, taps, offsets, bias)
    return fourier_conv2d(x, taps, offsets, bias)


def _taps(kernel: Tensor) -> Tensor:
    """Reshape a kernel, (C_o, |H_out|, C_i, |H_in|, k, l) → (k·l, |H_out|·C_o, |H_in|·C_i)."""
    return kernel.permute(4, 5, 1, 0, 3, 2).flatten(4, 5).flatten(2, 3).flatten(0, 1)


def disc_group_conv2d(
    x: Tensor,
    inner: Tensor,
    vertical: Tensor,
    horizontal: Tensor,
    *,
    bias: Tensor | None = None,
    stride: int = 1,
    algorithm: Algorithm = "auto",
    relu: bool = False,
    residual: Tensor | None = None,
) -> Tensor:
    """Convolve as ``group_conv2d`` with padding k // 2, for a kernel that is zero outside the disc; skip zero taps.

    Each outermost row and column of the disc has one tap, a tip. The four tips are applied as two dilated convolutions
    of two taps, and the inner square as a convolution of size k − 2. This takes 29 taps instead of 49 at k = 7, and 13
    instead of 25 at k = 5.

    Args:
        x: map on the group, shape (B, C_i, |H_in|, H, W); the result has the shape (B, C_o, |H_out|, H', W').
        inner: the kernel without its outermost rows and columns, shape (C_o, |H_out|, C_i, |H_in|, k − 2, k − 2).
        vertical: the top and the bottom tip of the kernel, shape (C_o, |H_out|, C_i, |H_in|, 2, 1).
        horizontal: the left and the right tip of the kernel, shape (C_o, |H_out|, C_i, |H_in|, 1, 2).
    """
    r = inner.shape[-1] // 2 + 1 if isinstance(inner, Tensor) and inner.dim() else 1
    stride, _ = _DISC.check(x, inner, vertical, horizontal, bias, stride=stride, padding=r)
    resolution = inner.shape[1]
    check_choice("algorithm", algorithm, ALGORITHMS)
    x, bias = flatten_group(x), _group_bias(bias, inner.shape[1])
    out_maps, taps = resolution * len(inner), inner.shape[-1] ** 2 + 4
    if stride == 1 and _through_fourier(x, out_maps, taps, r, algorithm):
        first, last = (torch.cat([_taps(vertical)[i : i + 1], _taps(horizontal)[i : i + 1]]) for i in (0, 1))
        kernel = torch.cat([first, _taps(inner), last.flip(0)])  # taps t and T − 1 − t are opposite
        offsets = ((-r, 0), (0, -r), *square(r - 1), (0, r), (r, 0))
        y = _fourier_conv2d(x, kernel, offsets, bias)
    else:
        y = conv2d(x, _weight(inner), bias, stride, r - 1)
        y += conv2d(x, _weight(vertical), None, stride, (r, 0), (2 * r, 1))  # in place: a new map costs page faults
        y += conv2d(x, _weight(horizontal), None, stride, (0, r), (1, 2 * r))
    return rectify(_unflatten(y, resolution), relu, residual)


def group_mix(x: Tensor, kernel: Tensor, *, algorithm: Algorithm = "direct") -> Tensor:
    """Convolve over H alone, the first part of a separable convolution: y_o(x, h) = Σ_i Σ_h' f_i(x, h') k_oi(h⁻¹h').

    Map (B, C_i, |H_in|, H, W) and kernel (C_o, |H_out|, C_i, |H_in|) → map (B, C_o, |H_out|, H, W).
    """
    _MIX.check(x, kernel)
    check_choice("algorithm", algorithm, ALGORITHMS)
    if algorithm == "auto" and native.takes(x, kernel):
        return operators.group_mix(x, kernel, group_mix)
    x, kernel, _ = autocast(x, kernel, None)
    if algorithm == "auto" and gpu.takes(x, kernel):
        weight = kernel.permute(1, 0, 3, 2).flatten(2).flatten(0, 1)  # (|H_out|·C_o, |H_in|·C_i)
        return _maps(linear(_images(x), weight), kernel.shape[1])
    return group_conv2d(x, kernel[..., None, None], algorithm="direct")


def fourier_group_mix(x: Tensor, spectrum: Tensor, irreps: Irreps) -> Tensor:
    """Compute ``group_mix`` with the spectrum of a kernel, by the Fourier transform over H.

    Map (B, C_i, |H|, H, W) and spectrum (n·C_i·C_o,), as ``Irreps.spectrum`` returns it → map (B, C_o, |H|, H, W).
    The transform is an operator in C; where this cannot be used, the kernel is taken back from its spectrum.
    """
    _FOURIER_MIX.check(x, spectrum)
    values = irreps.values * x.shape[1]
    out_channels, rest = len(spectrum) // values, len(spectrum) % values  # `divmod` does not take symbols
    if rest or x.shape[2] != irreps.resolution:
        raise ValueError(
            f"fourier_group_mix takes x (B, C_i, {irreps.resolution}, H, W) and a spectrum of {irreps.values}·C_i·C_o "
            f"values, not {tuple(x.shape)} and {tuple(spectrum.shape)}"
        )

    def reference(x: Tensor, spectrum: Tensor) -> Tensor:
        return group_mix(x, irreps.kernel(spectrum, x.shape[1], out_channels))

    if native.takes(x, spectrum):
        return irreps_mix.group_mix(x, spectrum, irreps, out_channels, reference)
    return reference(x, spectrum)


def depthwise_group_conv2d(
    x: Tensor,
    kernel: Tensor,
    *,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    relu: bool = False,
    residual: Tensor | None = None,
) -> Tensor:
    """Convolve each channel alone over H and the plane, y_o(x, h) = Σ_h' Σ_x' f_o(x', h') k_o(h⁻¹(x' − x), h⁻¹h').

    Map (B, C, |H_in|, H, W) and kernel (C, |H_out|, 1, |H_in|, k, k) → map (B, C, |H_out|, H', W').
    """
    stride, padding = _DEPTHWISE.check(x, kernel, bias, stride=stride, padding=padding)
    weight = kernel.flatten(2, 3).flatten(0, 1)  # (C·|H_out|, |H_in|, k, k): the elements of a channel are adjacent
    if bias is not None and torch.compiler.is_compiling():  # as in ``_group_bias``
        bias = bias[torch.arange(len(weight), device=x.device) // kernel.shape[1]]
    elif bias is not None:
        bias = bias.repeat_interleave(kernel.shape[1])
    y = conv2d(x.flatten(1, 2), weight, bias, stride, padding, groups=len(kernel))
    return rectify(_ordinary(y.unflatten(1, kernel.shape[:2])), relu, residual)


def spatial_conv2d(
    x: Tensor,
    kernel: Tensor,
    *,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    disc: bool = False,
    algorithm: Algorithm = "auto",
    relu: bool = False,
    residual: Tensor | None = None,
) -> Tensor:
    """Convolve each channel and group element alone over the plane, y_o(x, h) = Σ_x' f_o(x', h) k_o(h⁻¹(x' − x)).

    Map (B, C_o, |H|, H, W) and kernel (C_o, |H|, k, k) → map (B, C_o, |H|, H', W').
    """
    stride, padding = _SPATIAL.check(x, kernel, bias, stride=stride, padding=padding)
    check_choice("algorithm", algorithm, ALGORITHMS)
    size, resolution = kernel.shape[-1], kernel.shape[1]
    fits = padding < size <= min(x.shape[-2:]) + 2 * padding
    ours = algorithm == "auto" and stride == 1 and fits
    if ours and native.takes(x, kernel, bias, residual):

        def reference(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
            return spatial_conv2d(x, kernel, bias=bias, padding=padding, disc=disc, algorithm="disc")

        return operators.spatial_conv2d(x, kernel, bias, padding, disc, relu, residual, reference)
    x, kernel, bias = autocast(x, kernel, bias)
    if ours and gpu.takes(x, kernel, bias):
        weight = kernel.permute(2, 3, 1, 0).flatten(2).contiguous()  # (k, k, |H|·C_o)
        return rectify(_maps(depthwise(_images(x), weight, bias, padding, disc), resolution), relu, residual)
    x, bias = flatten_group(x), _group_bias(bias, resolution)
    weight = kernel.transpose(0, 1).flatten(0, 1)[:, None]  # (|H|·C_o, 1, k, k)
    if algorithm == "direct":
        y = conv2d(x, weight, bias, stride, padding, groups=len(weight))
    else:
        y = depthwise_conv2d(x, weight, bias, stride, padding, disc)
    return rectify(_unflatten(y, resolution), relu, residual)


def separable_group_conv2d(
    x: Tensor,
    group_kernel: Tensor,
    spatial_kernel: Tensor,
    *,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    disc: bool = False,
    algorithm: Algorithm = "auto",
    relu: bool = False,
    residual: Tensor | None = None,
) -> Tensor:
    """Convolve with k_oi(x, h) = k^H_oi(h) · k^{R²}_o(x), first over H, then over the plane.

    Args:
        x: map on the group, shape (B, C_i, |H_in|, H, W); the result has the shape (B, C_o, |H_out|, H', W').
        group_kernel: shape (C_o, |H_out|, C_i, |H_in|).
        spatial_kernel: shape (C_o, |H_out|, k, k).
    """
    tensors = isinstance(group_kernel, Tensor) and isinstance(spatial_kernel, Tensor)
    if not tensors or group_kernel.shape[:2] != spatial_kernel.shape[:2]:  # both functions below check the rest
        _SEPARABLE.check(x, group_kernel, spatial_kernel, bias, stride=stride, padding=padding)
    x = group_mix(x, group_kernel, algorithm=algorithm)
    options: dict[str, Any] = {"stride": stride, "padding": padding, "disc": disc, "algorithm": algorithm}
    return spatial_conv2d(x, spatial_kernel, bias=bias, relu=relu, residual=residual, **options)


def fully_separable_conv2d(
    x: Tensor,
    rotation_kernel: Tensor,
    scale_kernel: Tensor,
    spatial_kernel: Tensor,
    *,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    disc: bool = False,
    algorithm: Algorithm = "auto",
    relu: bool = False,
    residual: Tensor | None = None,
) -> Tensor:
    """Convolve on Sim(2) with k_oi(x, θ, s) = k^Θ_oi(θ) · k^S_o(s) · k^{R²}_o(x).

    Args:
        x: map on the group, rotation-major, shape (B, C_i, R_in·S_in, H, W); the result (B, C_o, R_out·S_out, H', W').
        rotation_kernel: shape (C_o, R_out, C_i, R_in).
        scale_kernel: shape (C_o, S_out, 1, S_in).
        spatial_kernel: shape (C_o, R_out·S_out, k, k).
    """
    kernels = rotation_kernel, scale_kernel, spatial_kernel
    _FULLY_SEPARABLE.check(x, *kernels, bias, stride=stride, padding=padding)
    out_rotations, in_rotations = rotation_kernel.shape[1], rotation_kernel.shape[3]
    in_scales = scale_kernel.shape[3]
    x = x.unflatten(2, (in_rotations, in_scales))  # (B, C_i, R_in, S_in, H, W)
    x = group_mix(x.flatten(3, 4), rotation_kernel, algorithm=algorithm)  # (B, C_o, R_out, S_in·H, W)
    x = x.unflatten(3, (in_scales, -1)).transpose(2, 3).flatten(3, 4)  # (B, C_o, S_in, R_out·H, W)
    x = depthwise_group_conv2d(x, scale_kernel[..., None, None])  # (B, C_o, S_out, R_out·H, W)
    x = x.unflatten(3, (out_rotations, -1)).transpose(2, 3).flatten(2, 3)  # (B, C_o, R_out·S_out, H, W)
    options: dict[str, Any] = {"stride": stride, "padding": padding, "disc": disc, "algorithm": algorithm}
    return spatial_conv2d(x, spatial_kernel, bias=bias, relu=relu, residual=residual, **options)


def channel_mix(x: Tensor, weight: Tensor) -> Tensor:
    """Mix the channels, y_o = Σ_i w_oi f_i at every point; (B, C_i, |H|, H, W) and (C_o, C_i) → (B, C_o, |H|, H, W)."""
    _CHANNEL_MIX.check(x, weight)
    if is_exporting():  # the same in one operation that restricts neither height nor width
        return conv3d(x, weight[:, :, None, None, None])
    y = conv2d(x.flatten(2, 3), weight[:, :, None, None])  # (B, C_o, |H|·H, W)
    return _ordinary(y.unflatten(2, x.shape[2:4]))


def compose_kernels(group_kernel: Tensor, spatial_kernel: Tensor) -> Tensor:
    """Return the full kernel k_oi(x, h) of two factors.

    (C_o, |H_out|, C_i, |H_in|) and (C_o, |H_out|, k, k) → (C_o, |H_out|, C_i, |H_in|, k, k).
    """
    _COMPOSE.check(group_kernel, spatial_kernel)
    return group_kernel[..., None, None] * spatial_kernel[:, :, None, None]


def spatial_max_pool(x: Tensor) -> Tensor:
    """Halve height and width by maxima, (B, C, |H|, H, W) → (B, C, |H|, ⌈H/2⌉, ⌈W/2⌉).

    An even side is cut into pairs. An odd side is covered by windows of three around every other pixel: dropping the
    last row, as a plain 2×2 pooling does, would not commute with quarter turns.

    >>> spatial_max_pool(torch.zeros(1, 1, 4, 5, 6)).shape
    torch.Size([1, 1, 4, 3, 3])
    """
    check_axes("x", x, *_INPUT)
    if is_exporting():  # an exported program serves even and odd sides
        images = x.permute(0, 3, 4, 2, 1).contiguous()  # (B, H, W, |H|, C)
        return _pool_side(_pool_side(images, 2), 1).permute(0, 4, 3, 1, 2).contiguous()
    odd = [side % 2 for side in x.shape[-2:]]
    kernel = [3 if o else 2 for o in odd]
    y = max_pool2d(flatten_group(x), kernel, stride=2, padding=odd)
    return _unflatten(y, x.shape[2])


def _pool_side(x: Tensor, axis: int) -> Tensor:
    """Halve one side as ``spatial_max_pool`` does, by operations that are the same for even and odd sides."""
    side = x.shape[axis]
    middle = torch.arange(0, side, 2, device=x.device)
    places = (middle - side % 2).clamp_min(0), middle, (middle + 1).clamp_max(side - 1)
    first, second, third = (x.index_select(axis, place) for place in places)
    return first.maximum(second).maximum(third)


def project(x: Tensor) -> Tensor:
    """Take the maximum over H and the plane, (B, C, |H|, H, W) → (B, C): invariant features."""
    check_axes("x", x, *_INPUT)
    return x.amax(dim=(-3, -2, -1))
