"""What is wrong with a module that is not equivariant: its group element, and usual mistakes about the axis of H."""

import math

import torch
from torch import Tensor, nn

from gcnn_impl import Group, equivariance_error
from gcnn_impl.equivariance import exact_elements, group_permutation, transform_image


@torch.no_grad()
def diagnose(module: nn.Module, x: Tensor, group: Group, tolerance: float) -> str:
    """Return in words under which element the error is largest, and which mistake would explain the error.

    Args:
        module: a module from maps on the group (B, C, |H|, H, W), or images, to maps on the group.
        x: the input.
        group: the group that the module should be equivariant to.
        tolerance: the largest error that rounding explains.
    """
    elements = exact_elements(group)
    errors = [equivariance_error(module, x, group, elements=g[None]) for g in elements]
    # An error that is nan is larger than any other.
    worst = max(range(len(errors)), key=lambda i: math.inf if math.isnan(errors[i]) else errors[i])
    found = f"worst under {element_words(group, elements[worst])}"
    y = module(x)
    if y.dim() == 5:
        if _small(_error_without_axis(module, x, y, group, elements), tolerance):
            return f"{found}; the output turns in the plane, but its axis of H does not move along"
        if _small(equivariance_error(_Inverted(module, group), x, group), tolerance):
            return f"{found}; the axis of H is in the order of the inverse elements: angles turn counter-clockwise"
    return found


def element_words(group: Group, g: Tensor) -> str:
    """Return an element of a group in words: its angle, its reflection, its scale.

    >>> from gcnn_impl import O2
    >>> element_words(O2(4), O2(4).elements()[5])
    'a reflection and a turn by 90°'
    """
    matrix = group.matrix(g)
    determinant = float(torch.linalg.det(matrix))
    scale = math.sqrt(abs(determinant))
    angle = round(math.degrees(math.atan2(float(matrix[1, 0]), float(matrix[0, 0]))), 6) % 360
    parts = [f"a turn by {angle:.4g}°"] if determinant > 0 or angle else []
    parts = ["a reflection", *parts] if determinant < 0 else parts
    parts += [f"a scaling by {scale:.3g}"] if abs(scale - 1) > 1e-9 else []
    return " and ".join(parts)


class _Inverted(nn.Module):
    """A module whose maps have the axis of H in the order of the inverse elements, in the order of the elements."""

    def __init__(self, module: nn.Module, group: Group) -> None:
        super().__init__()
        self.module = module
        elements = group.elements()
        # The place of h⁻¹: where h⁻¹ moves the identity, the first element, to.
        places = [(group_permutation(group, group.inverse(h)) == 0).nonzero().flatten().tolist() for h in elements]
        self.order = [place[0] if place else i for i, place in enumerate(places)]

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.module(x[:, :, self.order] if x.dim() == 5 else x)
        return y[:, :, self.order]


def _error_without_axis(module: nn.Module, x: Tensor, y: Tensor, group: Group, elements: Tensor) -> float:
    """Return the error against an output that is moved in the plane alone."""
    errors = []
    for g in elements:
        moved = transform_image(x, group.matrix(g))
        if x.dim() == 5:
            moved = moved[:, :, group_permutation(group, g)]
        expected = transform_image(y, group.matrix(g))
        errors.append(float(torch.linalg.vector_norm(module(moved) - expected) / torch.linalg.vector_norm(expected)))
    return max(errors) if not any(map(math.isnan, errors)) else math.nan


def _small(error: float, tolerance: float) -> bool:
    return error <= tolerance  # False for nan
