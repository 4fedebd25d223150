"""The network of a case: on a group, plain, plain on turned copies of its images, or a user's own.

``comparing`` runs this module with the ``gcnn_impl`` of old commits, which may lack the newer networks.
"""

from typing import Any

from torch import nn

import gcnn_impl
from benchmarks.cases.case import Case
from benchmarks.workloads.own import build_own_network
from benchmarks.workloads.shapes import group_of

# The names of the plain network and of the one on a group; those of their configs have "Config" at the end.
NAMES = {"resnet": ("PlainResNet", "GroupResNet"), "allcnnc": ("AllCNNC", "GroupAllCNNC")}
TURNED_NAMES = {"averaged": "Averaged", "canonical": "Canonical"}


def network_config(case: Case, **options: Any) -> Any:
    """Return the config of one of our networks; ``options`` are those of its kernel nets and its grids."""
    wide = 2 * case.channels
    widths = {"resnet": (case.channels, case.channels, wide), "allcnnc": (case.channels, wide)}[case.layer]
    shape, group = (case.in_channels, case.num_classes, widths, case.kernel_size), group_of(case)
    plain, grouped = (getattr(gcnn_impl, f"{name}Config") for name in NAMES[case.layer])
    if group is None:
        return plain(*shape)
    if case.variant in TURNED_NAMES:
        nets = {name: options[name] for name in ("hidden_features",) if name in options and case.variant == "canonical"}
        return getattr(gcnn_impl, f"{TURNED_NAMES[case.variant]}Config")(plain(*shape), group, **nets)
    return grouped(*shape, group=group, variant=case.variant, **options)


def build_network(case: Case, *, meta: bool = False, **options: Any) -> nn.Module:
    """Build the network of a case, with parameters drawn from torch's global generator; see ``network_config``.

    Args:
        meta: whether to build it without values, to count its parameters and MACs.

    Raises:
        InvalidModule: when a user's network cannot be built.
    """
    if case.own:
        own = build_own_network(case)
        return own.to("meta") if meta else own
    config = network_config(case, **options)
    name = type(config).__name__.removesuffix("Config")
    made_by = getattr(gcnn_impl, name, None) or getattr(gcnn_impl, f"{name}Network")
    network: nn.Module = made_by(config, **({"device": "meta"} if meta else {}))
    return network
