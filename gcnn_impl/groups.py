"""The subgroups H of GL(2) in G = R² ⋊ H, as pure functions on tensors of log coordinates.

An element h of H is a row of ``dim`` real numbers, its coordinates in the Lie algebra (and a sign for reflections).

====================  ==========  ==================================  ===============  ======================
H                     G           coordinates of an element           |det h|          Haar measure
====================  ==========  ==================================  ===============  ======================
{e}      Trivial      R²          none                                1                –
SO(2)    SO2          SE(2)       θ                                   1                dθ / 2π
O(2)     O2           E(2)        θ, ±1 (−1: reflect y, then rotate)  1                dθ / 4π · counting
R⁺       RPlus        R² ⋊ R⁺     log s,  s ∈ [1, s_max)              s²               ds / s
SO(2)×R⁺ SO2xRPlus    Sim(2)      θ, log s                            s²               dθ / 2π · ds / s
====================  ==========  ==================================  ===============  ======================

``resolution`` is |H|, the number of sampled elements. A class takes the numbers of rotations and of scales that the
elements are made of: ``O2(8)`` has 8 rotations, each with and without a reflection, so 16 elements.

A new group needs only a new class, because layers use only what ``Group`` declares. Everything here is float64 on the
CPU; layers convert the tensors that they keep.

Source: Knigge, Romero, Bekkers, "Exploiting Redundancy: Separable Group Convolutional Networks on Lie Groups",
ICML 2022, sections 3 and 4.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gcnn_impl.checks import check_integer, check_kind, check_real

# Steepness of the smooth windows that replace sharp edges where scales vary (the authors' code has 3 and 10).
SPATIAL_WINDOW_SLOPE = 10.0
SCALE_WINDOW_SLOPE = 10.0
# Scales further apart than this fraction of log s_max hardly interact.
SCALE_WINDOW_WIDTH = 0.5
# Larger scales than this, and smaller ones than its inverse, are mistakes; their squares would overflow or vanish.
LARGEST_SCALE = 1e6


def wrap_angle(theta: Tensor) -> Tensor:
    """Wrap angles to [-π, π); an angle that rounding puts just below π becomes −π, so that equal ones stay equal.

    >>> wrap_angle(torch.tensor([1.0, 4.0]))
    tensor([ 1.0000, -2.2832])
    """
    return torch.remainder(theta + math.pi + 1e-9, 2 * math.pi) - math.pi - 1e-9


def rotation_matrix(theta: Tensor) -> Tensor:
    """Return the matrices of counter-clockwise rotations, in (x, y) coordinates, (...) → (..., 2, 2)."""
    cos, sin = torch.cos(theta), torch.sin(theta)
    return torch.stack([cos, -sin, sin, cos], dim=-1).reshape(*theta.shape, 2, 2)


@dataclass(frozen=True)
class Group(ABC):
    """A sampled subgroup H of GL(2), acting on the plane by x ↦ h x."""

    name: ClassVar[str]
    dim: ClassVar[int]  # number of coordinates of an element
    rotates: ClassVar[bool]  # whether kernel taps outside the disc are zero, so that a rotated kernel keeps its support

    @property
    @abstractmethod
    def resolution(self) -> int:
        """|H|, the number of sampled elements."""

    @property
    def extent(self) -> float:
        """Half the side of the kernel grid, in units of the kernel's own support at the identity."""
        return 1.0

    @abstractmethod
    def elements(self) -> Tensor:
        """Return the discretised grid, shape (|H|, dim); the first element is the identity."""

    @abstractmethod
    def offset(self, generator: torch.Generator | None = None) -> Tensor:
        """Return a random element within one grid step, shape (dim,): the Monte-Carlo offset of a sampled grid."""

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Return the equispaced grid moved by one random offset, shape (|H|, dim)."""
        return self.compose(self.offset(generator).expand(self.resolution, -1), self.elements())

    def compose(self, g: Tensor, h: Tensor) -> Tensor:
        """Return the coordinates of g·h, shape (..., dim): by default the sum of coordinates, as in Abelian groups."""
        return self.canonical(g + h)

    def inverse(self, h: Tensor) -> Tensor:
        """Return the coordinates of h⁻¹, shape (..., dim)."""
        return self.canonical(-h)

    def canonical(self, h: Tensor) -> Tensor:
        """Return the unique coordinates of each element, with angles wrapped, shape (..., dim)."""
        return h

    def relative(self, h_out: Tensor, h_in: Tensor) -> Tensor:
        """Return h_out⁻¹ · h_in for every pair, shape (|H_out|, |H_in|, dim)."""
        pair = (len(h_out), len(h_in), self.dim)
        return self.compose(self.inverse(h_out)[:, None].expand(pair), h_in[None].expand(pair))

    @abstractmethod
    def matrix(self, h: Tensor) -> Tensor:
        """Return the matrices of the action on (x, y) column vectors, shape (..., 2, 2)."""

    def determinant(self, h: Tensor) -> Tensor:
        """Return |det h|, shape (...)."""
        return h.new_ones(h.shape[:-1])

    @abstractmethod
    def coordinates(self, h: Tensor) -> Tensor:
        """Return the log coordinates scaled to [-1, 1], shape (..., dim): the input of a kernel net."""

    elements_in_words: ClassVar[str] = "finite coordinates"

    def contains(self, h: Tensor) -> Tensor:
        """Return whether rows of coordinates are elements of the continuous group, (..., dim) → (...)."""
        return h.isfinite().all(-1)

    def haar_weights(self) -> Tensor:
        """Return the quadrature weights of the Haar measure on the sampled grid, shape (|H|,); 1/|H| by default."""
        return torch.full((self.resolution,), 1 / self.resolution, dtype=torch.float64)

    def spatial_window(self, points: Tensor) -> Tensor:
        """Return the smooth window of a kernel over the plane; points (..., 2), in units of its support, → (...)."""
        return points.new_ones(points.shape[:-1])

    def group_window(self, h: Tensor) -> Tensor:
        """Return the smooth window of a kernel over H; relative elements (..., dim) → (...)."""
        return h.new_ones(h.shape[:-1])

    def parent(self) -> tuple[object, ...]:
        """Return a key of the continuous group that is sampled; a layer maps only between groups with equal keys."""
        return (type(self),)

    def representations(self) -> list[tuple[Tensor, int]] | None:
        """Return the real irreducible representations of the grid, if the grid is a finite group; None otherwise.

        Each has its matrices, shape (|H|, d, d), d ≤ 2, and the number of times that maps on H contain it.
        """
        return None


def check_group(name: str, value: object) -> None:
    """Raise ``ValueError`` unless ``value`` is a group."""
    check_kind(name, value, Group, "a Group such as SO2(8)")


@dataclass(frozen=True)
class Trivial(Group):
    """H = {e}: an ordinary convolution with a continuous kernel."""

    name: ClassVar[str] = "trivial"
    dim: ClassVar[int] = 0
    rotates: ClassVar[bool] = False

    @property
    def resolution(self) -> int:
        return 1

    def elements(self) -> Tensor:
        return torch.zeros(1, 0, dtype=torch.float64)

    def offset(self, generator: torch.Generator | None = None) -> Tensor:
        return torch.zeros(0, dtype=torch.float64)

    def matrix(self, h: Tensor) -> Tensor:
        return torch.eye(2, dtype=h.dtype).expand(*h.shape[:-1], 2, 2)

    def coordinates(self, h: Tensor) -> Tensor:
        return h


@dataclass(frozen=True)
class SO2(Group):
    """``rotations`` equispaced rotations; G = SE(2).

    >>> [round(theta, 2) for theta in SO2(4).elements().flatten().tolist()]
    [0.0, 1.57, -3.14, -1.57]
    """

    rotations: int

    name: ClassVar[str] = "SO2"
    dim: ClassVar[int] = 1
    rotates: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotations", check_integer("SO2 rotations", self.rotations, 1))

    @property
    def resolution(self) -> int:
        return self.rotations

    def elements(self) -> Tensor:
        step = 2 * math.pi / self.rotations
        return wrap_angle(torch.arange(self.rotations, dtype=torch.float64) * step)[:, None]

    def offset(self, generator: torch.Generator | None = None) -> Tensor:
        return torch.rand(1, dtype=torch.float64, generator=generator) * (2 * math.pi / self.rotations)

    def canonical(self, h: Tensor) -> Tensor:
        return wrap_angle(h)

    def matrix(self, h: Tensor) -> Tensor:
        return rotation_matrix(h[..., 0])

    def coordinates(self, h: Tensor) -> Tensor:
        return h / math.pi

    def representations(self) -> list[tuple[Tensor, int]]:
        angles = self.elements()[:, 0]
        lines = [torch.ones_like(angles)]
        if self.rotations % 2 == 0:
            lines.append(torch.cos(self.rotations / 2 * angles).round())
        frequencies = range(1, (self.rotations + 1) // 2)
        planes = [rotation_matrix(frequency * angles) for frequency in frequencies]
        return [(line[:, None, None], 1) for line in lines] + [(plane, 1) for plane in planes]


@dataclass(frozen=True)
class O2(Group):
    """``rotations`` equispaced rotations, each with and without a reflection: |H| = 2·rotations; G = E(2).

    >>> O2(rotations=8).resolution
    16
    """

    rotations: int

    name: ClassVar[str] = "O2"
    dim: ClassVar[int] = 2
    rotates: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotations", check_integer("O2 rotations", self.rotations, 1))

    @property
    def resolution(self) -> int:
        return 2 * self.rotations

    def elements(self) -> Tensor:
        angles = SO2(self.rotations).elements()[:, 0]
        signs = torch.tensor([1.0, -1.0], dtype=torch.float64)
        return torch.stack([angles.repeat(2), signs.repeat_interleave(self.rotations)], dim=-1)

    def offset(self, generator: torch.Generator | None = None) -> Tensor:
        return torch.cat([SO2(self.rotations).offset(generator), torch.ones(1, dtype=torch.float64)])

    def compose(self, g: Tensor, h: Tensor) -> Tensor:
        # R(a) F^s · R(b) F^t = R(a + s b) F^{s t}, since F R(b) = R(-b) F.
        return torch.stack([wrap_angle(g[..., 0] + g[..., 1] * h[..., 0]), g[..., 1] * h[..., 1]], dim=-1)

    def inverse(self, h: Tensor) -> Tensor:
        return torch.stack([wrap_angle(-h[..., 1] * h[..., 0]), h[..., 1]], dim=-1)

    def matrix(self, h: Tensor) -> Tensor:
        reflection = torch.stack([torch.ones_like(h[..., 1]), h[..., 1]], dim=-1)
        return rotation_matrix(h[..., 0]) @ torch.diag_embed(reflection)

    def coordinates(self, h: Tensor) -> Tensor:
        return torch.stack([h[..., 0] / math.pi, h[..., 1]], dim=-1)

    def representations(self) -> list[tuple[Tensor, int]]:
        angles, signs = self.elements().unbind(-1)
        lines = [torch.ones_like(angles), signs]
        if self.rotations % 2 == 0:
            alternating = torch.cos(self.rotations / 2 * angles).round()
            lines += [alternating, alternating * signs]
        reflection = torch.diag_embed(torch.stack([torch.ones_like(signs), signs], dim=-1))
        frequencies = range(1, (self.rotations + 1) // 2)
        planes = [rotation_matrix(frequency * angles) @ reflection for frequency in frequencies]
        return [(line[:, None, None], 1) for line in lines] + [(plane, 2) for plane in planes]

    elements_in_words: ClassVar[str] = "a finite angle and a sign, 1 or −1"

    def contains(self, h: Tensor) -> Tensor:
        return super().contains(h) & (h[..., 1].abs() == 1)


class _Dilating(Group):
    """Base class of the groups whose last coordinate is log s, for ``scales`` dilations s in [1, ``max_scale``)."""

    scales: int
    max_scale: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "scales", check_integer(f"{self.name} scales", self.scales, 1))
        name, least = f"{self.name} max_scale", math.nextafter(1, 2)
        max_scale = check_real(name, self.max_scale, "finite and greater than 1", least)
        check_real(name, max_scale, f"at most {LARGEST_SCALE:g}", least, LARGEST_SCALE)
        object.__setattr__(self, "max_scale", max_scale)

    elements_in_words: ClassVar[str] = f"finite coordinates, scales from 1/{LARGEST_SCALE:g} to {LARGEST_SCALE:g}"

    def contains(self, h: Tensor) -> Tensor:
        return super().contains(h) & (h[..., -1].abs() <= math.log(LARGEST_SCALE))

    @property
    def extent(self) -> float:
        return self.max_scale

    def determinant(self, h: Tensor) -> Tensor:
        return torch.exp(2 * h[..., -1])

    def spatial_window(self, points: Tensor) -> Tensor:
        return torch.sigmoid(SPATIAL_WINDOW_SLOPE * (1 - points.norm(dim=-1)))

    def group_window(self, h: Tensor) -> Tensor:
        distance = h[..., -1].abs() / math.log(self.max_scale)
        return torch.sigmoid(SCALE_WINDOW_SLOPE * (SCALE_WINDOW_WIDTH - distance))

    def parent(self) -> tuple[object, ...]:
        return (type(self), self.max_scale)


@dataclass(frozen=True)
class RPlus(_Dilating):
    """``scales`` dilations s_max^(i/scales) in [1, s_max), equispaced in log s; G = R² ⋊ R⁺."""

    scales: int
    max_scale: float = 2.0

    name: ClassVar[str] = "RPlus"
    dim: ClassVar[int] = 1
    rotates: ClassVar[bool] = False

    @property
    def resolution(self) -> int:
        return self.scales

    def _step(self) -> float:
        return math.log(self.max_scale) / self.scales

    def elements(self) -> Tensor:
        return torch.arange(self.scales, dtype=torch.float64)[:, None] * self._step()

    def offset(self, generator: torch.Generator | None = None) -> Tensor:
        return torch.rand(1, dtype=torch.float64, generator=generator) * self._step()

    def matrix(self, h: Tensor) -> Tensor:
        return torch.diag_embed(torch.exp(h).expand(*h.shape[:-1], 2))

    def coordinates(self, h: Tensor) -> Tensor:
        return h / math.log(self.max_scale)

    def haar_weights(self) -> Tensor:
        return torch.full((self.scales,), self._step(), dtype=torch.float64)


@dataclass(frozen=True)
class SO2xRPlus(_Dilating):
    """The product grid ``rotations`` × ``scales``, rotation-major: |H| = rotations·scales; G = Sim(2)."""

    rotations: int
    scales: int
    max_scale: float = 2.0

    name: ClassVar[str] = "SO2xRPlus"
    dim: ClassVar[int] = 2
    rotates: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotations", check_integer("SO2xRPlus rotations", self.rotations, 1))
        super().__post_init__()

    @property
    def rotation(self) -> SO2:
        return SO2(self.rotations)

    @property
    def scale(self) -> RPlus:
        return RPlus(self.scales, self.max_scale)

    @property
    def resolution(self) -> int:
        return self.rotations * self.scales

    def elements(self) -> Tensor:
        angles = self.rotation.elements().repeat_interleave(self.scales, dim=0)
        return torch.cat([angles, self.scale.elements().repeat(self.rotations, 1)], dim=-1)

    def offset(self, generator: torch.Generator | None = None) -> Tensor:
        return torch.cat([self.rotation.offset(generator), self.scale.offset(generator)])

    def canonical(self, h: Tensor) -> Tensor:
        return torch.stack([wrap_angle(h[..., 0]), h[..., 1]], dim=-1)

    def matrix(self, h: Tensor) -> Tensor:
        return rotation_matrix(h[..., 0]) * torch.exp(h[..., 1])[..., None, None]

    def coordinates(self, h: Tensor) -> Tensor:
        return torch.stack([h[..., 0] / math.pi, h[..., 1] / math.log(self.max_scale)], dim=-1)

    def haar_weights(self) -> Tensor:
        return torch.outer(self.rotation.haar_weights(), self.scale.haar_weights()).flatten()
