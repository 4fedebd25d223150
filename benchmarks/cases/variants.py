"""The variants that a case may name; ``gcnn_impl.layers`` has the layers themselves."""

from dataclasses import dataclass

from benchmarks.cases.groups import GROUPS, TRIVIAL


@dataclass(frozen=True)
class Variant:
    """A kind of layer, or of network."""

    costs_like: str  # the variant whose seconds per MAC and number of maps at the peak are taken for this one
    groups: tuple[str, ...] = GROUPS
    has_layer: bool = True  # whether such a layer exists
    has_network: bool = True  # whether a network of such layers exists
    fixed_weights: bool = False  # whether all its convolutions are ordinary ones, which generate no kernels


# A user's own layer or network is "custom". "averaged" and "canonical" are plain networks that see turned copies of an
# image: the first averages its logits over all copies in evaluation, the second has a small group network choose one.
VARIANTS = {
    "plain": Variant("plain", (TRIVIAL,), fixed_weights=True),
    "lifting": Variant("lifting", has_network=False),
    "full": Variant("full"),
    "separable": Variant("separable"),
    "gseparable": Variant("full"),
    "dseparable": Variant("separable"),
    "dgseparable": Variant("separable"),
    "separable2d": Variant("separable", ("SO2xRPlus",)),
    "averaged": Variant("plain", ("SO2",), has_layer=False, fixed_weights=True),
    "canonical": Variant("plain", ("SO2",), has_layer=False),
    "custom": Variant("full", (TRIVIAL, *GROUPS), has_network=False),
}
TURNED = ("averaged", "canonical")
BASIC = ("plain", "lifting", "full", "separable")
FACTORED = ("gseparable", "dseparable", "dgseparable")
LAYER_VARIANTS = tuple(name for name, variant in VARIANTS.items() if variant.has_layer)
NETWORK_VARIANTS = tuple(name for name, variant in VARIANTS.items() if variant.has_network)
