import torch
from torch import Tensor, nn

from gcnn_impl.checks import check_axes


class GroupBatchNorm2d(nn.BatchNorm2d):
    """Batch norm of maps on the group, (B, C, |H|, H, W) → (B, C, |H|, H, W), with statistics over (B, |H|, H, W).

    Raises:
        ValueError: for a tensor with other axes.
    """

    def forward(self, input: Tensor) -> Tensor:
        check_axes("input", input, "B", "C", "|H|", "H", "W")
        mean, variance = self.running_mean, self.running_var
        if torch.compiler.is_exporting() and not self.training and mean is not None and variance is not None:
            return self._exported(input, mean, variance)
        x = input.permute(0, 1, 3, 4, 2)  # (B, C, H, W, |H|), which is channels-last where the map is group-major
        y = super().forward(x.flatten(3)).unflatten(3, x.shape[3:])
        return y.permute(0, 1, 4, 2, 3)

    def _exported(self, input: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        """Compute ``forward`` in eval mode by operations that leave height and width of an exported program free."""
        scale = torch.rsqrt(variance + self.eps)
        shift = -mean * scale
        if self.affine:
            scale, shift = scale * self.weight, shift * self.weight + self.bias
        y = input.permute(0, 3, 4, 2, 1).contiguous() * scale + shift  # (B, H, W, |H|, C)
        return y.to(input.dtype).permute(0, 4, 3, 1, 2).contiguous()
