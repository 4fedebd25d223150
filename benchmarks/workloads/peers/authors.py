"""The published layers of the paper's authors: Knigge, Romero, Bekkers, ICML 2022."""

import importlib
import os
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.cases.case import Case
from benchmarks.cases.peers import AUTHORS_REPOSITORY, AUTHORS_VARIABLE

LAYERS = {
    "lifting": "LiftingConv",
    "full": "GroupConv",
    "separable": "GroupConvSeparable",
    "gseparable": "GroupConvGSeparable",
    "dseparable": "GroupConvDSeparable",
    "dgseparable": "GroupConvDGSeparable",
}
# Sizes of the kernel net, which ours share: two sine layers of 64.
KERNEL_NET = {
    "ck_net_num_hidden": 1,
    "ck_net_hidden_size": 64,
    "ck_net_implementation": "SIREN",
    "ck_net_first_omega_0": 10.0,
    "ck_net_omega_0": 10.0,
}


def why_unavailable() -> str | None:
    """Return why there is no checkout of the authors' code, in one line; None where there is one."""
    return why_no_checkout(os.environ.get(AUTHORS_VARIABLE))


def why_no_checkout(path: str | None) -> str | None:
    """Why a folder is not the authors' code, in one line; None if it is."""
    if not path:
        return f"no checkout of the authors' code; give --authors PATH or {AUTHORS_VARIABLE}: {AUTHORS_REPOSITORY}"
    if not (Path(path) / "ck_g_cnn").is_dir():
        return f"{path} is no checkout of the authors' code: it has no folder ck_g_cnn"
    return None


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


def build_layer(case: Case) -> nn.Module:
    """Build the authors' layer of the case's variant.

    Raises:
        ImportError: when the checkout cannot be imported.
    """
    checkout = os.environ[AUTHORS_VARIABLE]
    if checkout not in sys.path:
        sys.path.append(checkout)  # last: the checkout has modules of common names
    try:
        groups, convolutions = (importlib.import_module(f"ck_g_cnn.{name}") for name in ("groups", "nn.conv"))
    except ImportError as error:
        raise ImportError(f"the authors' layers in {checkout} cannot be imported: {error}") from error
    group = groups.SE2().to(case.device)  # their kernel grids are no buffers: they stay where the group was
    layer = getattr(convolutions, LAYERS[case.variant])(
        group=group,
        kernel_size=case.kernel_size,
        in_channels=case.channels,
        out_channels=case.channels,
        num_group_elem=case.resolution,
        sampling_method="discretise",
        stride=1,
        padding=True,
        **KERNEL_NET,
    )
    # Their plane has the axes (row, column), ours (x, y) with y pointing up: they turn the other way round.
    grid = torch.remainder(-group.sample(case.resolution), 2 * torch.pi)
    return AuthorsConv2d(layer, grid, lifting=case.variant == "lifting")
