"""A ``Case``, which is one thing to measure, and the axes on which it has its values.

A case consists of strings and integers alone, so that it can be hashed, stored and compared across machines. The ``id``
of a case makes a sweep resumable.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.cases.groups import SUBGROUPS, TRIVIAL, group_label
from benchmarks.cases.peers import PEER_VARIANTS, PEERS
from benchmarks.cases.variants import NETWORK_VARIANTS, VARIANTS

# Bump when a case means another measurement than before (what is in the timed region, how a network is built, …): ids
# change with the version, so that old records are not taken for new ones.
CASE_VERSION = 2

OURS = "gcnn_impl"
# The name of a user's own layer: an importable class.
USER_LAYER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

# The axes whose values are names, and the names that are allowed. The values on every other axis are positive integers.
# ``implementation`` may also be "package.module:Class".
CHOICES: dict[str, tuple[str, ...]] = {
    "layer": ("conv", "resnet"),
    "implementation": (OURS, *PEERS),
    "variant": tuple(VARIANTS),
    "group": tuple(SUBGROUPS),
    "direction": ("forward", "forward_backward", "training_step"),
    "kernels": ("cached", "generated"),
    "execution": ("eager", "compiled"),
    "device": ("cpu", "cuda"),
    "dtype": ("float32", "bfloat16", "tf32"),
}
# Two poolings halve the image before the network's last, unpadded 3×3 convolution.
SMALLEST_RESNET_IMAGE = 9


class InvalidCase(ValueError):  # noqa: N818
    """A value that no case can have; the message names the value and what is allowed."""


@dataclass(frozen=True)
class Case:
    """A module, its input, and how the module is run.

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
        InvalidCase: for a value that is not allowed, by itself or together with the other values.
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
        if self.layer == "resnet":
            self._require("variant", NETWORK_VARIANTS, "layer 'resnet'")

    def _check_group(self) -> None:
        self._require("group", VARIANTS[self.variant].groups, f"variant {self.variant!r}")
        if self.group == TRIVIAL:
            self._require("resolution", (1,), "group 'trivial'")
        subgroup = SUBGROUPS[self.group]
        if self.resolution % subgroup.reflections:
            raise InvalidCase(
                f"resolution {self.resolution} does not go with group {self.group!r}; allowed: even integers"
            )
        grid = f"group {self.group!r}" + (f" of resolution {self.resolution}" if subgroup.scales != "none" else "")
        self._require("scales", subgroup.allowed_scales(self.resolution), grid)

    def _require(self, axis: str, allowed: Iterable[str | int], others: str) -> None:
        value, allowed = getattr(self, axis), tuple(allowed)
        if value not in allowed:
            raise InvalidCase(f"{axis} {value!r} does not go with {others}; allowed: {', '.join(map(str, allowed))}")

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
        """Number of rotations in the group's grid."""
        return SUBGROUPS[self.group].rotations(self.resolution, self.scales)

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that depend on every field and on ``CASE_VERSION``, and are the same everywhere."""
        return short_hash({"case_version": CASE_VERSION, **self.fields()})

    @property
    def label(self) -> str:
        """A short name for people: progress bars and listings."""
        name = self.variant if self.implementation == OURS else f"{self.implementation} {self.variant}"
        group = "" if self.group == TRIVIAL else f" {group_label(self.group, self.resolution, self.scales)}"
        shape = f"C={self.channels} B={self.batch_size} {self.image_size}×{self.image_size} k={self.kernel_size}"
        pass_ = f"{self.direction} {self.kernels}" if self.direction == "forward" else self.direction
        extras = [value for value in (self.execution, self.dtype) if value not in ("eager", "float32")]
        where = f"{self.device}×{self.threads}" if self.device == "cpu" else self.device
        return " ".join([f"{self.layer} {name}{group}", shape, pass_, *extras, where])

    def fields(self) -> dict[str, str | int]:
        """Return the fields as a record stores them."""
        return dataclasses.asdict(self)


AXES: tuple[str, ...] = tuple(field.name for field in dataclasses.fields(Case))


def short_hash(content: Mapping[str, object]) -> str:
    """Return twelve hexadecimal digits that depend on JSON content alone, and are the same on every machine."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def is_own_layer(implementation: object) -> bool:
    """Return whether a value names a user's layer, "package.module:Class"."""
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
