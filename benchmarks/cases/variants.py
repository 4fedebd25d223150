"""The variants that a case may name; ``gcnn_impl.layers`` has the layers themselves."""

from dataclasses import dataclass

from benchmarks.cases.groups import GROUPS, TRIVIAL


@dataclass(frozen=True)
class Variant:
    """A kind of layer."""

    costs_like: str  # the variant whose seconds per MAC and number of maps at the peak are taken for this one
    groups: tuple[str, ...] = GROUPS
    has_network: bool = True  # whether a network of such layers exists


# A user's own layer is "custom".
VARIANTS = {
    "plain": Variant("plain", (TRIVIAL,)),
    "lifting": Variant("lifting", has_network=False),
    "full": Variant("full"),
    "separable": Variant("separable"),
    "gseparable": Variant("full"),
    "dseparable": Variant("separable"),
    "dgseparable": Variant("separable"),
    "separable2d": Variant("separable", ("SO2xRPlus",)),
    "custom": Variant("full", (TRIVIAL, *GROUPS), has_network=False),
}
BASIC = ("plain", "lifting", "full", "separable")
FACTORED = ("gseparable", "dseparable", "dgseparable")
NETWORK_VARIANTS = tuple(name for name, variant in VARIANTS.items() if variant.has_network)
