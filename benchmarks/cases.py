"""What can be measured: the axes, one ``Case`` on them, and the profiles, which are sets of cases.

A case is strings and integers, nothing else, so that it can be hashed, stored and compared across machines. Its ``id``
is what makes a sweep resumable.
"""

import dataclasses
import hashlib
import itertools
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

# Bump when a case means another measurement than before (what is in the timed region, how a network is built, …): ids
# change with it, so old records are not taken for new ones.
CASE_VERSION = 1

# The axes that are names, and what is allowed on them. Every other axis is a positive integer.
CHOICES: dict[str, tuple[str, ...]] = {
    "layer": ("conv", "resnet"),
    "variant": ("plain", "lifting", "full", "separable"),
    "group": ("trivial", "SO2"),
    "direction": ("forward", "forward_backward"),
    "device": ("cpu", "cuda"),
    "dtype": ("float32",),
}
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
        variant: "plain" (torch's Conv2d, or the plain twin of the network), "lifting" (only a layer), "full" or
            "separable".
        group: the subgroup H; "trivial" for plain, and for nothing else.
        resolution: |H|, the number of group elements; 1 for plain.
        channels: C.
        batch_size: images in a pass.
        image_size: height and width, pixels.
        kernel_size: odd, pixels.
        direction: "forward" (inference: eval, no gradients, kernels cached) or "forward_backward" (training: kernels
            generated in every pass, gradients of the parameters and, for a layer, of its input).
        device, dtype: where and in what the pass is computed.
        threads: of torch's intra-op pool.

    Raises:
        InvalidCase: for a value that is not allowed.
    """

    layer: str = "conv"
    variant: str = "separable"
    group: str = "SO2"
    resolution: int = 8
    channels: int = 16
    batch_size: int = 16
    image_size: int = 28
    kernel_size: int = 5
    direction: str = "forward"
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1

    def __post_init__(self) -> None:
        for axis, value in self.fields().items():
            check_value(axis, value)
        plain = self.variant == "plain"
        if plain != (self.group == "trivial"):
            allowed = "trivial" if plain else "SO2"
            raise InvalidCase(f"group {self.group!r} does not go with variant {self.variant!r}; allowed: {allowed}")
        if plain and self.resolution != 1:
            raise InvalidCase(f"resolution {self.resolution} does not go with variant 'plain'; allowed: 1")
        if self.layer == "resnet" and self.variant == "lifting":
            raise InvalidCase("variant 'lifting' does not go with layer 'resnet'; allowed: plain, full, separable")
        if self.layer == "resnet" and self.image_size < SMALLEST_RESNET_IMAGE:
            raise InvalidCase(
                f"image_size {self.image_size} is too small for layer 'resnet'; "
                f"allowed: {SMALLEST_RESNET_IMAGE} or more"
            )

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that depend on every field and on ``CASE_VERSION``, on any machine the same."""
        canonical = json.dumps({"case_version": CASE_VERSION, **self.fields()}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def label(self) -> str:
        """A short name for people: progress bars and listings."""
        group = "" if self.variant == "plain" else f" {self.group}({self.resolution})"
        shape = f"C={self.channels} B={self.batch_size} {self.image_size}×{self.image_size} k={self.kernel_size}"
        where = f"{self.device}×{self.threads}" if self.device == "cpu" else self.device
        return f"{self.layer} {self.variant}{group} {shape} {self.direction} {where}"

    def fields(self) -> dict[str, str | int]:
        """The fields as they are stored in a record."""
        return dataclasses.asdict(self)


AXES: tuple[str, ...] = tuple(field.name for field in dataclasses.fields(Case))


def check_value(axis: str, value: str | int) -> None:
    """Raise ``InvalidCase`` unless ``value`` is allowed on the axis, whatever the other axes are."""
    if axis in CHOICES:
        if value not in CHOICES[axis]:
            raise InvalidCase(f"unknown {axis} {value!r}; allowed: {', '.join(CHOICES[axis])}")
    elif isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidCase(f"{axis} {value!r} is not allowed; allowed: integers of at least 1")
    elif axis == "kernel_size" and value % 2 == 0:
        raise InvalidCase(f"kernel_size {value} is even; allowed: odd integers of at least 1")


# A grid is the cross product of the values on its axes; an axis left out has the default of ``Case``.
Grid = Mapping[str, tuple[str | int, ...]]

_DIRECTIONS = CHOICES["direction"]
_CONV: Grid = {"layer": ("conv",), "variant": CHOICES["variant"], "direction": _DIRECTIONS}
_RESNET: Grid = {
    "layer": ("resnet",),
    "variant": ("plain", "full", "separable"),
    "batch_size": (64,),
    "direction": _DIRECTIONS,
}

PROFILES: dict[str, tuple[Grid, ...]] = {
    # One axis at a time around a base point, and the networks of the quick training study: minutes.
    "quick": (
        {**_CONV, "resolution": (2, 4, 8, 16)},
        {**_CONV, "channels": (8, 16, 32)},
        {**_CONV, "batch_size": (1, 16, 64)},
        {**_RESNET, "resolution": (2, 4, 8), "channels": (8,), "image_size": (16,)},
    ),
    # The cross products: hours.
    "standard": (
        {
            **_CONV,
            "resolution": (4, 8, 16),
            "channels": (8, 16, 32, 64),
            "batch_size": (1, 16, 64),
            "kernel_size": (5, 7),
        },
        {**_RESNET, "resolution": (4, 8, 16), "channels": (8, 16, 32), "kernel_size": (5, 7)},
    ),
    # Wider still, and more image sizes: a day or more.
    "full": (
        {
            **_CONV,
            "resolution": (1, 2, 4, 8, 16, 32),
            "channels": (8, 16, 32, 64),
            "batch_size": (1, 16, 64),
            "image_size": (14, 28, 56),
            "kernel_size": (3, 5, 7),
        },
        {
            **_RESNET,
            "resolution": (1, 2, 4, 8, 16),
            "channels": (8, 16, 32),
            "image_size": (16, 28, 56),
            "kernel_size": (3, 5, 7),
        },
    ),
}


def available_cores() -> int:
    """The processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def expand(grid: Grid) -> list[Case]:
    """The cases of a grid.

    A plain convolution has no group, so all its resolutions are one case; a network does not come as "lifting" alone.

    Raises:
        InvalidCase: for a value that is not allowed on its axis.
    """
    for axis, values in grid.items():
        for value in values:
            check_value(axis, value)
    cases = []
    for point in itertools.product(*grid.values()):
        fields = dict(zip(grid, point, strict=True))
        if fields.get("variant") == "plain":
            fields |= {"group": "trivial", "resolution": 1}
        if fields.get("layer") == "resnet" and fields.get("variant") == "lifting":
            continue
        cases.append(Case(**fields))  # type: ignore[arg-type]
    return list(dict.fromkeys(cases))


def profile_cases(profile: str, **values: tuple[str | int, ...] | None) -> list[Case]:
    """The cases of a profile, each once, in a fixed order.

    Args:
        profile: a key of ``PROFILES``.
        values: for an axis of ``Case``, the values to use instead of the profile's own; None or nothing leaves them.
            ``layer`` chooses among the profile's grids instead, which are about one layer each. Threads are all
            available cores unless given.

    Raises:
        InvalidCase: for an unknown profile, a value that is not allowed, or values that leave no case at all.
    """
    if profile not in PROFILES:
        raise InvalidCase(f"unknown profile {profile!r}; allowed: {', '.join(PROFILES)}")
    given = {axis: value for axis, value in values.items() if value is not None}
    given.setdefault("threads", (available_cores(),))
    layers = given.pop("layer", CHOICES["layer"])
    for layer in layers:
        check_value("layer", layer)
    grids = [{**grid, **given} for grid in PROFILES[profile] if set(grid["layer"]) <= set(layers)]
    cases = list(dict.fromkeys(case for grid in grids for case in expand(grid)))
    if not cases:
        raise InvalidCase("no case is left: a network (layer 'resnet') has no variant 'lifting'")
    return cases
