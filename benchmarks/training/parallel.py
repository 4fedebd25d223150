"""One run on several devices: processes that ``torchrun`` started share every batch.

Each process has the whole network and computes the rows of a batch that are its own; gradients are averaged. So that a
run is the same as in one process up to rounding, what a network computes over its batch is computed over all of it:
statistics of batch norms are summed over the processes, and every process draws the dropout of the whole batch, by the
same seed, and keeps its own rows. (On CUDA one process draws dropout inside a fused kernel, by other random numbers.)
"""

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
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
    """The part of one process in a run: all of it, where there is only one."""

    rank: int = 0
    count: int = 1

    def rows(self, size: int) -> slice:
        """Its own of so many rows; the shares of all processes differ by one at most."""
        return slice(size * self.rank // self.count, size * (self.rank + 1) // self.count)

    def total(self, value: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.count > 1:
            value = value.clone()
            dist.all_reduce(value)
        return value

    def agree(self, value: float, device: torch.device) -> float:
        """The number of the first process."""
        if self.count == 1:
            return value
        told = torch.tensor(value, dtype=torch.float64, device=device)
        dist.broadcast(told, 0)
        return told.item()

    def from_first(self, make: Callable[[], T]) -> T:
        """What the first process makes, in all of them."""
        if self.count == 1:
            return make()
        told = [make() if self.rank == 0 else None]
        dist.broadcast_object_list(told)
        return told[0]  # type: ignore[return-value]

    def one_after_the_first(self, make: Callable[[], T]) -> T:
        """What every process makes, the others once the first has: it may leave files behind for them."""
        if self.count == 1:
            return make()
        if self.rank == 0:
            made = make()
        dist.barrier()
        if self.rank != 0:
            made = make()
        return made


WHOLE = Share()


def share_of(run: TrainingRun) -> Share:
    """This process's share of a run.

    Raises:
        InvalidCase: when there are not as many processes as the run has.
    """
    count = dist.get_world_size() if dist.is_initialized() else 1
    if count != run.processes:
        raise InvalidCase(
            f"processes {run.processes} do not go with the {count} there are; "
            f"start them with torchrun --nproc-per-node {run.processes}"
        )
    return Share(dist.get_rank(), count) if count > 1 else WHOLE


@contextlib.contextmanager
def process_group(device: str, timeout: float) -> Iterator[Share]:
    """Join the processes that torchrun started.

    Args:
        device: "cpu", which talks through gloo, or "cuda", through nccl, each process on the device of its local rank.
        timeout: seconds without an answer from another process until all give up.
    """
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    # Of 1×1 weights, which have several layouts that are the same.
    warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
    dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=timedelta(seconds=timeout))
    try:
        yield Share(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def distribute(model: nn.Module, share: Share, batch_size: int) -> Callable[[Tensor], Tensor]:
    """What to call for the logits of this process's rows in training; the model is changed to see the whole batch."""
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            _replace_forward(module, _SharedBatchNorm(module, share))
        elif isinstance(module, DROPOUTS):
            _replace_forward(module, _SharedDropout(module, share, batch_size))
    devices = [torch.cuda.current_device()] if next(model.parameters()).is_cuda else None
    return nn.parallel.DistributedDataParallel(model, device_ids=devices, broadcast_buffers=False)


def _replace_forward(module: nn.Module, forward: Callable[[Tensor], Tensor]) -> None:
    module.forward = forward


class _Total(torch.autograd.Function):
    """The sum over all processes, whose gradient is the sum of their gradients."""

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


class _SharedBatchNorm:
    """The forward of a batch norm over (B, C, …) whose statistics are those of all processes' rows."""

    def __init__(self, norm: _BatchNorm, share: Share) -> None:
        self.norm, self.share = norm, share

    def __call__(self, x: Tensor) -> Tensor:
        norm: Any = self.norm
        channels = (-1, *[1] * (x.dim() - 2))
        if not norm.training:
            return batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
        others = [axis for axis in range(x.dim()) if axis != 1]
        exact = x.to(torch.promote_types(x.dtype, torch.float32))
        count = self.share.total(torch.tensor(x.numel() / x.shape[1], device=x.device))
        mean: Tensor = _Total.apply(exact.sum(others)) / count
        centred = exact - mean.view(channels)
        variance: Tensor = _Total.apply(centred.square().sum(others)) / count
        scale = norm.weight * (variance + norm.eps).rsqrt()
        with torch.no_grad():
            norm.num_batches_tracked += 1
            norm.running_mean.lerp_(mean.detach(), norm.momentum)
            unbiased = variance.detach() * count / (count - 1)
            norm.running_var.lerp_(unbiased, norm.momentum)
        return (centred * scale.view(channels) + norm.bias.view(channels)).to(x.dtype)


class _SharedDropout:
    """The forward of a dropout that draws for the whole batch, as one process would, and keeps its own rows."""

    def __init__(self, dropout: nn.Module, share: Share, batch_size: int) -> None:
        self.dropout, self.share, self.batch_size = dropout, share, batch_size

    def __call__(self, x: Tensor) -> Tensor:
        p = float(self.dropout.p)  # type: ignore[arg-type]
        if not self.dropout.training or p == 0:
            return x
        by_channel = not isinstance(self.dropout, nn.Dropout)
        rest = (x.shape[1], *[1] * (x.dim() - 2)) if by_channel else tuple(x.shape[1:])
        kept = x.new_empty(self.batch_size, *rest).bernoulli_(1 - p).div_(1 - p)
        return x * kept[self.share.rows(self.batch_size)]
