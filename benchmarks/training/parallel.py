"""Training of one run in several processes that ``torchrun`` starts and that share every batch.

Each process has the whole network and computes its own rows of every batch; gradients are averaged. Up to rounding, the
result is that of one process: batch norms sum their statistics over the processes, and every process draws the dropout
of the whole batch, from the same seed, and keeps its own rows. (On CUDA, a run in a single process draws other
random numbers for dropout, inside a fused kernel.)
"""

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.functional import batch_norm
from torch.nn.modules.batchnorm import _BatchNorm

from benchmarks.cases.case import InvalidCase
from benchmarks.cases.training_run import TrainingRun

T = TypeVar("T")
DROPOUTS = (nn.Dropout, nn.Dropout2d, nn.Dropout3d)


@dataclass(frozen=True)
class Share:
    """One process's share of a run; the default is the whole run in a single process."""

    rank: int = 0
    count: int = 1

    def rows(self, size: int) -> slice:
        """Return this process's slice of ``size`` rows; the lengths of all slices differ by at most one."""
        return slice(size * self.rank // self.count, size * (self.rank + 1) // self.count)

    def total(self, value: Tensor) -> Tensor:
        """Return the sum of ``value`` over all processes."""
        if self.count > 1:
            value = value.clone()
            dist.all_reduce(value)
        return value

    def agree(self, value: float, device: torch.device) -> float:
        """Return the first process's value."""
        if self.count == 1:
            return value
        sent = torch.tensor(value, dtype=torch.float64, device=device)
        dist.broadcast(sent, 0)
        return sent.item()

    def from_first(self, make: Callable[[], T]) -> T:
        """Call ``make`` in the first process and return its result in all processes."""
        if self.count == 1:
            return make()
        sent = [make() if self.rank == 0 else None]
        dist.broadcast_object_list(sent)
        return sent[0]  # type: ignore[return-value]

    def one_after_the_first(self, make: Callable[[], T]) -> T:
        """Call ``make`` in the first process, then in the others: the first may write files that the others read."""
        if self.rank > 0:
            dist.barrier()
        made = make()
        if self.rank == 0 and self.count > 1:
            dist.barrier()
        return made


WHOLE = Share()


def share_of(run: TrainingRun) -> Share:
    """Return this process's share of a run.

    Raises:
        InvalidCase: when the run needs another number of processes.
    """
    count = dist.get_world_size() if dist.is_initialized() else 1
    if count != run.processes:
        raise InvalidCase(
            f"processes {run.processes} is not allowed; allowed: {count}, as many as are running; "
            f"start {run.processes} with torchrun --nproc-per-node {run.processes}"
        )
    return Share(dist.get_rank(), count) if count > 1 else WHOLE


@contextlib.contextmanager
def process_group(device: str, timeout: float) -> Iterator[Share]:
    """Join the processes that torchrun started.

    Args:
        device: "cpu", with communication by gloo, or "cuda", by nccl; each process then uses the GPU of its local rank.
        timeout: seconds without an answer from another process after which all processes give up.
    """
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    # For 1×1 weights several strides describe the same layout.
    warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
    dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=timedelta(seconds=timeout))
    try:
        yield Share(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def distribute(model: nn.Module, share: Share, batch_size: int) -> Callable[[Tensor], Tensor]:
    """Change the model so that its operations over the batch see the whole batch; return the function to train with."""
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.forward = partial(_shared_batch_norm, module, share)  # type: ignore[method-assign]
        elif isinstance(module, DROPOUTS):
            module.forward = partial(_shared_dropout, module, share, batch_size)  # type: ignore[method-assign]
    devices = [torch.cuda.current_device()] if next(model.parameters()).is_cuda else None
    return nn.parallel.DistributedDataParallel(model, device_ids=devices, broadcast_buffers=False)


class _Total(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of the processes' gradients."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        value = value.clone()
        dist.all_reduce(value)
        return value

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        gradient = gradient.contiguous().clone()
        dist.all_reduce(gradient)
        return gradient


def _shared_batch_norm(norm: Any, share: Share, x: Tensor) -> Tensor:
    """Compute a batch norm over (B, C, …) with the statistics of all processes' rows."""
    if not norm.training:
        return batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
    channels = (-1, *[1] * (x.dim() - 2))
    others = [axis for axis in range(x.dim()) if axis != 1]
    exact = x.to(torch.promote_types(x.dtype, torch.float32))
    count = share.total(torch.tensor(x.numel() / x.shape[1], device=x.device))
    mean: Tensor = _Total.apply(exact.sum(others)) / count
    centred = exact - mean.view(channels)
    variance: Tensor = _Total.apply(centred.square().sum(others)) / count
    scale: Tensor = norm.weight * (variance + norm.eps).rsqrt()
    with torch.no_grad():
        norm.num_batches_tracked += 1
        norm.running_mean.lerp_(mean.detach(), norm.momentum)
        unbiased = variance.detach() * count / (count - 1)
        norm.running_var.lerp_(unbiased, norm.momentum)
    bias: Tensor = norm.bias
    return (centred * scale.view(channels) + bias.view(channels)).to(x.dtype)


def _shared_dropout(dropout: Any, share: Share, batch_size: int, x: Tensor) -> Tensor:
    """Draw the dropout of the whole batch, as one process would, and apply this process's rows of it."""
    if not dropout.training or dropout.p == 0:
        return x
    by_channel = not isinstance(dropout, nn.Dropout)
    rest = (x.shape[1], *[1] * (x.dim() - 2)) if by_channel else tuple(x.shape[1:])
    kept = x.new_empty(batch_size, *rest).bernoulli_(1 - dropout.p).div_(1 - dropout.p)
    return x * kept[share.rows(batch_size)]
