from torch import Tensor, nn


class GroupBatchNorm2d(nn.BatchNorm2d):
    """Batch norm of maps on the group, (B, C, |H|, H, W) → (B, C, |H|, H, W), with statistics over (B, |H|, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        x = input.permute(0, 1, 3, 4, 2)  # (B, C, H, W, |H|), which is channels-last where the map is group-major
        y = super().forward(x.flatten(3)).unflatten(3, x.shape[3:])
        return y.permute(0, 1, 4, 2, 3)
