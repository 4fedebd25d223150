"""A ``Case`` describes one thing to measure by a value on each axis.

The values are strings and integers alone, so a case can be hashed, stored and compared across machines. A
resumed sweep leaves out the cases whose ``id`` has a record.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.cases.groups import GROUP_BY_NAME, SUBGROUPS, TRIVIAL, group_label, group_named
from benchmarks.cases.meant import unknown
from benchmarks.cases.peers import PEER_VARIANTS, PEERS
from benchmarks.cases.variants import LAYER_VARIANTS, NETWORK_VARIANTS, VARIANTS

# Bump this version when the same case means another measurement (another timed region, another network, …). All ids
# depend on it, so that old records are not taken for new ones.
CASE_VERSION = 2

OURS = "gcnn_impl"
# The name of a user's own layer, "package.module:Class", or network, "package.module:factory".
USER_LAYER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

# The names that are allowed on an axis; ``implementation`` may also be a ``USER_LAYER``. The values on every other axis
# are positive integers.
CHOICES: dict[str, tuple[str, ...]] = {
    "layer": ("conv", "resnet", "allcnnc", "network"),
    "implementation": (OURS, *PEERS),
    "variant": tuple(VARIANTS),
    "group": tuple(SUBGROUPS),
    "direction": ("forward", "forward_backward", "training_step"),
    "kernels": ("cached", "generated"),
    "execution": ("eager", "compiled", "graphed"),
    "device": ("cpu", "cuda"),
    "dtype": ("float32", "bfloat16", "tf32"),
}
# Both networks halve the image twice; the ResNet's last convolution is 3×3 and has no padding.
SMALLEST_IMAGES = {"resnet": 9, "allcnnc": 4}
# The images that networks had before these axes existed; cases of such images keep their ids.
FORMER_IMAGES = {"in_channels": 1, "num_classes": 10}


class InvalidCase(ValueError):  # noqa: N818
    """A value that is not allowed; the message names the value and the allowed ones."""


class InvalidGrid(InvalidCase):
    """Values for which a group has no grid."""


@dataclass(frozen=True)
class Case:
    """A module, its input, and how the module is run.

    Args:
        layer: "conv", one layer from ``channels`` to ``channels`` that keeps the image size; "resnet", the paper's
            network of widths (C, C, 2C); "allcnnc", its All-CNN-C of widths (C, 2C); or "network", a user's own.
        implementation: "gcnn_impl"; a peer, "torch" (fixed weights of the same shapes), "escnn" or "authors"; or a
            user's own layer, "package.module:Class", or network, "package.module:factory".
        variant: "plain" (torch's Conv2d, or the network without a group), "lifting" (a layer only), a key of
            ``gcnn_impl.CONVOLUTIONS``, "averaged" or "canonical" (a network only), or "custom" for a user's own.
        group: the subgroup H, or a usual name of it or of R² ⋊ H, such as "SE(2)"; "trivial" for plain and for a user's
            network, and optionally for a user's layer.
        resolution: |H|, the number of group elements: rotations × scales, × 2 for O2; 1 for the trivial group.
        scales: number of scales in the grid on H: |H| for RPlus, a divisor of |H| for SO2xRPlus, 1 for other groups.
        channels, batch_size: number of channels C, and number of images in a pass.
        image_size, kernel_size: height and width in pixels; odd for kernels.
        direction: "forward" (inference: eval, no gradients), "forward_backward" (train mode, gradients of the
            parameters and, for a layer, of its input) or "training_step" (forward, backward and a step of Adam).
        kernels: "cached", or "generated" in every pass. Training always generates them; fixed weights (plain, torch)
            are always "cached" in inference. The default is "cached" where that is allowed.
        execution: "eager", "compiled" by ``torch.compile``, or "graphed": the whole pass is captured in a CUDA graph
            once, and each timed pass replays the graph. "graphed" needs CUDA.
        device, dtype: where and in which format the pass is computed; "bfloat16" is autocast, "tf32" needs CUDA.
        threads: size of torch's intra-op thread pool.
        in_channels, num_classes: channels of a network's images, and number of its logits.

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
    in_channels: int = FORMER_IMAGES["in_channels"]
    num_classes: int = FORMER_IMAGES["num_classes"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "group", group_named(self.group))
        if not self.kernels:
            object.__setattr__(self, "kernels", "generated" if self._must_generate else "cached")
        for axis, value in self.fields().items():
            check_value(axis, value)
        self._check_variant()
        self._check_group()
        if self._must_generate:
            self._require("kernels", ("generated",), f"direction {self.direction!r}")
        elif self.fixed_weights:
            self._require("kernels", ("cached",), "fixed weights in direction 'forward'")
        if self.dtype == "tf32":
            self._require("device", ("cuda",), "dtype 'tf32'")
        if self.execution == "graphed":
            self._require("device", ("cuda",), "execution 'graphed'")
        if self.image_size < (smallest := SMALLEST_IMAGES.get(self.layer, 1)):
            size = f"image_size {self.image_size} is too small for layer {self.layer!r}"
            raise InvalidCase(f"{size}; allowed: {smallest} or more")

    def _check_variant(self) -> None:
        named = f"implementation {self.implementation!r}"
        if self.variant == "custom" and not self.own:
            raise InvalidCase("variant 'custom' needs implementation package.module:Class")
        if self.layer == "network" and not self.own:
            raise InvalidCase("layer 'network' needs implementation package.module:factory")
        if self.own:
            self._require("layer", ("conv", "network"), named)
            self._require("variant", ("custom",), named)
        elif self.foreign:
            self._require("layer", ("conv",), named)
            self._require("variant", PEER_VARIANTS, named)
        else:
            variants = NETWORK_VARIANTS if self.is_network else LAYER_VARIANTS
            self._require("variant", variants, f"layer {self.layer!r}")
        if not self.is_network:
            for axis, value in FORMER_IMAGES.items():
                self._require(axis, (value,), "layer 'conv'")

    def _check_group(self) -> None:
        if self.layer == "network":
            self._require("group", (TRIVIAL,), "layer 'network'")
        self._require("group", VARIANTS[self.variant].groups, f"variant {self.variant!r}")
        subgroup = SUBGROUPS[self.group]
        group = f"group {self.group!r}"
        if subgroup.resolutions:
            self._require("resolution", subgroup.resolutions, group)
        if odd := self.resolution % subgroup.reflections:
            near = [n for n in (self.resolution - odd, self.resolution + odd) if n > 0]
            allowed = f"even integers (rotations × 2), the nearest are {' and '.join(map(str, near))}"
            raise InvalidGrid(f"resolution {self.resolution} does not go with {group}; allowed: {allowed}")
        grid = group + (f" of resolution {self.resolution}" if subgroup.scales != "none" else "")
        self._require("scales", subgroup.allowed_scales(self.resolution), grid, InvalidGrid)

    def _require(
        self, axis: str, allowed: Iterable[str | int], others: str, error: type[InvalidCase] = InvalidCase
    ) -> None:
        value, allowed = getattr(self, axis), tuple(allowed)
        if value not in allowed:
            raise error(f"{axis} {value!r} does not go with {others}; allowed: {', '.join(map(str, allowed))}")

    @property
    def is_network(self) -> bool:
        """Whether the module is a network, from images to logits."""
        return self.layer != "conv"

    @property
    def own(self) -> bool:
        """Whether the module is a user's layer or network."""
        return is_own(self.implementation)

    @property
    def own_module(self) -> str:
        """The name of a user's layer or network, "package.module:object"; empty if the module is not a user's."""
        return self.implementation if self.own else ""

    @property
    def foreign(self) -> bool:
        """Whether the module is a peer's or a user's."""
        return self.implementation != OURS

    @property
    def fixed_weights(self) -> bool:
        """Whether the convolutions are ordinary ones, which generate no kernels."""
        peer = PEERS.get(self.implementation)
        return VARIANTS[self.variant].fixed_weights or (peer is not None and peer.fixed_weights)

    @property
    def _must_generate(self) -> bool:
        return self.direction != "forward"

    @property
    def rotations(self) -> int:
        """Number of rotations in the grid on H."""
        return SUBGROUPS[self.group].rotations(self.resolution, self.scales)

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits, computed from all fields and ``CASE_VERSION``; the same on every machine."""
        return short_hash({"case_version": CASE_VERSION, **without(FORMER_IMAGES, self.fields())})

    @property
    def label(self) -> str:
        """A short name, for progress bars and listings."""
        name = self.variant if self.implementation == OURS else f"{self.implementation} {self.variant}"
        group = "" if self.group == TRIVIAL else f" {group_label(self.group, self.resolution, self.scales)}"
        images = "" if self.in_channels == FORMER_IMAGES["in_channels"] else f"{self.in_channels}×"
        images += f"{self.image_size}×{self.image_size}"
        kernel = "" if self.layer == "network" else f" k={self.kernel_size}"  # a user's network is given no such size
        shape = f"C={self.channels} B={self.batch_size} {images}{kernel}"
        pass_ = f"{self.direction} {self.kernels}" if self.direction == "forward" else self.direction
        extras = [value for value in (self.execution, self.dtype) if value not in ("eager", "float32")]
        where = f"{self.device}×{self.threads}" if self.device == "cpu" else self.device
        return " ".join([f"{self.layer} {name}{group}", shape, pass_, *extras, where])

    def fields(self) -> dict[str, str | int]:
        """Return the fields in the form in which a record stores them."""
        return dataclasses.asdict(self)


AXES: tuple[str, ...] = tuple(field.name for field in dataclasses.fields(Case))


def short_hash(content: Mapping[str, object]) -> str:
    """Return twelve hexadecimal digits that depend on the JSON content alone, the same on every machine."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def without(former: Mapping[str, object], fields: Mapping[str, object]) -> dict[str, object]:
    """Return the fields without those that came later and have their former values, so that old ids stay the same."""
    return {name: value for name, value in fields.items() if name not in former or value != former[name]}


def is_own(implementation: object) -> bool:
    """Return whether a value names a user's layer, "package.module:Class", or network, "package.module:factory"."""
    return isinstance(implementation, str) and USER_LAYER.fullmatch(implementation) is not None


def check_value(axis: str, value: str | int) -> None:
    """Raise ``InvalidCase`` unless the axis allows the value; the other axes do not matter."""
    if axis in CHOICES:
        if value not in CHOICES[axis] and not (axis == "implementation" and is_own(value)):
            own = ["package.module:Class"] if axis == "implementation" else []
            names = GROUP_BY_NAME if axis == "group" else None
            raise InvalidCase(unknown(axis, value, [*CHOICES[axis], *own], names))
    elif isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidCase(f"{axis} {value!r} is not allowed; allowed: integers of at least 1")
    elif axis == "kernel_size" and value % 2 == 0:
        raise InvalidCase(f"kernel_size {value} is even; allowed: odd integers of at least 1")
