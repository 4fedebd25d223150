"""Layers by other people as contenders, one file each; our own layers and those of users live elsewhere.

A peer takes and returns what our layers do, images (B, C, H, W) or maps on the group (B, C, |H|, H, W), and computes
in its own best way inside. Our layers convert the input into their layout and leave the output in that layout; peers
do the same, so that conversions are timed alike.

============  ==============================  =====================  ===================================================
peer          variants                        groups                 what the peer is
============  ==============================  =====================  ===================================================
torch         lifting, full, separable        all                    fixed-weight ``conv2d`` of the same C·|H| channels:
                                                                     dense, or 1×1 and then depthwise. Not equivariant:
                                                                     what the arithmetic costs without a group
escnn         lifting, full                   SO2, O2                ``R2Conv`` between regular representations; Weiler,
                                                                     Cesa, "General E(2)-Equivariant Steerable CNNs",
                                                                     NeurIPS 2019
authors       all but separable2d             SO2                    Knigge, Romero, Bekkers, ICML 2022; from a checkout
                                                                     of ``AUTHORS_REPOSITORY`` on this machine
============  ==============================  =====================  ===================================================

A new peer is a module here with ``build_layer(case)`` and ``why_unavailable()``, and a row of ``cases.peers``.
"""

import importlib
import warnings
from types import ModuleType

from torch import nn

from benchmarks.cases.case import Case
from benchmarks.cases.peers import PEERS


class PeerUnavailable(Exception):  # noqa: N818
    """A peer that is not installed, or that lacks the case; the message is the reason."""


def why_unavailable(case: Case) -> str | None:
    """Return in one line why the case cannot be measured with its peer; None where it can, or where it has no peer.

    The peer's own package is not imported.
    """
    if case.implementation not in PEERS:
        return None
    name, peer = case.implementation, PEERS[case.implementation]
    if case.layer != "conv":
        return f"{name} is compared by layers, not by networks"
    if case.variant not in peer.variants:
        return f"{name} has no variant {case.variant!r}; it has: {', '.join(peer.variants)}"
    if case.group not in peer.groups:
        return f"{name} has no group {case.group!r}; it has: {', '.join(peer.groups)}"
    reason: str | None = _module(case).why_unavailable()
    return reason


def build_peer(case: Case) -> nn.Module:
    """Build the layer of ``case.implementation``, with parameters drawn from torch's global generator.

    Raises:
        PeerUnavailable: when the peer is not installed, or lacks the case.
    """
    reason = why_unavailable(case)
    if reason is not None:
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
