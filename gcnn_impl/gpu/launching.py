"""What the launches of all kernels in Triton have in common."""

import contextlib

import torch
from torch import Tensor

from gcnn_impl.gpu.switch import DTYPES
from gcnn_impl.registration import check_operands

KEYS = ("CUDA", "CPU")  # CPU for the interpreter


def ceil_div(count: int, size: int) -> int:
    """Return count / size, rounded up: the number of blocks that hold ``count`` things."""
    return -(-count // size)


def power_of_two(count: int) -> int:
    """Return the least power of two that is at least ``count``; the sizes of Triton's tensors are powers of two."""
    return 1 << (count - 1).bit_length()


def sum_dtype(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype in which values of a dtype are added."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def on_device_of(tensor: Tensor) -> contextlib.AbstractContextManager[object]:
    """Make the GPU of a tensor the current one, on which Triton launches; do nothing for the processor."""
    return torch.cuda.device(tensor.device) if tensor.is_cuda else contextlib.nullcontext()


def check(fits: bool, *tensors: Tensor | None) -> None:
    """Raise ``ValueError`` unless ``fits``, and a kernel may read these tensors, which have one dtype; see ``switch``.

    The values of an index are not checked: on a GPU this would wait for the device.
    """
    check_operands(fits, DTYPES, ("cuda", "cpu"), *tensors)
