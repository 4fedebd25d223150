"""The peers that a case may name: packages with other people's layers, which ``workloads.peers`` builds."""

from dataclasses import dataclass

from benchmarks.cases.groups import GROUPS


@dataclass(frozen=True)
class Peer:
    """A package of layers: the module in ``workloads.peers`` that builds them, and their variants and groups."""

    module: str
    variants: tuple[str, ...]
    groups: tuple[str, ...]
    fixed_weights: bool = False  # whether its layers generate no kernels; such layers need not be equivariant


PEERS = {
    "torch": Peer("fixed_weights", ("lifting", "full", "separable"), GROUPS, fixed_weights=True),
    "escnn": Peer("escnn", ("lifting", "full"), ("SO2", "O2")),
    "authors": Peer(
        "authors", ("lifting", "full", "separable", "gseparable", "dseparable", "dgseparable"), groups=("SO2",)
    ),
}
AUTHORS_REPOSITORY = "https://github.com/david-knigge/separable-group-convolutional-networks"
# The environment variable with the path of a checkout of that repository.
AUTHORS_VARIABLE = "GCNN_AUTHORS"
# The variants that at least one peer has.
PEER_VARIANTS = tuple(dict.fromkeys(variant for peer in PEERS.values() for variant in peer.variants))
