"""The published layers of the paper's authors: Knigge, Romero, Bekkers, ICML 2022."""

import importlib
import os
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.cases.case import Case
from benchmarks.cases.peers import AUTHORS_REPOSITORY, AUTHORS_VARIABLE

AUTHORS_LAYERS = {
    "lifting": "LiftingConv",
    "full": "GroupConv",
    "separable": "GroupConvSeparable",
    "gseparable": "GroupConvGSeparable",
    "dseparable": "GroupConvDSeparable",
    "dgseparable": "GroupConvDGSeparable",
}
# Sizes of the kernel net, the same as in our layers: two sine layers of 64 units.
KERNEL_NET = {
    "ck_net_num_hidden": 1,
    "ck_net_hidden_size": 64,
    "ck_net_implementation": "SIREN",
    "ck_net_first_omega_0": 10.0,
    "ck_net_omega_0": 10.0,
}


def why_unavailable() -> str | None:
    """Return in one line why there is no checkout of the authors' code; None if there is one."""
    return why_no_checkout(os.environ.get(AUTHORS_VARIABLE))


def why_no_checkout(path: str | None) -> str | None:
    """Return in one line why a folder is no checkout of the authors' code; None if it is one."""
    if not path:
        return f"no checkout of the authors' code; give --authors PATH or {AUTHORS_VARIABLE}: {AUTHORS_REPOSITORY}"
    if not (Path(path) / "ck_g_cnn").is_dir():
        return f"{path} is no checkout of the authors' code: it has no folder ck_g_cnn"
    return None


class AuthorsConv2d(nn.Module):
    """One of the authors' layers on SE(2), discretised.

    The layer generates its kernels in every pass, also in eval mode. The grid on H, the angles of shape (|H|,), is made
    once, outside the timed pass. The input is an image if ``lifting``.
    """

    grid: Tensor

    def __init__(self, layer: nn.Module, grid: Tensor, *, lifting: bool) -> None:
        super().__init__()
        self.layer, self.lifting = layer, lifting
        self.register_buffer("grid", grid, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) or (B, C, |H|, H, W) to (B, C, |H|, H, W)."""
        y: Tensor = (self.layer(x, self.grid) if self.lifting else self.layer(x, self.grid, self.grid))[0]
        return y


def build_layer(case: Case) -> nn.Module:
    """Build the authors' layer of the case's variant.

    Raises:
        ImportError: when the checkout cannot be imported.
    """
    checkout = os.environ[AUTHORS_VARIABLE]
    if checkout not in sys.path:
        sys.path.append(checkout)  # last, because the checkout has modules with common names
    try:
        groups, convolutions = (importlib.import_module(f"ck_g_cnn.{name}") for name in ("groups", "nn.conv"))
    except ImportError as error:
        raise ImportError(f"the authors' layers in {checkout} cannot be imported: {error}") from error
    group = groups.SE2().to(case.device)  # the layer's kernel grids stay on the group's device: they are no buffers
    layer = getattr(convolutions, AUTHORS_LAYERS[case.variant])(
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
    # The authors' axes are (row, column), and ours (x, y) with y pointing up, so the angles have opposite signs.
    grid = torch.remainder(-group.sample(case.resolution), 2 * torch.pi)
    return AuthorsConv2d(layer, grid, lifting=case.variant == "lifting")
