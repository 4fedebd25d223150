"""How equivariant a module is: the output of a transformed input is compared with the transformed output.

For an element g, (L_g f)(x) = f(g⁻¹x) on images and (L_g f)(x, h) = f(g⁻¹x, g⁻¹h) on maps on the group; a module Φ is
equivariant when Φ(L_g f) = L_g Φ(f). Outputs without a plane, (B, C), are taken to be invariant.

Quarter turns and reflections permute the pixels, so their error is rounding alone. For any other element the image is
interpolated, and the error says how well the sampled group and the pixel grid approximate H and the plane.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from gcnn_impl.checks import check_integer, check_kind, check_real, described
from gcnn_impl.groups import Group, check_group
from gcnn_impl.layers.base import check_grid


def transform_image(x: Tensor, matrix: Tensor) -> Tensor:
    """Return f(g⁻¹x) about the centre of the image, (..., H, W) → (..., H, W), or (..., W, H) for a quarter turn.

    ``matrix`` is g, shape (2, 2), on (x, y) with y pointing up. A matrix that permutes the pixels moves them
    without interpolation; for any other, the image is interpolated bicubically, with zeros outside.

    Raises:
        ValueError: for a tensor without a plane, or a matrix of another shape.
    """
    if x.dim() < 2 or matrix.shape != (2, 2):
        raise ValueError(
            f"an image (..., H, W) and a matrix (2, 2) are needed, not {described(x)}, {described(matrix)}"
        )
    rounded = matrix.round()
    if torch.allclose(matrix, rounded, atol=1e-9) and torch.equal(rounded.abs().sum(0), matrix.new_ones(2)):
        inverse = rounded.T.tolist()  # the inverse of a signed permutation is its transpose
        if inverse[0][0] == 0:  # x and y change places
            # The new x is read from ±y, the new y from ±x. Both signs are reversed, because rows run downwards.
            x, from_y, from_x = x.transpose(-1, -2), -inverse[0][1], -inverse[1][0]
            return x.flip([d for d, sign in [(-2, from_y), (-1, from_x)] if sign < 0])
        return x.flip([d for d, sign in [(-1, inverse[0][0]), (-2, inverse[1][1])] if sign < 0])
    height, width = x.shape[-2:]
    y_up = torch.linspace(1, -1, height, dtype=torch.float64) * (height - 1)
    x_right = torch.linspace(-1, 1, width, dtype=torch.float64) * (width - 1)
    points = torch.stack(torch.meshgrid(x_right, y_up, indexing="xy"), dim=-1) @ torch.linalg.inv(matrix).T
    grid = torch.stack([points[..., 0] / max(width - 1, 1), -points[..., 1] / max(height - 1, 1)], dim=-1)
    flat = x.reshape(1, -1, height, width)
    y = grid_sample(flat, grid[None].to(x), mode="bicubic", padding_mode="zeros", align_corners=True)
    return y.reshape(x.shape)


def group_permutation(group: Group, g: Tensor) -> Tensor:
    """Return, for each h, the index of g⁻¹h in the grid of H, or −1 where g⁻¹h is not on the grid; shape (|H|,)."""
    elements = group.elements()
    moved = group.compose(group.inverse(g).expand_as(elements), elements)
    # Compare relative elements with the identity: an angle near −π equals one near π.
    away = group.relative(elements, moved) - elements[:1]  # (|H|, |H|, dim); the first element is the identity
    match = away.abs().amax(-1) < 1e-6 if group.dim else torch.ones(1, 1, dtype=torch.bool)
    return torch.where(match.any(0), match.float().argmax(0), -1)


def transform(x: Tensor, group: Group, g: Tensor) -> tuple[Tensor, Tensor]:
    """Return L_g f for g (dim,), and a mask over axis 2, which is true where g⁻¹h is on the grid of H.

    f is an image (B, C, H, W), a map on the group (B, C, |H|, H, W), or invariant features (B, C).
    """
    if x.dim() == 2:
        return x, torch.ones((), dtype=torch.bool)
    y = transform_image(x, group.matrix(g))
    if x.dim() == 4:
        return y, torch.ones((), dtype=torch.bool)
    source = group_permutation(group, g).to(x.device)
    return y[:, :, source], source >= 0


def _check_axes(name: str, x: object, group: Group) -> None:
    """Raise ``ValueError`` unless ``transform`` can move ``x``."""
    if not isinstance(x, Tensor) or x.dim() not in (2, 4, 5):
        raise ValueError(f"{name} must be a tensor (B, C), (B, C, H, W) or (B, C, |H|, H, W), not {described(x)}")
    if x.dim() == 5 and x.shape[2] != group.resolution:
        raise ValueError(f"{name} has {x.shape[2]} elements on axis 2; the group has {group.resolution}")


def exact_elements(group: Group) -> Tensor:
    """Return the elements that map both the pixel grid and the grid of H to themselves, without the identity: (n, dim).

    >>> from gcnn_impl import SO2
    >>> len(exact_elements(SO2(8)))  # three quarter turns
    3
    """
    elements = group.elements()
    keep = []
    for i, g in enumerate(elements[1:], start=1):
        matrix = group.matrix(g)
        permutes = torch.allclose(matrix, matrix.round(), atol=1e-9)
        if permutes and bool((group_permutation(group, g) >= 0).all()):
            keep.append(i)
    return elements[keep]


@torch.no_grad()
def equivariance_error(
    module: nn.Module,
    x: Tensor,
    group: Group,
    *,
    out_group: Group | None = None,
    elements: Tensor | None = None,
    border: int = 0,
) -> float:
    """Return the largest relative error ‖Φ(L_g f) − L_g Φ(f)‖ / ‖L_g Φ(f)‖ over group elements g.

    The norms are 2-norms over the whole output; the error is nan for an output that is zero everywhere. The module runs
    in its present mode: call ``eval()`` first unless batch statistics are wanted.

    Args:
        module: any module from images (B, C, H, W) or maps on the group (B, C, |H|, H, W) to images, maps on the
            group, or invariant features (B, C).
        x: the input.
        group: the group of the input, and of the output unless ``out_group`` is given.
        elements: the elements to try, shape (n, dim); by default ``exact_elements`` of the output's group, for which
            the error of a correct layer is rounding alone.
        border: width in pixels of the output's edge that is not compared; for elements that move content across it.

    Raises:
        ValueError: if the input or the output has other axes or another number of group elements, if there is no
            element to try, if ``elements`` are not elements of the group, if the module maps the transformed input to
            another shape, or if no part of the output can be compared.
    """
    out_group = group if out_group is None else out_group
    check_kind("module", module, nn.Module, "an nn.Module")
    check_group("group", group)
    check_group("out_group", out_group)
    _check_axes("x", x, group)
    elements = exact_elements(out_group) if elements is None else elements
    border = check_integer("border", border, 0)
    if len(elements) == 0:
        raise ValueError(f"{out_group} has no exact element but the identity: say which elements to try")
    check_grid("elements", elements, group)
    reference = module(x)
    _check_axes("the output", reference, out_group)
    errors = []
    for g in elements:
        moved_x, _ = transform(x, group, g)
        actual = module(moved_x)
        expected, known = transform(reference, out_group, g)
        if actual.shape != expected.shape:
            raise ValueError(
                f"the module maps the input transformed by {g.tolist()} to {tuple(actual.shape)}, and the transformed "
                f"output has the shape {tuple(expected.shape)}"
            )
        if expected.dim() == 5:
            actual, expected = actual[:, :, known], expected[:, :, known]
        if border and expected.dim() > 2:
            crop = slice(border, -border)
            actual, expected = actual[..., crop, crop], expected[..., crop, crop]
        if expected.numel() == 0:
            raise ValueError(
                f"nothing of the output can be compared: {g.tolist()} moves the grid of {out_group} off itself, or "
                f"a border of {border} leaves no pixel"
            )
        norm = torch.linalg.vector_norm(expected.double())  # an output that is zero everywhere gives nan
        errors.append(torch.linalg.vector_norm((actual - expected).double()) / norm)
    return float(torch.stack(errors).amax())  # nan if any is


@torch.no_grad()
def layer_errors(network: nn.Module, x: Tensor, group: Group, elements: Tensor, *, border: int = 0) -> dict[str, float]:
    """Return where a network loses equivariance: the error of every map on the group that its layers return, by name.

    The error of a layer is that of the network up to it, as ``equivariance_error`` defines it, the largest over the
    elements. Modules whose outputs are no maps on the group are left out.

    Args:
        network: a network on images; it runs in its present mode.
        x: images, shape (B, C, H, W).
        group: the group of the maps.
        elements: the elements to try, shape (n, dim), which must be on the grid of the group.
        border: width in pixels of the edge that is not compared, in maps of the image's size; smaller maps have a
            border in proportion.

    Raises:
        ValueError: for no element, or elements that are not those of the group; if ``x`` has other axes.
    """
    check_grid("elements", elements, group)
    _check_axes("x", x, group)
    side = x.shape[-1]
    maps = _maps_on(network, x, group)
    worst = dict.fromkeys(maps, 0.0)
    for g in elements:
        moved = _maps_on(network, transform(x, group, g)[0], group)
        for name in worst.keys() & moved.keys():
            expected, known = transform(maps[name], group, g)
            actual, expected = moved[name][:, :, known], expected[:, :, known]
            edge = round(border * expected.shape[-1] / side)
            if 0 < 2 * edge < min(expected.shape[-2:]):
                actual, expected = (y[..., edge:-edge, edge:-edge] for y in (actual, expected))
            norm = torch.linalg.vector_norm(expected.double())
            error = float(torch.linalg.vector_norm((actual - expected).double()) / norm)
            worst[name] = max(worst[name], error) if math.isfinite(error) else math.nan
    return worst


def _maps_on(network: nn.Module, x: Tensor, group: Group) -> dict[str, Tensor]:
    """Return the maps on the group that the modules of a network return for x, in the order of the computation."""
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(module: nn.Module, inputs: object, y: object) -> None:
            if isinstance(y, Tensor) and y.dim() == 5 and y.shape[2] == group.resolution:
                found.pop(name, None)  # a module that runs several times counts where it runs last
                found[name] = y

        return hook

    handles = [module.register_forward_hook(keep(name)) for name, module in network.named_modules() if name]
    try:
        network(x)
    finally:
        for handle in handles:
            handle.remove()
    return found


def assert_equivariant(module: nn.Module, x: Tensor, group: Group, *, tolerance: float = 1e-5, **options: Any) -> None:
    """Raise ``AssertionError`` where ``equivariance_error`` exceeds ``tolerance`` or is nan; for tests of any layer.

    All other arguments, ``options`` included, are those of ``equivariance_error``. A correct layer with stride 2 fails
    on an even side: every other pixel from the left is not every other pixel from the right. Test it on odd sides. Any
    stride has to divide side + 2·padding − kernel size; the error names the first module where it does not.
    """
    tolerance = check_real("tolerance", tolerance, "a finite number of at least 0", 0.0)
    error = equivariance_error(module, x, group, **options)
    if not error <= tolerance:  # also for nan
        hint = _misplaced_stride(module, x)
        said = f"equivariance error {error:.3g} under {group} exceeds the tolerance {tolerance:.3g}"
        raise AssertionError(said + hint)


@torch.no_grad()
def _misplaced_stride(module: nn.Module, x: Tensor) -> str:
    """Return why the first strided module does not commute with quarter turns on this input; "" if none is at fault."""
    found: list[str] = []

    def look(strided: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        geometry = [_sides(strided, name) for name in ("stride", "kernel_size", "padding")]
        for side, stride, k, p in zip(inputs[0].shape[-2:], *geometry, strict=True):
            if (side + 2 * p - k) % stride:
                turned = f"a stride of {stride} on a side of {side} does not commute with quarter turns"
                rule = f"it must divide {side} + 2·{p} − {k} (side + 2·padding − kernel size)"
                found.append(f"; {turned}: {rule}{', so try odd sides' if stride == 2 and k % 2 else ''}")

    strided = [m for m in module.modules() if all(map(partial(_sides, m), ("stride", "kernel_size", "padding")))]
    handles = [m.register_forward_pre_hook(look) for m in strided]
    try:
        module(x)
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else ""


def _sides(module: nn.Module, name: str) -> tuple[int, ...]:
    """Return an attribute such as the stride for height and width; () if the module has no such numbers."""
    value = getattr(module, name, None)
    pair = (value, value) if isinstance(value, int) else value
    return pair if isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(n, int) for n in pair) else ()
