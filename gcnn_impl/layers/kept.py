"""Kernels that layers keep between passes of inference: those that are current, and those that the user froze.

Version counters cannot tell whether kernels are current: fused optimisers and writes to ``parameter.data`` do not
raise them. A layer therefore keeps a copy of everything that it generates its kernels from, and compares the bytes,
which takes some 25 µs for layers of up to 32 channels. On a GPU this comparison would stall the stream, so kernels are
kept there only in layers that the user has frozen.
"""

import ctypes
import sys

import torch
from torch import Tensor, nn

from gcnn_impl.kernels import ContinuousKernel
from gcnn_impl.watching import is_fake, is_traced_or_transformed, runs_forward_alone

_memcmp = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None).memcmp
_memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]


class KeptKernels:
    """The kernels of a layer with a copy of their sources, and whether they are still those that would be generated."""

    def __init__(self, key: object, sources: list[Tensor], kernels: tuple[Tensor, ...]) -> None:
        self._key, self.kernels = key, kernels
        copies = [source.detach().clone() for source in sources]
        self._copies = [(t, t.shape, t.dtype, t.data_ptr(), t.nbytes) for t in copies]

    def is_current(self, key: object, sources: list[Tensor]) -> bool:
        if key != self._key or len(sources) != len(self._copies):
            return False
        for source, (_, shape, dtype, address, size) in zip(sources, self._copies, strict=True):
            if source.dtype is not dtype or source.shape != shape or _memcmp(source.data_ptr(), address, size):
                return False
        return True


def sources_of(layer: nn.Module) -> list[Tensor] | None:
    """Return all tensors that the kernels of a layer depend on; None where they may depend on anything else.

    None is returned for classes of other packages, for kernel nets with hooks, masks or parametrisations, and where
    kernels have no values (``FakeTensorMode``).
    """
    if is_fake() or not type(layer).__module__.startswith("gcnn_impl.") or "_is_replica" in layer.__dict__:
        return None
    sources: list[Tensor] = []
    for kernel in layer._modules.values():
        if type(kernel) is not ContinuousKernel or not (runs_forward_alone(kernel) and kernel.is_plain()):
            return None
        sources += kernel._buffers.values()  # type: ignore[arg-type]
        sources += kernel.net._parameters.values()  # type: ignore[arg-type]
    for source in sources:
        plain = type(source) in (Tensor, nn.Parameter) and source.is_cpu and torch._C._has_storage(source)
        if not plain or not source.is_contiguous() or source.is_neg():
            return None
    return None if is_traced_or_transformed() else sources
