"""Whether the operators in Triton are in use.

They are off unless the environment has ``GCNN_IMPL_TRITON=1``. With ``TRITON_INTERPRET=1``, set before Triton is
imported, they also run on the processor, in Triton's interpreter: thousands of times slower, and only for tests.
"""

import contextlib
import importlib.util
import os
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor

from gcnn_impl.watching import is_counted, is_exporting, is_traced_or_transformed

VARIABLE = "GCNN_IMPL_TRITON"
DTYPES = (torch.float32, torch.bfloat16, torch.float16, torch.float64)
DEVICES = ("cuda", "cpu") if os.environ.get("TRITON_INTERPRET") == "1" else ("cuda",)

_is_on = os.environ.get(VARIABLE) == "1" and importlib.util.find_spec("triton") is not None


def status() -> str:
    """Return whether the operators are in use on CUDA, in one line: "in use", or "not in use: " and the reason."""
    if _is_on:
        return "in use"
    missing = importlib.util.find_spec("triton") is None
    return "not in use: triton is not installed" if missing else f"not in use: {VARIABLE} is not 1"


@contextlib.contextmanager
def turned(on: bool) -> Iterator[None]:
    """Use the operators in this context, or do not, whatever the environment says; for tests and comparisons."""
    global _is_on
    before, _is_on = _is_on, on
    try:
        yield
    finally:
        _is_on = before


def takes(*tensors: Tensor | None) -> bool:
    """Return whether the operators may be called with these tensors.

    The tensors must be on CUDA and of one dtype of ``DTYPES``. Compiled code and CUDA graphs contain the operators;
    exported programs, ``torch.func``, forward-mode gradients and counters of FLOPs take PyTorch's instead.
    """
    if not _is_on:
        return False
    given = [t for t in tensors if t is not None]
    if not all(t.device.type in DEVICES and t.dtype in DTYPES and t.dtype == given[0].dtype for t in given):
        return False
    if torch.compiler.is_compiling():  # the compiler cannot trace the conditions that follow
        return not is_exporting()
    plain = all(
        type(t) in (Tensor, nn.Parameter, FakeTensor) and torch._C._has_storage(t) and t.numel() and not t.is_neg()
        for t in given
    )
    return plain and not is_traced_or_transformed() and not is_counted()
