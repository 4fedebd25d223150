"""What can be measured: the axes, one ``Case`` on them, and the profiles, which are sets of cases.

A case is strings and integers, nothing else, so that it can be hashed, stored and compared across machines. Its ``id``
is what makes a sweep resumable.
"""

import dataclasses
import hashlib
import itertools
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Bump when a case means another measurement than before (what is in the timed region, how a network is built, …): ids
# change with it, so old records are not taken for new ones.
CASE_VERSION = 2

OURS = "gcnn_impl"
PEERS = ("torch", "escnn", "authors")
# What a user's own layer is called: an importable class.
USER_LAYER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
FACTORED = ("gseparable", "dseparable", "dgseparable")
GROUPS = ("SO2", "O2", "RPlus", "SO2xRPlus")

# The axes that are names, and what is allowed on them. Every other axis is a positive integer. ``implementation`` may
# also be "package.module:Class".
CHOICES: dict[str, tuple[str, ...]] = {
    "layer": ("conv", "resnet"),
    "implementation": (OURS, *PEERS),
    "variant": ("plain", "lifting", "full", "separable", *FACTORED, "separable2d", "custom"),
    "group": ("trivial", *GROUPS),
    "direction": ("forward", "forward_backward", "training_step"),
    "kernels": ("cached", "generated"),
    "execution": ("eager", "compiled"),
    "device": ("cpu", "cuda"),
    "dtype": ("float32", "bfloat16", "tf32"),
}
# The variants that peers may have; which of them one really has, only its own package can say.
PEER_VARIANTS = ("lifting", "full", "separable", *FACTORED)
# Two poolings halve the image before the network's last, unpadded 3×3 convolution.
SMALLEST_RESNET_IMAGE = 9


class InvalidCase(ValueError):  # noqa: N818
    """A value that no case can have; the message names the value and what is allowed."""


@dataclass(frozen=True)
class Case:
    """One thing to measure: a module, its input, and how it is run.

    Args:
        layer: "conv", one layer from ``channels`` to ``channels`` that keeps the image size; or "resnet", the paper's
            network of widths (C, C, 2C) from one input channel to 10 classes.
        implementation: "gcnn_impl"; a peer, "torch" (fixed weights of the same shapes), "escnn" or "authors"; or a
            user's own layer, "package.module:Class".
        variant: "plain" (torch's Conv2d, or the plain twin of the network), "lifting" (only a layer), a key of
            ``gcnn_impl.CONVOLUTIONS``, or "custom", which a user's layer always is.
        group: the subgroup H; "trivial" for plain, and for custom if you like.
        resolution: |H|, the number of group elements: rotations × scales, × 2 for O2; 1 for the trivial group.
        scales: of RPlus (all of |H|) and SO2xRPlus (a divisor of |H|); 1 for any other group.
        channels: C.
        batch_size: images in a pass.
        image_size: height and width, pixels.
        kernel_size: odd, pixels.
        direction: "forward" (inference: eval, no gradients), "forward_backward" (train mode, gradients of the
            parameters and, for a layer, of its input) or "training_step" (the same and a step of Adam).
        kernels: "cached", or "generated" in every pass: the only way to train, and what compiled code always does.
            Left empty it becomes "cached" where it can be. Fixed weights (plain, torch) are "cached" in inference.
        execution: "eager" or "compiled" by ``torch.compile``.
        device, dtype: where and in what the pass is computed; "bfloat16" is autocast, "tf32" is for CUDA alone.
        threads: of torch's intra-op pool.

    Raises:
        InvalidCase: for a value that is not allowed, alone or beside the others.
    """

    layer: str = "conv"
    implementation: str = OURS
    variant: str = "separable"
    group: str = "SO2"
    resolution: int = 8
    scales: int = 1
    channels: int = 16
    batch_size: int = 16
    image_size: int = 28
    kernel_size: int = 5
    direction: str = "forward"
    kernels: str = ""
    execution: str = "eager"
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1

    def __post_init__(self) -> None:
        if not self.kernels:
            object.__setattr__(self, "kernels", "generated" if self._must_generate else "cached")
        for axis, value in self.fields().items():
            check_value(axis, value)
        self._check_variant()
        self._check_group()
        if self._must_generate:
            self._require("kernels", ("generated",), f"direction {self.direction!r}, execution {self.execution!r}")
        elif self.fixed_weights:
            self._require("kernels", ("cached",), "fixed weights in direction 'forward'")
        if self.dtype == "tf32":
            self._require("device", ("cuda",), "dtype 'tf32'")
        if self.layer == "resnet" and self.image_size < SMALLEST_RESNET_IMAGE:
            raise InvalidCase(
                f"image_size {self.image_size} is too small for layer 'resnet'; "
                f"allowed: {SMALLEST_RESNET_IMAGE} or more"
            )

    def _check_variant(self) -> None:
        if self.own_layer or self.variant == "custom":
            self._require("layer", ("conv",), f"implementation {self.implementation!r}")
            self._require("variant", ("custom",), f"implementation {self.implementation!r}")
            if not self.own_layer:
                raise InvalidCase("variant 'custom' needs implementation package.module:Class")
        elif self.implementation in PEERS:
            self._require("layer", ("conv",), f"implementation {self.implementation!r}")
            self._require("variant", PEER_VARIANTS, f"implementation {self.implementation!r}")
        if self.layer == "resnet" and self.variant == "lifting":
            networks = (variant for variant in CHOICES["variant"] if variant not in ("lifting", "custom"))
            self._require("variant", tuple(networks), "layer 'resnet'")

    def _check_group(self) -> None:
        if self.variant == "separable2d":
            self._require("group", ("SO2xRPlus",), "variant 'separable2d'")
        elif self.variant == "plain":
            self._require("group", ("trivial",), "variant 'plain'")
        elif self.variant != "custom":
            self._require("group", GROUPS, f"variant {self.variant!r}")
        if self.group == "trivial":
            self._require("resolution", (1,), "group 'trivial'")
        if self.group == "O2" and self.resolution % 2:
            raise InvalidCase(f"resolution {self.resolution} does not go with group 'O2'; allowed: even integers")
        if self.group == "RPlus":
            self._require("scales", (self.resolution,), f"group 'RPlus' of resolution {self.resolution}")
        elif self.group == "SO2xRPlus":
            divisors = tuple(n for n in range(1, self.resolution + 1) if self.resolution % n == 0)
            self._require("scales", divisors, f"group 'SO2xRPlus' of resolution {self.resolution}")
        else:
            self._require("scales", (1,), f"group {self.group!r}")

    def _require(self, axis: str, allowed: Iterable[str | int], beside: str) -> None:
        value, allowed = getattr(self, axis), tuple(allowed)
        if value not in allowed:
            raise InvalidCase(f"{axis} {value!r} does not go with {beside}; allowed: {', '.join(map(str, allowed))}")

    @property
    def own_layer(self) -> bool:
        """Whether a user's layer is measured."""
        return is_own_layer(self.implementation)

    @property
    def foreign(self) -> bool:
        """Whether a peer's or a user's layer is measured."""
        return self.implementation != OURS

    @property
    def fixed_weights(self) -> bool:
        """Whether there is no kernel to generate: ordinary convolutions."""
        return self.variant == "plain" or self.implementation == "torch"

    @property
    def _must_generate(self) -> bool:
        return self.direction != "forward" or (self.execution == "compiled" and not self.fixed_weights)

    @property
    def rotations(self) -> int:
        """Of the group's grid."""
        return self.resolution // self.scales // (2 if self.group == "O2" else 1)

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that depend on every field and on ``CASE_VERSION``, on any machine the same."""
        return short_hash({"case_version": CASE_VERSION, **self.fields()})

    @property
    def label(self) -> str:
        """A short name for people: progress bars and listings."""
        name = self.variant if self.implementation == OURS else f"{self.implementation} {self.variant}"
        grid = f"{self.rotations}×{self.scales}" if self.group == "SO2xRPlus" else f"{self.resolution}"
        group = "" if self.group == "trivial" else f" {self.group}({grid})"
        shape = f"C={self.channels} B={self.batch_size} {self.image_size}×{self.image_size} k={self.kernel_size}"
        pass_ = f"{self.direction} {self.kernels}" if self.direction == "forward" else self.direction
        extras = [value for value in (self.execution, self.dtype) if value not in ("eager", "float32")]
        where = f"{self.device}×{self.threads}" if self.device == "cpu" else self.device
        return " ".join([f"{self.layer} {name}{group}", shape, pass_, *extras, where])

    def fields(self) -> dict[str, str | int]:
        """The fields as they are stored in a record."""
        return dataclasses.asdict(self)


AXES: tuple[str, ...] = tuple(field.name for field in dataclasses.fields(Case))


def short_hash(content: Mapping[str, object]) -> str:
    """Twelve hexadecimal digits of JSON content, on any machine the same."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def is_own_layer(implementation: object) -> bool:
    """Whether a value names a user's layer, "package.module:Class"."""
    return isinstance(implementation, str) and USER_LAYER.fullmatch(implementation) is not None


def check_value(axis: str, value: str | int) -> None:
    """Raise ``InvalidCase`` unless ``value`` is allowed on the axis, whatever the other axes are."""
    if axis in CHOICES:
        if value not in CHOICES[axis] and not (axis == "implementation" and is_own_layer(value)):
            own = ", package.module:Class" if axis == "implementation" else ""
            raise InvalidCase(f"unknown {axis} {value!r}; allowed: {', '.join(CHOICES[axis])}{own}")
    elif isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidCase(f"{axis} {value!r} is not allowed; allowed: integers of at least 1")
    elif axis == "kernel_size" and value % 2 == 0:
        raise InvalidCase(f"kernel_size {value} is even; allowed: odd integers of at least 1")


# A grid is the cross product of the values on its axes; an axis left out has the default of ``Case``. What makes no
# sense in it (a lifting network, cached kernels in training) is left out.
Grid = Mapping[str, tuple[str | int, ...]]

_BASIC = ("plain", "lifting", "full", "separable")
_PASSES = ("forward", "forward_backward")
_CONV: Grid = {"layer": ("conv",), "variant": _BASIC, "direction": _PASSES}
_RESNET: Grid = {
    "layer": ("resnet",),
    "variant": ("plain", "full", "separable"),
    "batch_size": (64,),
    "image_size": (16,),
    "channels": (8,),
    "direction": _PASSES,
}
_SIM2: Grid = {
    **_CONV,
    "variant": ("lifting", "full", "separable", *FACTORED, "separable2d"),
    "group": ("SO2xRPlus",),
    "scales": (2,),
}

# One axis at a time around a base point, and the networks of the quick training study: minutes.
_QUICK: tuple[Grid, ...] = (
    {**_CONV, "resolution": (2, 4, 8, 16)},
    {**_CONV, "channels": (8, 16, 32)},
    {**_CONV, "batch_size": (1, 16, 64)},
    {**_RESNET, "resolution": (2, 4, 8)},
)

# Pairs of axes around the base point, and every other axis at a few points: half an hour.
_STANDARD: tuple[Grid, ...] = (
    {**_CONV, "resolution": (4, 8, 16), "kernel_size": (5, 7)},
    {**_CONV, "resolution": (4, 8, 16), "batch_size": (1, 16, 64)},
    {**_CONV, "channels": (8, 16, 32)},
    {**_CONV, "image_size": (14, 28, 56)},
    {**_CONV, "variant": (*_BASIC, *FACTORED), "direction": CHOICES["direction"]},
    {**_CONV, "implementation": ("torch",), "variant": ("lifting", "full", "separable")},
    {**_CONV, "direction": ("forward",), "kernels": ("generated",), "batch_size": (1, 16, 64)},
    {**_SIM2, "resolution": (8,)},
    {**_CONV, "group": ("O2",), "resolution": (8,)},
    {**_CONV, "group": ("RPlus",), "resolution": (4,)},
    {**_RESNET, "resolution": (4, 8, 16)},
    {**_RESNET, "channels": (16,), "resolution": (4, 8), "direction": ("forward", "training_step")},
)
_ONE_THREAD: Grid = {**_CONV, "batch_size": (1, 16), "threads": (1,)}
_COMPILED: Grid = {**_CONV, "variant": ("plain", "full", "separable"), "execution": ("compiled",)}
_HALF: Grid = {**_CONV, "dtype": ("bfloat16",)}

# Cross products: a day or more.
_FULL: tuple[Grid, ...] = (
    *_STANDARD,
    {
        **_CONV,
        "resolution": (1, 2, 4, 8, 16, 32),
        "channels": (8, 16, 32, 64),
        "batch_size": (1, 16, 64),
        "image_size": (14, 28, 56),
        "kernel_size": (3, 5, 7),
    },
    {**_SIM2, "resolution": (4, 8, 16), "scales": (2, 4), "direction": CHOICES["direction"]},
    {**_CONV, "group": ("O2", "RPlus"), "resolution": (2, 4, 8, 16)},
    {**_CONV, "variant": (*_BASIC, *FACTORED), "resolution": (4, 8, 16), "kernels": CHOICES["kernels"]},
    {
        **_RESNET,
        "resolution": (1, 2, 4, 8, 16),
        "channels": (8, 16, 32),
        "image_size": (16, 28, 56),
        "kernel_size": (3, 5, 7),
        "direction": CHOICES["direction"],
    },
)

# What keeps a GPU busy is wider, and a GPU has more formats.
_CUDA: Grid = {**_CONV, "channels": (64,), "batch_size": (64,)}
_CUDA_QUICK: tuple[Grid, ...] = (*_QUICK, {**_CUDA, "resolution": (4, 8, 16)})
_CUDA_STANDARD: tuple[Grid, ...] = (
    *_STANDARD,
    {**_CUDA, "resolution": (4, 8, 16), "channels": (32, 64, 128), "kernel_size": (5, 7)},
    {**_CUDA, "resolution": (8,), "batch_size": (64, 256), "direction": CHOICES["direction"]},
    {**_CUDA, "dtype": CHOICES["dtype"]},
    {**_COMPILED, "channels": (16, 64), "batch_size": (64,)},
    {**_RESNET, "resolution": (4, 8, 16), "channels": (32,), "image_size": (28,), "dtype": CHOICES["dtype"]},
)

PROFILES: dict[str, dict[str, tuple[Grid, ...]]] = {
    "quick": {"cpu": _QUICK, "cuda": _CUDA_QUICK},
    "standard": {"cpu": (*_STANDARD, _ONE_THREAD, _COMPILED, _HALF), "cuda": _CUDA_STANDARD},
    "full": {"cpu": (*_FULL, _ONE_THREAD, _COMPILED, _HALF), "cuda": (*_FULL, *_CUDA_STANDARD)},
}


def available_cores() -> int:
    """The processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def expand(grid: Grid) -> list[Case]:
    """The cases of a grid, each once; combinations that make no sense are left out.

    Where the others leave no choice of variant, group, resolution or scales (plain, RPlus), none is asked for.

    Raises:
        InvalidCase: for a value that is not allowed on its axis.
    """
    return list(dict.fromkeys(point for point in _points(grid) if isinstance(point, Case)))


def _points(grid: Grid) -> list[Case | InvalidCase]:
    """The cases of a grid, or what keeps a combination from being one."""
    for axis, values in grid.items():
        for value in values:
            check_value(axis, value)
    points: list[Case | InvalidCase] = []
    for values in itertools.product(*grid.values()):
        try:
            points.append(Case(**settled(dict(zip(grid, values, strict=True)))))
        except InvalidCase as reason:
            points.append(reason)
    return points


def settled(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with those filled in that the others leave no choice for."""
    if is_own_layer(fields.get("implementation")):
        fields |= {"variant": "custom"}
    if fields.get("variant") == "plain":
        fields |= {"group": "trivial"}
        fields.pop("kernels", None)
    group = fields.get("group")
    if group == "trivial":
        fields |= {"resolution": 1}
    if group == "RPlus":
        fields |= {"scales": fields.get("resolution", Case.resolution)}
    elif group != "SO2xRPlus":
        fields |= {"scales": 1}
    return fields


def profile_cases(profile: str, **values: tuple[str | int, ...] | None) -> list[Case]:
    """The cases of a profile, each once, in a fixed order.

    Args:
        profile: a key of ``PROFILES``.
        values: for an axis of ``Case``, the values to use instead of the profile's own; None or nothing leaves them.
            ``layer`` chooses among the profile's grids instead, which are about one layer each, and ``device`` among
            its sets of grids. Threads are all available cores unless the profile or you say otherwise.

    Raises:
        InvalidCase: for an unknown profile, a value that is not allowed, or values that leave no case at all.
    """
    if profile not in PROFILES:
        raise InvalidCase(f"unknown profile {profile!r}; allowed: {', '.join(PROFILES)}")
    given = {axis: value for axis, value in values.items() if value is not None}
    layers = given.pop("layer", CHOICES["layer"])
    devices = given.pop("device", ("cpu",))
    for axis, chosen in (("layer", layers), ("device", devices)):
        for value in chosen:
            check_value(axis, value)
    points: list[Case | InvalidCase] = []
    for device in devices:
        for grid in PROFILES[profile][str(device)]:
            if set(grid["layer"]) <= set(layers):
                threads = {"threads": (available_cores(),)}
                points += _points({**threads, **grid, **given, "device": (device,)})
    cases = list(dict.fromkeys(point for point in points if isinstance(point, Case)))
    if not cases:
        raise InvalidCase(f"no case is left: {points[0]}" if points else "no case is left; give other values")
    return cases


def beside(cases: Iterable[Case], implementation: str) -> list[Case]:
    """The cases of a user's layer that share blocks with these: one for each shape, group and way of running a layer.

    Raises:
        InvalidCase: when ``implementation`` is not "package.module:Class".
    """
    if not is_own_layer(implementation):
        raise InvalidCase(f"layer {implementation!r} is no class; allowed: package.module:Class")
    ours = (case for case in cases if case.layer == "conv" and case.group != "trivial")
    own = (dataclasses.replace(case, implementation=implementation, variant="custom") for case in ours)
    return list(dict.fromkeys(own))
