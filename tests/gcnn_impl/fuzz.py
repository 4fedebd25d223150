"""Draw calls of layers, functions and operators, right and wrong ones, and compare every algorithm with the definition.

A draw depends on its seed alone. ``python tests/gcnn_impl/fuzz.py --draws 1000`` runs draws, without pytest, so that
a sanitizer can watch them; a failing draw is repeated by ``--first SEED --draws 1``.
"""

import argparse
import collections
import random
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import oracle
import torch
from torch import Tensor

from gcnn_impl import (
    CONVOLUTIONS,
    O2,
    SO2,
    LiftingConv2d,
    RPlus,
    SO2xRPlus,
    Trivial,
    functional,
    irreps,
    native,
)
from gcnn_impl.kernels import disc_taps
from gcnn_impl.layers import GroupBatchNorm2d
from gcnn_impl.layers.folding import conv_norm_relu

ALGORITHMS = ("auto", "disc", "fourier", "direct")
# Rounding, relative to the sum of the absolute values of all terms.
TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}
# Multiply–accumulates of a drawn call for one sample: the definition computes all of them in numpy.
LARGEST_DRAW = 5e7
# A value this near to the corner of a ReLU may fall on its other side in float32.
CORNER = 1e-4
USUAL_BOUND = irreps.FEWEST_ELEMENTS, irreps.FEWEST_MAPS
Draw = random.Random


def laid_out(rng: Draw, x: Tensor) -> Tensor:
    """Return the values of a tensor in one of the layouts in memory that callers have."""
    order = list(range(x.dim()))
    kind = rng.randrange(5)
    if kind == 0:
        return x
    if kind == 1:  # every other value of a larger tensor
        return torch.stack([x, x], dim=-1)[..., 0]
    if kind == 2 and x.dim() == 5:  # group-major, as the layers return maps
        return x.permute(0, 3, 4, 2, 1).contiguous().permute(0, 4, 3, 1, 2)
    if kind == 3 and x.dim() and len(x):  # the same values for the whole of the first axis
        return x[:1].expand_as(x)
    rng.shuffle(order)
    return x.permute(order).contiguous().permute([order.index(axis) for axis in range(x.dim())])


def side(rng: Draw) -> int:
    return rng.choice([1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 28])


def size(rng: Draw) -> int:
    return rng.choice([1, 1, 2, 3, 4, 5, 7, 8, 11, 16, 17])


def masked(kernel: Tensor, disc: bool) -> Tensor:
    k = kernel.shape[-1]
    return kernel * disc_taps(k).reshape(k, k) if disc else kernel


def diagonal(kernel: np.ndarray) -> np.ndarray:
    """Return the full kernel of one that acts on every channel alone, (C, |H_out|, |H_in|, k, k)."""
    full = np.zeros((len(kernel), kernel.shape[1], len(kernel), *kernel.shape[2:]))
    for channel, values in enumerate(kernel):
        full[channel, :, channel] = values
    return full


def draw_call(rng: Draw) -> tuple[Callable[..., Tensor], dict[str, Tensor], dict[str, Any], Callable[..., np.ndarray]]:
    """Return a function, its tensors, its other options, and the full kernel of its tensors."""
    while True:
        batch, c_in, c_out = rng.choice([0, 1, 1, 2, 3]), size(rng), size(rng)
        h_in, h_out = rng.choice([1, 2, 3, 4, 8]), rng.choice([1, 2, 3, 4, 8])
        k = rng.choice([1, 3, 3, 5, 5, 7, 9])
        height, width = side(rng), side(rng)
        if c_in * c_out * h_in * h_out * k * k * height * width <= LARGEST_DRAW:
            break
    padding = rng.choice([0, k // 2, k // 2, k - 1, k + 1])
    padding = max(padding, (k - min(height, width) + 1) // 2)
    stride, disc = rng.choice([1, 1, 1, 2, 3]), rng.random() < 0.5
    bias = {"bias": torch.randn(c_out)} if rng.random() < 0.5 else {}
    geometry: dict[str, Any] = {"stride": stride, "padding": padding}
    x = torch.randn(batch, c_in, h_in, height, width)
    function = rng.choice(
        ["lift", "group", "disc", "mix", "depthwise", "spatial", "spatial", "separable", "fully", "channel"]
    )
    if function == "lift":
        tensors = {"x": x[:, :, 0], "kernel": torch.randn(c_out, h_out, c_in, k, k)}
        return functional.lift_conv2d, {**tensors, **bias}, geometry, lambda x, kernel: kernel[:, :, :, None]
    if function == "group":
        tensors = {"x": x, "kernel": torch.randn(c_out, h_out, c_in, h_in, k, k)}
        return functional.group_conv2d, {**tensors, **bias}, geometry, lambda x, kernel: kernel
    if function == "disc":
        k = max(k, 3)
        shape = c_out, h_out, c_in, h_in
        tensors = {
            "x": x,
            "inner": torch.randn(*shape, k - 2, k - 2),
            "vertical": torch.randn(*shape, 2, 1),
            "horizontal": torch.randn(*shape, 1, 2),
        }

        def composed(x, inner, vertical, horizontal):  # type: ignore[no-untyped-def]
            full = np.pad(inner, [(0, 0)] * 4 + [(1, 1)] * 2)
            full[..., 0, k // 2], full[..., -1, k // 2] = vertical[..., 0, 0], vertical[..., 1, 0]
            full[..., k // 2, 0], full[..., k // 2, -1] = horizontal[..., 0, 0], horizontal[..., 0, 1]
            return full

        return functional.disc_group_conv2d, {**tensors, **bias}, {"stride": stride, "padding": k // 2}, composed
    if function == "mix":
        tensors = {"x": x, "kernel": torch.randn(c_out, h_out, c_in, h_in)}
        return functional.group_mix, tensors, {}, lambda x, kernel: kernel[..., None, None]
    if function == "channel":
        tensors = {"x": x, "weight": torch.randn(c_out, c_in)}
        eye = np.eye(h_in)
        return (
            functional.channel_mix,
            tensors,
            {},
            lambda x, weight: np.einsum("oi,hg->ohig", weight, eye)[..., None, None],
        )
    over_channels = torch.randn(batch, c_out, h_in, height, width)
    if function == "depthwise":
        tensors = {"x": over_channels, "kernel": torch.randn(c_out, h_out, 1, h_in, k, k)}
        return (
            functional.depthwise_group_conv2d,
            {**tensors, **bias},
            geometry,
            lambda x, kernel: diagonal(kernel[:, :, 0]),
        )
    options = {**geometry, "disc": disc}
    if function == "spatial":
        tensors = {"x": over_channels, "kernel": masked(torch.randn(c_out, h_in, k, k), disc)}
        eye = np.eye(h_in)
        return (
            functional.spatial_conv2d,
            {**tensors, **bias},
            options,
            lambda x, kernel: diagonal(np.einsum("ohyx,hg->ohgyx", kernel, eye)),
        )
    spatial = masked(torch.randn(c_out, h_out, k, k), disc)
    if function == "separable":
        tensors = {"x": x, "group_kernel": torch.randn(c_out, h_out, c_in, h_in), "spatial_kernel": spatial}

        def product(x, group_kernel, spatial_kernel):  # type: ignore[no-untyped-def]
            return group_kernel[..., None, None] * spatial_kernel[:, :, None, None]

        return functional.separable_group_conv2d, {**tensors, **bias}, options, product
    scales_in, scales_out = rng.choice([1, 2, 3]), rng.choice([1, 2, 3])
    tensors = {
        "x": torch.randn(batch, c_in, h_in * scales_in, height, width),
        "rotation_kernel": torch.randn(c_out, h_out, c_in, h_in),
        "scale_kernel": torch.randn(c_out, scales_out, 1, scales_in),
        "spatial_kernel": masked(torch.randn(c_out, h_out * scales_out, k, k), disc),
    }

    def threefold(x, rotation, scale, spatial):  # type: ignore[no-untyped-def]
        over_group = np.einsum("oaib,ocd->oacibd", rotation, scale[:, :, 0])
        full = over_group.reshape(c_out, h_out * scales_out, c_in, h_in * scales_in)
        return full[..., None, None] * spatial[:, :, None, None]

    return functional.fully_separable_conv2d, {**tensors, **bias}, options, threefold


def outcomes(
    function: Callable[..., Tensor], tensors: dict[str, Tensor], options: dict[str, Any]
) -> dict[str, Tensor | Exception]:
    """Call a function with every algorithm that it takes, and return the results and errors."""
    if function is functional.disc_group_conv2d:
        options = {name: value for name, value in options.items() if name != "padding"}
    takes = "algorithm" in function.__kwdefaults__ if function.__kwdefaults__ else False
    found: dict[str, Tensor | Exception] = {}
    positional = [value for name, value in tensors.items() if name != "bias"]
    named = {name: value for name, value in tensors.items() if name == "bias"}
    for algorithm in ALGORITHMS if takes else ("direct",):
        chosen = {"algorithm": algorithm} if takes else {}
        try:
            found[algorithm] = function(*positional, **named, **options, **chosen)
        except Exception as error:
            found[algorithm] = error
    return found


def try_function(rng: Draw) -> str:
    """Compare a valid call with the definition, and its gradients with those of "direct" in float64."""
    function, tensors, options, full = draw_call(rng)
    dtype = rng.choice([torch.float32, torch.float32, torch.float32, torch.float64])
    doubles = {name: tensor.double() for name, tensor in tensors.items()}
    tensors = {name: laid_out(rng, tensor.to(dtype)) for name, tensor in tensors.items()}
    doubles = {name: tensors[name].double() for name in doubles}
    watched = rng.random() < 0.6
    for name in tensors:
        wanted = watched and rng.random() < 0.7
        tensors[name] = tensors[name].detach().requires_grad_(wanted)
        doubles[name] = doubles[name].detach().requires_grad_(wanted)
    arrays = {name: tensor.detach().numpy() for name, tensor in doubles.items()}
    bias = arrays.pop("bias", None)
    x = arrays["x"] if arrays["x"].ndim == 5 else arrays["x"][:, :, None]
    kernel, geometry = (
        full(*arrays.values()),
        {key: options.get(key, base) for key, base in [("stride", 1), ("padding", 0)]},
    )
    expected = torch.from_numpy(oracle.correlation(x, kernel, **geometry, bias=bias))
    extent = oracle.correlation(abs(x), abs(kernel), **geometry, bias=None if bias is None else abs(bias))
    scale = extent.max() if extent.size else 0.0
    wanted = [name for name in tensors if tensors[name].requires_grad]
    cotangent = torch.randn(expected.shape, dtype=torch.float64)
    reference = outcomes(function, doubles, options)["direct"]
    assert isinstance(reference, Tensor), reference
    of_reference = torch.autograd.grad(reference, [doubles[name] for name in wanted], cotangent) if wanted else ()
    for algorithm, y in outcomes(function, tensors, options).items():
        assert isinstance(y, Tensor), (algorithm, y)
        assert (y.shape, y.dtype) == (expected.shape, dtype), algorithm
        assert not y.numel() or (y.double() - expected).abs().max() <= TOLERANCE[dtype] * scale, algorithm
        gradients = torch.autograd.grad(y, [tensors[name] for name in wanted], cotangent.to(dtype)) if wanted else ()
        for name, actual, of_name in zip(wanted, gradients, of_reference, strict=True):
            assert actual.shape == of_name.shape, (algorithm, name)
            if options.get("disc") and name in ("kernel", "spatial_kernel") and actual.shape[-1] > 1:
                actual, of_name = masked(actual, True), masked(of_name, True)
            error, norm = (actual.double() - of_name).norm(), of_name.norm()
            bound = (
                10 * TOLERANCE[dtype] * (norm + cotangent.norm() * tensors["x"].detach().abs().double().sum().sqrt())
            )
            assert error <= bound, (algorithm, name, float(error), float(norm))
    with torch.no_grad():
        result = outcomes(function, {name: t.detach() for name, t in tensors.items()}, options)
        y = result.get("auto", result["direct"])
        assert isinstance(y, Tensor)
    y += 1  # results are ordinary tensors
    return f"function {function.__name__}"


def spoiled(rng: Draw, tensors: dict[str, Tensor], options: dict[str, Any]) -> None:
    """Change one thing of a call, which mostly makes it a wrong one."""
    name = rng.choice([*tensors, *options])
    if name in options:
        options[name] = rng.choice([-1, 0, 1.5, True, "1", None, (1, 1), 40, np.int64(1), float("nan")])
        return
    shape = list(tensors[name].shape)
    axis = rng.randrange(len(shape))
    kind = rng.randrange(6)
    if kind < 3:
        shape[axis] = rng.choice([0, 1, 2, shape[axis] + 1, max(shape[axis] - 1, 0), shape[axis] * 2])
        tensors[name] = torch.randn(shape)
    elif kind == 3:
        tensors[name] = torch.randn([*shape[:axis], *shape[axis + 1 :]])
    elif kind == 4:
        tensors[name] = torch.randn([*shape[:axis], 1, *shape[axis:]])
    else:
        tensors[name] = tensors[name].to(rng.choice([torch.float64, torch.int64, torch.complex64, torch.bfloat16]))


def try_wrong_call(rng: Draw) -> str:
    """Assert that all algorithms refuse a wrong call with a ``ValueError``, or agree if the call is right after all."""
    function, tensors, options, _ = draw_call(rng)
    spoiled(rng, tensors, options)
    if "disc" in options:  # kernels are not always zero outside the disc here
        options["disc"] = False
    found = outcomes(function, tensors, options)
    errors = [type(result) for result in found.values() if isinstance(result, Exception)]
    assert set(errors) <= {ValueError}, found
    assert len(errors) in (0, len(found)), found
    results = [result.double() for result in found.values() if isinstance(result, Tensor)]
    for result in results:
        assert result.shape == results[-1].shape
        assert not result.numel() or (result - results[-1]).abs().max() <= 1e-3 * (results[-1].abs().max() + 1)
    return "wrong call" if errors else "right call after all"


def try_operator(rng: Draw) -> str:
    """Assert that an operator in C called with any tensors returns or raises an error, and does not crash."""
    axes = [rng.choice([0, 1, 2, 3, 4, 8]) for _ in range(6)]

    def any_tensor(rank: int) -> Tensor:
        shape = [rng.choice(axes) for _ in range(rank if rng.random() < 0.9 else rng.randrange(6))]
        return laid_out(rng, torch.randn(shape).to(rng.choice([torch.float32] * 9 + [torch.float64])))

    number, yes = rng.choice([-1, 0, 1, 2, 3, 5, 7]), rng.random() < 0.5
    images, b, h, c = any_tensor(5), axes[0], axes[1], axes[2]
    k = rng.choice([1, 2, 3, 5])
    likely = torch.randn(b, rng.choice([3, 6]), rng.choice([2, 5]), h, c)
    images = likely if rng.random() < 0.7 else images
    weight = torch.randn(h * c, k, k) if rng.random() < 0.7 else any_tensor(3)
    mixing = torch.randn(axes[3], h * c) if rng.random() < 0.7 else any_tensor(2)
    points, hidden, values = axes[0], axes[1], axes[2] * axes[3]
    parameters = [(hidden, 2), (hidden,), (hidden, hidden), (hidden,), (values, hidden), (values,)]
    net = [torch.randn(shape) if rng.random() < 0.97 else any_tensor(2) for shape in parameters]
    index = torch.randint(0, points + rng.choice([1, 1, 1, 5]), (2, 3)) - rng.choice([0, 0, 0, 1])
    table = irreps.irreps_of(SO2(4))
    basis = table.basis.float() if rng.random() < 0.9 else any_tensor(2)
    upright = table.basis.float().t().contiguous() if rng.random() < 0.9 else any_tensor(2)
    blocks = torch.tensor(table.blocks) + torch.randint(-1, 2, (3, 3)) * (rng.random() < 0.3)
    blocks = laid_out(rng, blocks.to(rng.choice([torch.int64] * 9 + [torch.int32])))
    mixed = torch.randn(*likely.shape[:3], 4, c) if rng.random() < 0.8 else images
    spectrum = torch.randn(table.values * c * axes[3]) if rng.random() < 0.8 else any_tensor(1)
    norms = [any_tensor(1) if rng.random() < 0.2 else torch.rand(c) if rng.random() < 0.8 else None for _ in range(4)]
    residual = rng.choice([None, torch.randn_like(likely), any_tensor(5)])
    pooled = torch.randn(b, rng.choice([2, 4, 6]), rng.choice([2, 4, 5]), h, c) if rng.random() < 0.8 else images
    square = [place for row in (-1, 0, 1) for column in (-1, 0, 1) for place in (row, column)]
    offsets = square if rng.random() < 0.8 else square[: rng.choice([2, 3, 6, 10])]
    plane = torch.randn(b, h, axes[3], c) if rng.random() < 0.8 else any_tensor(4)
    taps = torch.randn(len(square) // 2, axes[3], c) if rng.random() < 0.8 else any_tensor(3)
    cotangent = torch.randn(b, h, axes[3], axes[3]) if rng.random() < 0.8 else any_tensor(4)
    arguments: dict[str, tuple[Any, ...]] = {
        "fourier_conv2d": (plane, taps, any_tensor(1) if rng.random() < 0.3 else None, offsets),
        "fourier_conv2d_backward": (cotangent, plane, taps, offsets, yes, rng.random() < 0.5),
        "to_images": (images,),
        "to_maps": (images,),
        "depthwise_conv2d": (
            *(images, weight, any_tensor(1) if yes else None, number, yes, rng.random() < 0.5),
            *(residual, rng.random() < 0.5),
        ),
        "depthwise_conv2d_weight": (images, any_tensor(5), k, number, yes),
        "mix_conv2d": (images, mixing),
        "mix_conv2d_backward": (any_tensor(5), images, mixing, yes, not yes),
        "siren": (torch.randn(points, 2), torch.randn(points), index, net, 10.0, rng.choice([axes[2], number])),
        "siren_backward": (any_tensor(4), torch.randn(points, 2), index, net, any_tensor(1), 10.0),
        "irreps_mix": (mixed, spectrum, basis, upright, blocks, rng.choice([axes[3], number])),
        "irreps_mix_backward": (
            *(torch.randn(*mixed.shape[:4], axes[3]) if rng.random() < 0.8 else any_tensor(5), mixed, spectrum),
            *(basis, upright, blocks, yes, rng.random() < 0.5),
        ),
        "batch_norm": (images, *norms, residual, yes, 0.1, 1e-5, rng.random() < 0.5),
        "norm_pool": (pooled, *norms, yes, 0.1, 1e-5, rng.random() < 0.5),
        "norm_pool_backward": (
            *(
                pooled[:, ::2, ::2].contiguous() if pooled.dim() > 2 and rng.random() < 0.8 else any_tensor(5),
                pooled,
                *norms[:2],
            ),
            *(torch.rand(c), torch.rand(c) if rng.random() < 0.8 else any_tensor(1), yes, True),
        ),
        "batch_norm_backward": (
            *(torch.randn_like(images) if rng.random() < 0.8 else any_tensor(5), images, *norms[:2]),
            *(torch.rand(c), torch.rand(c) if rng.random() < 0.8 else any_tensor(1), residual, yes, True),
        ),
    }
    name = rng.choice([*arguments])
    try:
        getattr(torch.ops.gcnn_impl, name)(*arguments[name])
    except (ValueError, RuntimeError, IndexError, NotImplementedError) as error:
        return f"operator refuses: {type(error).__name__}"
    return "operator returns"


GROUPS = (
    lambda rng: (Trivial(), Trivial()),
    lambda rng: (SO2(rng.randint(1, 6)), SO2(rng.randint(1, 6))),
    lambda rng: (O2(rng.randint(1, 3)), O2(rng.randint(1, 3))),
    lambda rng: (RPlus(rng.randint(1, 4), 1.7), RPlus(rng.randint(1, 4), 1.7)),
    lambda rng: (SO2xRPlus(rng.randint(1, 3), rng.randint(1, 2)), SO2xRPlus(rng.randint(1, 3), rng.randint(1, 2))),
)


def try_layer(rng: Draw) -> str:
    """Compare a layer, with every algorithm and in every mode, with the definition of its integral."""
    in_group, out_group = rng.choice(GROUPS)(rng)
    variants = [name for name in CONVOLUTIONS if name != "separable2d" or isinstance(in_group, SO2xRPlus)]
    variant = rng.choice(["lifting", *variants])
    if rng.random() < 0.5:
        out_group = in_group
    irreps.FEWEST_ELEMENTS, irreps.FEWEST_MAPS = rng.choice([USUAL_BOUND, (1, 1)])
    k, stride = rng.choice([1, 3, 3, 5]), rng.choice([1, 1, 2])
    height, width = side(rng) % 9 + 1, side(rng) % 9 + 1
    padding = max(rng.choice([0, k // 2, k // 2, k - 1]), (k - min(height, width) + 1) // 2)
    channels = rng.randint(1, 3), rng.randint(1, 3)
    options = {"stride": stride, "padding": padding, "bias": rng.random() < 0.7, "hidden_features": rng.randint(1, 9)}
    dtype = rng.choice([torch.float32, torch.float64])
    batch = rng.choice([0, 1, 2])
    if variant == "lifting":
        layer = LiftingConv2d(*channels, k, out_group, dtype=dtype, **options)
        f = torch.randn(batch, channels[0], 1, height, width, dtype=dtype)
    else:
        layer = CONVOLUTIONS[variant](*channels, k, in_group, out_group=out_group, dtype=dtype, **options)
        f = torch.randn(batch, channels[0], in_group.resolution, height, width, dtype=dtype)
    f = laid_out(rng, f)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    max_scale = getattr(in_group, "max_scale", 2.0)
    numbers = [
        tuple(v for name, v in vars(g).items() if name in ("rotations", "scales")) for g in (in_group, out_group)
    ]
    lifted, name = variant == "lifting", in_group.name
    expected = oracle.convolution(
        f.double().numpy(),
        oracle.full_kernel(layer, variant),
        name,
        oracle.elements(name, *numbers[1], max_scale=max_scale),
        [None] if lifted else oracle.elements(name, *numbers[0], max_scale=max_scale),
        1.0 if lifted else oracle.haar_weight(name, *numbers[0], max_scale=max_scale),
        k,
        stride,
        padding,
        None if layer.bias is None else layer.bias.detach().double().numpy(),
        max_scale,
    )
    x = f[:, :, 0] if lifted else f
    # Sines of 10·z lose digits.
    tolerance = {torch.float32: 1e-4, torch.float64: 1e-11}[dtype] * (abs(expected).max() + 1 if expected.size else 1)
    norm = GroupBatchNorm2d(channels[1], eps=0.0, dtype=dtype).eval()
    for value in (norm.running_mean, *norm.parameters()):
        torch.nn.init.normal_(value)
    scale = norm.weight.detach().double().numpy()[:, None, None, None]
    shift = (norm.bias - norm.weight * norm.running_mean).detach().double().numpy()[:, None, None, None]
    rectified = (scale * expected + shift).clip(0)
    for layer.algorithm in ALGORITHMS:
        results = [layer(x)]
        with torch.no_grad():
            results += [layer.eval()(x), layer(x), layer.freeze()(x)]
            folded = conv_norm_relu(layer, norm, x).double().numpy()
        assert not folded.size or abs(folded - rectified).max() <= 10 * tolerance, layer.algorithm
        layer.train()
        for y in results:
            assert (y.shape, y.dtype) == (expected.shape, dtype)
            assert not y.numel() or abs(y.detach().double().numpy() - expected).max() <= tolerance, layer.algorithm
        results[0].sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in layer.parameters())
    return f"layer {variant}"


def try_norm(rng: Draw) -> str:
    """Compare a batch norm, with what follows it, with torch's in float64: values, gradients, running statistics."""
    shape = rng.choice([1, 2, 3]), size(rng), rng.choice([1, 2, 3, 4, 8]), side(rng), side(rng)
    if shape[0] * shape[2] * shape[3] * shape[4] == 1:
        return "norm of a single value"
    options = {"affine": rng.random() < 0.7, "track_running_stats": rng.random() < 0.8, "momentum": rng.random()}
    norm, definition = GroupBatchNorm2d(shape[1], **options), torch.nn.BatchNorm3d(shape[1], **options).double()
    for parameter in norm.parameters():
        torch.nn.init.normal_(parameter)
    definition.load_state_dict(norm.state_dict())
    if rng.random() < 0.4:
        norm.eval(), definition.eval()
    relu, has_residual = rng.random() < 0.5, rng.random() < 0.5
    x, g = (laid_out(rng, torch.randn(shape)) * rng.choice([0.1, 1, 10]) for _ in range(2))
    x = x + rng.choice([0, 0, 3])
    residual = laid_out(rng, torch.randn(shape)) if has_residual else None
    inputs = [t.double().contiguous() for t in (x, residual) if t is not None]  # torch errs in some layouts if |H| = 1
    inputs = [t.requires_grad_() for t in inputs]
    normed = definition(inputs[0])
    summed = (normed.relu() if relu else normed) + (inputs[1] if has_residual else 0.0)
    expected_y = summed.relu() if has_residual else summed
    # The cotangent is 0 next to the corner of a ReLU, whose two sides have different gradients.
    corner = (normed.abs() < CORNER) & relu | (summed.abs() < CORNER) & has_residual
    g = g.masked_fill(corner, 0.0) if corner.any() else g
    of_definition = torch.autograd.grad(expected_y, [*inputs, *definition.parameters()], g.double().contiguous())
    inputs = [t.detach().requires_grad_() for t in (x, residual) if t is not None]
    y = norm(inputs[0], relu, inputs[1] if has_residual else None)
    gradients = torch.autograd.grad(y, [*inputs, *norm.parameters()], g)
    # Gradients of x and of the weight may be small differences of terms of these sizes.
    pixels, scale = (0, 2, 3, 4), (x.double().var((0, 2, 3, 4), correction=0) + norm.eps).rsqrt()
    weight = next(norm.parameters(), torch.ones(shape[1])).detach()
    terms = {1: 1e-5 * (g.abs().amax(pixels) * weight.abs() * scale).view(-1, 1, 1, 1)}
    if norm.affine:
        terms[1 + len(inputs)] = 1e-7 * (g * x).abs().sum(pixels) * scale
    pairs = zip([y, *gradients, *norm.buffers()], [expected_y, *of_definition, *definition.buffers()], strict=True)
    for number, (ours, expected) in enumerate(pairs):
        assert ours.shape == expected.shape
        allowed = 1e-3 * (expected.abs() + expected.abs().double().mean() + 1e-3) + terms.get(number, 0.0)
        assert bool(((ours - expected).abs() <= allowed).all()), (number, shape, options)
    return "norm"


KINDS = [(try_norm, 0.1), (try_function, 0.5), (try_wrong_call, 0.25), (try_operator, 0.1), (try_layer, 0.15)]


def run(seed: int) -> str:
    """Make the draw of a seed; return what it was, or raise an error where something disagrees."""
    rng = Draw(seed)
    torch.manual_seed(seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(rng.choice([1, 2]))
    kinds, weights = zip(*KINDS, strict=True)
    chosen = rng.choices(kinds, weights)[0]
    if chosen is try_operator and native.status() != "in use":
        chosen = try_wrong_call
    try:
        return chosen(rng)
    finally:
        torch.set_num_threads(threads)
        irreps.FEWEST_ELEMENTS, irreps.FEWEST_MAPS = USUAL_BOUND


def main() -> int:
    """Run draws; print what they were, and the seeds of those that failed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=1000)
    options.add_argument("--first", type=int, default=0, help="seed of the first draw; -1 is a new one in every run")
    options.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time")
    options.add_argument("--trace", action="store_true", help="print each seed before its draw, which may crash")
    args = options.parse_args()
    first = random.SystemRandom().randrange(2**31) if args.first < 0 else args.first
    print(f"operators in C: {native.status()}; seeds from {first}", flush=True)
    counts: collections.Counter[str] = collections.Counter()
    failed, begun = [], time.monotonic()
    for seed in range(first, first + args.draws):
        if time.monotonic() - begun > args.seconds:
            break
        if args.trace:
            print(f"seed {seed}", flush=True)
        try:
            counts[run(seed)] += 1
        except Exception:
            failed.append(seed)
            print(f"seed {seed}:\n{traceback.format_exc(limit=-3)}", flush=True)
    for kind, count in sorted(counts.items()):
        print(f"{count:>7} {kind}")
    print(f"{sum(counts.values()) + len(failed)} draws, {len(failed)} failed: {failed[:50]}")
    return bool(failed)


if __name__ == "__main__":
    raise SystemExit(main())
