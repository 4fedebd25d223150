"""An example of a user's own network: one of escnn's, for ``--network examples.escnn_network:steerable_cnn``.

It needs escnn (``nox -s peers`` installs it without dependencies that need a compiler).
"""

from torch import Tensor, nn

from benchmarks.workloads.peers.escnn import import_escnn  # imports escnn without lie_learn, too

ROTATIONS = 8


class SteerableCNN(nn.Module):
    """A network on C_8 with regular fields: three ``R2Conv``, group pooling, maximum over the plane, linear layer.

    Args:
        channels: regular fields of the first two convolutions; the third has twice as many.
    """

    def __init__(self, in_channels: int, num_classes: int, channels: int) -> None:
        super().__init__()
        gspaces, escnn = import_escnn()
        space = gspaces.rot2dOnR2(ROTATIONS)
        self.tensor, self.in_type = escnn.GeometricTensor, escnn.FieldType(space, in_channels * [space.trivial_repr])
        narrow, wide = (escnn.FieldType(space, width * [space.regular_repr]) for width in (channels, 2 * channels))
        self.features = escnn.SequentialModule(
            escnn.R2Conv(self.in_type, narrow, kernel_size=5, padding=2, bias=False),
            escnn.InnerBatchNorm(narrow),
            escnn.ReLU(narrow, inplace=True),
            escnn.R2Conv(narrow, narrow, kernel_size=5, padding=2, bias=False),
            escnn.InnerBatchNorm(narrow),
            escnn.ReLU(narrow, inplace=True),
            escnn.PointwiseMaxPool2D(narrow, 2),
            escnn.R2Conv(narrow, wide, kernel_size=5, padding=2, bias=False),
            escnn.InnerBatchNorm(wide),
            escnn.ReLU(wide, inplace=True),
            escnn.GroupPooling(wide),
        )
        self.classifier = nn.Linear(2 * channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, C, S, S) to logits (B, num_classes)."""
        maps: Tensor = self.features(self.tensor(x, self.in_type)).tensor  # (B, 2·channels, S/2, S/2)
        logits: Tensor = self.classifier(maps.amax(dim=(-2, -1)))
        return logits


def steerable_cnn(in_channels: int, num_classes: int, image_size: int, channels: int = 4) -> nn.Module:
    """Return a ``SteerableCNN``; ``channels`` is its width."""
    return SteerableCNN(in_channels, num_classes, channels)
