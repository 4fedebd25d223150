"""Peers: layers by other people that our layers are compared with, one file each.

A peer takes and returns the same tensors as our layers, images (B, C, H, W) or maps on the group (B, C, |H|, H, W), and
computes in its own fastest layout inside. Our layers convert their input into their own layout and return their output
in that layout. Peers do the same, so the conversions of both are timed.

- torch: ``conv2d`` with fixed weights and the same C·|H| channels (dense, or 1×1 and then depthwise). It is not
  equivariant, and shows the cost of the arithmetic without a group.
- escnn: ``R2Conv`` between regular representations; Weiler, Cesa, "General E(2)-Equivariant Steerable CNNs", NeurIPS
  2019.
- authors: the layers of Knigge, Romero, Bekkers, ICML 2022, from a local checkout of their code.

``cases.peers`` has the variants and groups of each peer. To add a peer, add a row to its ``PEERS``, and a module here
with ``build_layer(case)`` and ``why_unavailable()``.
"""

import importlib
import warnings
from types import ModuleType

from torch import nn

from benchmarks.cases.case import Case
from benchmarks.cases.peers import PEERS


class PeerUnavailable(Exception):  # noqa: N818
    """A peer that is not installed, or has no layer for the case; the message is the reason."""


def why_unavailable(case: Case) -> str | None:
    """Return in one line why the peer of a case cannot be measured; None if it can, or if the case has no peer.

    The peer's own package is not imported.
    """
    if case.implementation not in PEERS:
        return None
    name, peer = case.implementation, PEERS[case.implementation]
    if case.variant not in peer.variants:
        return f"{name} has no variant {case.variant!r}; it has: {', '.join(peer.variants)}"
    if case.group not in peer.groups:
        return f"{name} has no group {case.group!r}; it has: {', '.join(peer.groups)}"
    reason: str | None = _module(case).why_unavailable()
    return reason


def build_peer(case: Case) -> nn.Module:
    """Build the layer of ``case.implementation``, with parameters drawn from torch's global generator.

    Raises:
        PeerUnavailable: when the peer is not installed, or has no layer for the case.
    """
    if reason := why_unavailable(case):
        raise PeerUnavailable(reason)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peers warn about their own use of torch and of optional packages
        try:
            layer: nn.Module = _module(case).build_layer(case)
        except ImportError as error:
            raise PeerUnavailable(str(error)) from error
    return layer


def _module(case: Case) -> ModuleType:
    return importlib.import_module(f"{__name__}.{PEERS[case.implementation].module}")
