"""Other people's layers as contenders: torch's own convolutions, escnn, and the layers of the paper's authors.

Each takes and returns what ours do, images (B, C, H, W) or maps on the group (B, C, |H|, H, W), in their own best way
inside. Ours bring the input into their layout and leave the output in it; peers do the same, so conversions are timed
alike.

============  ==============================  =====================  ===================================================
peer          variants                        groups                 what it is
============  ==============================  =====================  ===================================================
torch         lifting, full, separable        all                    fixed-weight ``conv2d`` of the same C·|H| channels:
                                                                     dense, or 1×1 and then depthwise. Not equivariant:
                                                                     what the arithmetic costs without a group
escnn         lifting, full                   SO2, O2                ``R2Conv`` between regular representations; Weiler,
                                                                     Cesa, "General E(2)-Equivariant Steerable CNNs",
                                                                     NeurIPS 2019
authors       all but separable2d             SO2                    Knigge, Romero, Bekkers, ICML 2022; from a checkout
                                                                     of yours of ``AUTHORS_REPOSITORY``
============  ==============================  =====================  ===================================================
"""

import importlib
import importlib.util
import os
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.cases import GROUPS, Case

AUTHORS_REPOSITORY = "https://github.com/david-knigge/separable-group-convolutional-networks"
AUTHORS_VARIABLE = "GCNN_AUTHORS"
AUTHORS_LAYERS = {
    "lifting": "LiftingConv",
    "full": "GroupConv",
    "separable": "GroupConvSeparable",
    "gseparable": "GroupConvGSeparable",
    "dseparable": "GroupConvDSeparable",
    "dgseparable": "GroupConvDGSeparable",
}
# Sizes of the kernel net, which ours share: two sine layers of 64.
AUTHORS_KERNEL_NET = {
    "ck_net_num_hidden": 1,
    "ck_net_hidden_size": 64,
    "ck_net_implementation": "SIREN",
    "ck_net_first_omega_0": 10.0,
    "ck_net_omega_0": 10.0,
}
# What each peer has: variants, groups.
HAS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "torch": (("lifting", "full", "separable"), GROUPS),
    "escnn": (("lifting", "full"), ("SO2", "O2")),
    "authors": (tuple(AUTHORS_LAYERS), ("SO2",)),
}


class PeerUnavailable(Exception):  # noqa: N818
    """A peer that is not installed, or does not have the case; the message is the reason."""


def why_unavailable(case: Case) -> str | None:
    """Why a case cannot be measured for what it is a peer's, in one line; None if it can. Imports nothing."""
    if case.implementation not in HAS:
        return None
    variants, groups = HAS[case.implementation]
    if case.layer != "conv":
        return f"{case.implementation} is compared by layers, not by networks"
    if case.variant not in variants:
        return f"{case.implementation} has no variant {case.variant!r}; it has: {', '.join(variants)}"
    if case.group not in groups:
        return f"{case.implementation} has no group {case.group!r}; it has: {', '.join(groups)}"
    if case.implementation == "escnn" and "escnn" not in sys.modules and importlib.util.find_spec("escnn") is None:
        return "escnn is not installed; `nox -s peers` installs it"
    if case.implementation == "authors":
        return why_no_checkout(os.environ.get(AUTHORS_VARIABLE))
    return None


def build_peer(case: Case) -> nn.Module:
    """The layer of ``case.implementation``, with parameters drawn from torch's global generator.

    Raises:
        PeerUnavailable: when the peer is not installed, or does not have the case.
    """
    reason = why_unavailable(case)
    if reason is not None:
        raise PeerUnavailable(reason)
    builders = {"torch": _build_torch, "escnn": EscnnConv2d, "authors": _build_authors}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peers warn about their own use of torch and of optional packages
        return builders[case.implementation](case)


class FixedWeightConv2d(nn.Module):
    """Ordinary convolutions on the C·|H| channels of a map.

    Channels-last, data and weights: on NCHW data a training pass of 1×1 and depthwise takes 3 to 8 times as long, and
    one of a dense convolution between 10 % less and 40 % more (batch 1 to 64, 2 cores).

    Args:
        convolutions: from C, or C·|H|, to C·|H| channels.
        resolution: |H|.
    """

    def __init__(self, convolutions: nn.Sequential, resolution: int) -> None:
        super().__init__()
        self.convolutions = convolutions.to(memory_format=torch.channels_last)
        self.resolution = resolution

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) or (B, C, |H|, H, W) → (B, C, |H|, H, W)."""
        y = x.flatten(1, -3).contiguous(memory_format=torch.channels_last)  # (B, C·|H|, H, W)
        return self.convolutions(y).unflatten(1, (-1, self.resolution))


def _build_torch(case: Case) -> nn.Module:
    k, maps = case.kernel_size, case.channels * case.resolution
    if case.variant == "separable":
        layers = [nn.Conv2d(maps, maps, 1), nn.Conv2d(maps, maps, k, padding=k // 2, groups=maps)]
    else:
        layers = [nn.Conv2d(case.channels if case.variant == "lifting" else maps, maps, k, padding=k // 2)]
    return FixedWeightConv2d(nn.Sequential(*layers), case.resolution)


class EscnnConv2d(nn.Module):
    """Escnn's ``R2Conv`` from C trivial (lifting) or C regular fields to C regular ones, over Cₙ or Dₙ.

    Escnn keeps the expanded filter in eval, and expands it anew in every pass in train: cached and generated kernels.
    """

    def __init__(self, case: Case) -> None:
        super().__init__()
        gspaces, escnn = _import_escnn()
        if case.group == "SO2":
            space = gspaces.rot2dOnR2(case.resolution)
        else:  # its reflection turns y over, as ours does
            space = gspaces.flipRot2dOnR2(case.resolution // 2, axis=0.0)
        field_in = space.trivial_repr if case.variant == "lifting" else space.regular_repr
        self.resolution, self.tensor = case.resolution, escnn.GeometricTensor
        self.expands_always = case.kernels == "generated"
        self.in_type = escnn.FieldType(space, case.channels * [field_in])
        out_type = escnn.FieldType(space, case.channels * [space.regular_repr])
        self.conv = escnn.R2Conv(self.in_type, out_type, case.kernel_size, padding=case.kernel_size // 2)

    def train(self, mode: bool = True) -> "EscnnConv2d":
        """As ever, but for generated kernels never eval: what it means beside that, dropout say, is not in here."""
        with torch.no_grad():  # or the filter that escnn keeps hangs on the graph, and nobody can copy the module
            return super().train(mode or self.expands_always)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) or (B, C, |H|, H, W) → (B, C, |H|, H, W)."""
        y = self.conv(self.tensor(x.flatten(1, -3), self.in_type)).tensor  # (B, C·|H|, H, W), a field's |H| adjacent
        return y.unflatten(1, (-1, self.resolution))


def _import_escnn() -> tuple[Any, Any]:
    """``escnn.gspaces`` and ``escnn.nn``.

    Escnn imports one function of lie_learn, for SO(3). That package needs numpy < 2, so where it is missing an empty
    stand-in takes its place; nothing on the plane calls it.

    Raises:
        PeerUnavailable: when escnn cannot be imported.
    """
    if "lie_learn" not in sys.modules and importlib.util.find_spec("lie_learn") is None:
        parts = ("lie_learn", "representations", "SO3", "wigner_d")
        for length in range(1, len(parts) + 1):
            name = ".".join(parts[:length])
            sys.modules[name] = ModuleType(name, "Stands in for lie_learn, which is not installed.")
        sys.modules[name].wigner_D_matrix = None  # type: ignore[attr-defined]
    try:
        from escnn import gspaces, nn
        from escnn.group import _numerical
    except Exception as error:  # its compiled dependencies fail in many ways
        raise PeerUnavailable(f"escnn cannot be imported: {type(error).__name__}: {error}") from error
    _numerical.randomized_svd = None  # scikit-learn's refuses the np.matrix it is given; escnn then takes scipy's
    return gspaces, nn


class AuthorsConv2d(nn.Module):
    """One of the authors' layers on SE(2), discretised.

    They generate their kernels in every pass, in eval too. The grid of the group is given to them, which saves them
    making it.

    Args:
        layer: theirs.
        grid: angles of the |H| elements, shape (|H|,).
        lifting: whether its input is an image.
    """

    grid: Tensor

    def __init__(self, layer: nn.Module, grid: Tensor, *, lifting: bool) -> None:
        super().__init__()
        self.layer, self.lifting = layer, lifting
        self.register_buffer("grid", grid, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) or (B, C, |H|, H, W) → (B, C, |H|, H, W)."""
        y, _ = self.layer(x, self.grid) if self.lifting else self.layer(x, self.grid, self.grid)
        return y


def _build_authors(case: Case) -> nn.Module:
    checkout = os.environ[AUTHORS_VARIABLE]
    if checkout not in sys.path:
        sys.path.append(checkout)  # last: the checkout has modules of common names
    try:
        groups, convolutions = (importlib.import_module(f"ck_g_cnn.{name}") for name in ("groups", "nn.conv"))
    except ImportError as error:
        raise PeerUnavailable(f"the authors' layers in {checkout} cannot be imported: {error}") from error
    group = groups.SE2().to(case.device)  # their kernel grids are no buffers: they stay where the group was
    layer = getattr(convolutions, AUTHORS_LAYERS[case.variant])(
        group=group,
        kernel_size=case.kernel_size,
        in_channels=case.channels,
        out_channels=case.channels,
        num_group_elem=case.resolution,
        sampling_method="discretise",
        stride=1,
        padding=True,
        **AUTHORS_KERNEL_NET,
    )
    # Their plane has the axes (row, column), ours (x, y) with y pointing up: they turn the other way round.
    grid = torch.remainder(-group.sample(case.resolution), 2 * torch.pi)
    return AuthorsConv2d(layer, grid, lifting=case.variant == "lifting")


def why_no_checkout(path: str | None) -> str | None:
    """Why a folder is not the authors' code, in one line; None if it is."""
    if not path:
        return f"no checkout of the authors' code; give --authors PATH or {AUTHORS_VARIABLE}: {AUTHORS_REPOSITORY}"
    if not (Path(path) / "ck_g_cnn").is_dir():
        return f"{path} is no checkout of the authors' code: it has no folder ck_g_cnn"
    return None


if __name__ == "__main__":
    from benchmarks.__main__ import main

    sys.exit(main(["peers", *sys.argv[1:]]))
