"""An example of a user's layer with an adapter: escnn's, for ``--layer examples.escnn_layer:steerable_conv``.

It needs escnn (``nox -s peers`` installs it without dependencies that need a compiler).
"""

from torch import nn

from benchmarks.workloads.adapted import Adapted
from benchmarks.workloads.peers.escnn import import_escnn  # imports escnn without lie_learn, too
from gcnn_impl import SO2, Group


def steerable_conv(in_channels: int, out_channels: int, kernel_size: int, *, group: Group, padding: int) -> nn.Module:
    """Return an ``R2Conv`` between regular representations of Cₙ whose kernels have frequencies up to 2 alone."""
    if not isinstance(group, SO2):
        raise ValueError(f"steerable_conv has rotations, not {group}; allowed: SO2")
    gspaces, escnn = import_escnn()
    space = gspaces.rot2dOnR2(group.resolution)
    in_type, out_type = (escnn.FieldType(space, width * [space.regular_repr]) for width in (in_channels, out_channels))
    layer = escnn.R2Conv(in_type, out_type, kernel_size, padding=padding, frequencies_cutoff=2.0)
    return Adapted(
        layer,
        wrap=lambda x: escnn.GeometricTensor(x.flatten(1, 2), in_type),  # (B, C·|H|, H, W)
        unwrap=lambda y: y.tensor.unflatten(1, (-1, group.resolution)),  # (B, C', |H|, H, W)
    )
