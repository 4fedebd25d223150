"""Batch norm of maps on the group, alone or together with the ReLU and the residual that follow it."""

import torch
from torch import Tensor, nn

from gcnn_impl import gpu
from gcnn_impl.gpu import norm as gpu_norm
from gcnn_impl.gpu.norm import rectified


class GroupBatchNorm2d(nn.BatchNorm2d):
    """Batch norm of maps on the group, (B, C, |H|, H, W) → (B, C, |H|, H, W), with statistics over (B, |H|, H, W)."""

    def forward(self, input: Tensor, relu: bool = False, residual: Tensor | None = None) -> Tensor:
        """Normalise a map.

        Args:
            input: the map.
            relu: whether to rectify the normalised map.
            residual: a map of the same shape that is added then; the sum is rectified.
        """
        if self._is_for_triton(input, residual):
            if self.training and self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
            is_tracked = not self.training or self.track_running_stats
            running = (self.running_mean, self.running_var) if is_tracked else (None, None)
            of_batch = self.training or self.running_mean is None
            tensors = input, self.weight, self.bias, *running, residual
            return gpu_norm.batch_norm(*tensors, of_batch, self.momentum or 0.0, self.eps, relu)
        x = input.permute(0, 1, 3, 4, 2)  # (B, C, H, W, |H|), which is channels-last where the map is group-major
        y = super().forward(x.flatten(3)).unflatten(3, x.shape[3:])
        return rectified(y.permute(0, 1, 4, 2, 3), relu, residual)

    def _is_for_triton(self, x: Tensor, residual: Tensor | None) -> bool:
        """Return whether the operator in Triton takes this; torch has the cumulative averages and the errors."""
        parameters = [p for p in (self.weight, self.bias, self.running_mean, self.running_var) if p is not None]
        wider = {torch.bfloat16: torch.float32, torch.float16: torch.float32}.get(x.dtype, x.dtype)
        return (
            gpu.takes(x, residual)
            and gpu.takes(*parameters)
            and all(p.dtype in (x.dtype, wider) and p.device == x.device for p in parameters)
            and x.dim() == 5
            and x.shape[1] == self.num_features
            and x.numel() > self.num_features
            and (residual is None or residual.shape == x.shape)
            and self.momentum is not None
        )


def norm_relu(norm: nn.Module, x: Tensor, residual: Tensor | None = None) -> Tensor:
    """Return relu(norm(x)), and with a residual relu(relu(norm(x)) + residual); by one operator where there is one."""
    if isinstance(norm, GroupBatchNorm2d):
        return norm(x, relu=True, residual=residual)
    return rectified(norm(x), True, residual)
