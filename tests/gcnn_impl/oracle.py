"""The definitions of the group convolutions as explicit sums in float64 numpy: slow, sharing no code with gcnn_impl.

Group elements are 2×2 matrices here; composition is a matrix product and a logarithm is read off the matrix. From a
layer, only the learned weights are taken, by name.
"""

import itertools
import math
from collections.abc import Callable

import numpy as np

Kernel = Callable[..., np.ndarray]  # coordinates → (C_o, C_i)


def rotation(theta):
    return np.array([[math.cos(theta), -math.sin(theta)], [math.sin(theta), math.cos(theta)]])


def elements(name, *sizes, max_scale=2.0):
    """Return the grid of H as matrices, in the order of ``gcnn_impl.groups``."""
    if name == "trivial":
        return [np.eye(2)]
    if name == "SO2":
        return [rotation(2 * math.pi * i / sizes[0]) for i in range(sizes[0])]
    if name == "O2":
        return [
            rotation(2 * math.pi * i / sizes[0]) @ np.diag([1.0, sign]) for sign in (1, -1) for i in range(sizes[0])
        ]
    if name == "RPlus":
        return [np.eye(2) * max_scale ** (i / sizes[0]) for i in range(sizes[0])]
    if name == "SO2xRPlus":
        rotations, scales = elements("SO2", sizes[0]), elements("RPlus", sizes[1], max_scale=max_scale)
        return [r @ s for r in rotations for s in scales]
    raise ValueError(name)


def haar_weight(name, *sizes, max_scale=2.0):
    """Return the Haar weight of an element of an equispaced grid: dθ/2π, dθ/4π (O2), ds/s, or dθ/2π · ds/s."""
    if name in ("trivial",):
        return 1.0
    if name == "SO2":
        return 1 / sizes[0]
    if name == "O2":
        return 1 / (2 * sizes[0])
    if name == "RPlus":
        return math.log(max_scale) / sizes[0]
    return 1 / sizes[0] * math.log(max_scale) / sizes[1]


def log(name, matrix, max_scale=2.0):
    """Return the coordinates of a group element, scaled to [-1, 1]."""
    angle = math.atan2(matrix[1, 0], matrix[0, 0]) / math.pi
    if angle > 1 - 1e-9:
        angle = -1.0  # π and −π are one angle
    log_scale = 0.5 * math.log(abs(np.linalg.det(matrix))) / math.log(max_scale)
    sign = np.sign(np.linalg.det(matrix))
    return {
        "trivial": [],
        "SO2": [angle],
        "O2": [angle, sign],
        "RPlus": [log_scale],
        "SO2xRPlus": [angle, log_scale],
    }[name]


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def group_window(name, relative, max_scale=2.0):
    if name not in ("RPlus", "SO2xRPlus"):
        return 1.0
    distance = abs(0.5 * math.log(abs(np.linalg.det(relative)))) / math.log(max_scale)
    return sigmoid(10 * (0.5 - distance))


def siren(layer, factor, omega=10.0) -> Kernel:
    """Return the kernel net ``factor`` of a layer as a function of coordinates."""
    w = {key: p.detach().numpy().astype(np.float64) for key, p in getattr(layer, factor).net.named_parameters()}
    channels = getattr(layer, factor).out_channels, getattr(layer, factor).in_channels

    def kernel(coordinates):
        z = np.asarray(coordinates, dtype=np.float64)
        z = np.sin(omega * (w["weight_first"] @ z + w["bias_first"]))
        z = np.sin(omega * (w["weight_hidden"] @ z + w["bias_hidden"]))
        return (w["weight_last"] @ z + w["bias_last"]).reshape(channels)

    return kernel


def full_kernel(layer, variant: str) -> Kernel:
    """Return a layer's k_oi(p, r) without Haar weights and windows; p = h⁻¹u, r are the log coordinates of h⁻¹h'."""
    if variant == "lifting":
        k = siren(layer, "spatial_kernel")
        return lambda p, r: k(p)
    if variant == "full":
        k = siren(layer, "joint_kernel")
        return lambda p, r: k([*r, *p])
    if variant in ("separable", "gseparable"):
        k_h, k_x = siren(layer, "group_kernel"), siren(layer, "spatial_kernel")
        return lambda p, r: k_h(r) * k_x(p)
    if variant == "dseparable":
        w, k = layer.channel_weight.detach().numpy().astype(np.float64), siren(layer, "joint_kernel")
        return lambda p, r: w * k([*r, *p])
    if variant == "dgseparable":
        w = layer.channel_weight.detach().numpy().astype(np.float64)
        k_h, k_x = siren(layer, "group_kernel"), siren(layer, "spatial_kernel")
        return lambda p, r: w * k_h(r) * k_x(p)
    if variant == "separable2d":
        k_t, k_s, k_x = (siren(layer, f"{f}_kernel") for f in ("rotation", "scale", "spatial"))
        return lambda p, r: k_t(r[:1]) * k_s(r[1:]) * k_x(p)
    raise ValueError(variant)


def convolution(
    f, kernel: Kernel, name, out_elements, in_elements, haar, kernel_size, stride, padding, bias, max_scale=2.0
):
    """Return y_o(x, h) = b_o + Σ_i Σ_h' μ(h') Σ_u f_i(x + u, h') |det h|⁻¹ k_oi(h⁻¹u, log h⁻¹h').

    The sum over u runs over the taps of the kernel grid.

    Args:
        f: (B, C_i, |H_in|, H, W); a lifted image has |H_in| = 1, ``in_elements=[None]`` and ``haar=1``.
    """
    r = kernel_size // 2
    extent = max_scale if name in ("RPlus", "SO2xRPlus") else 1.0
    turns = name in ("SO2", "O2", "SO2xRPlus")
    values = None
    for (a, h), (b, g) in itertools.product(enumerate(out_elements), enumerate(in_elements)):
        relative = None if g is None else np.linalg.inv(h) @ g
        coordinates = [] if g is None else log(name, relative, max_scale)
        weight_h = 1.0 if g is None else haar * group_window(name, relative, max_scale)
        for i, j in itertools.product(range(-r, r + 1), repeat=2):  # row offset (down), column offset (right)
            if turns and i * i + j * j > r * r:
                continue
            point = np.linalg.inv(h) @ (np.array([j, -i]) / max(r, 1) * extent)
            value = kernel(point, coordinates) * weight_h / abs(np.linalg.det(h))  # (C_o, C_i)
            if extent > 1:
                value = value * sigmoid(10 * (1 - np.hypot(*point)))
            if values is None:
                out, in_ = value.shape
                values = np.zeros((out, len(out_elements), in_, len(in_elements), kernel_size, kernel_size))
            values[:, a, :, b, r + i, r + j] = value
    return correlation(f, values, stride, padding, bias)


def correlation(f, kernel, stride=1, padding=0, bias=None):
    """Return y_o(x, h) = b_o + Σ_i Σ_h' Σ_u f_i(stride·x + u − padding, h') k_oi(u, h, h'), with zeros outside of f.

    Map (B, C_i, |H_in|, H, W) and kernel (C_o, |H_out|, C_i, |H_in|, k, k) → map (B, C_o, |H_out|, H', W').
    """
    k = kernel.shape[-1]
    rows, columns = ((side + 2 * padding - k) // stride + 1 for side in f.shape[-2:])
    f = np.pad(f, [(0, 0)] * 3 + [(padding, padding)] * 2)
    y = np.zeros((len(f), *kernel.shape[:2], rows, columns))
    for i, j in itertools.product(range(k), repeat=2):
        shifted = f[..., i : i + stride * rows : stride, j : j + stride * columns : stride][..., :rows, :columns]
        y += np.einsum("bigyx,ohig->bohyx", shifted, kernel[..., i, j], optimize=True)
    return y if bias is None else y + bias[None, :, None, None, None]
