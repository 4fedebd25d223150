"""What layers keep between passes of inference: what is current, and what the user froze.

Version counters cannot tell whether kernels are current: fused optimisers and writes to ``parameter.data`` do not
raise them. A layer therefore keeps a copy of everything that it generates its kernels from, and compares the bytes,
which takes some 25 µs for layers of up to 32 channels. On a GPU this comparison would stall the stream, so kernels are
kept there only in layers that the user has frozen. A batch norm keeps the scale and the shift of its channels likewise.
"""

import ctypes
import sys
from typing import Any, Self

import torch
from torch import Tensor, nn

from gcnn_impl.kernels import ContinuousKernel
from gcnn_impl.watching import is_exporting, is_fake, is_traced_or_transformed, runs_forward_alone

_memcmp = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None).memcmp
_memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]


class Kept:
    """Tensors that a layer computed, with a copy of their sources, to tell whether the tensors are still current."""

    def __init__(self, key: object, sources: list[Tensor], tensors: tuple[Tensor, ...]) -> None:
        self._key, self.tensors = key, tensors
        copies = [source.detach().clone() for source in sources]
        self._copies = [(t, t.shape, t.dtype, t.data_ptr(), t.nbytes) for t in copies]

    def is_current(self, key: object, sources: list[Tensor]) -> bool:
        if key != self._key or len(sources) != len(self._copies):
            return False
        for source, (_, shape, dtype, address, size) in zip(sources, self._copies, strict=True):
            if source.dtype is not dtype or source.shape != shape or _memcmp(source.data_ptr(), address, size):
                return False
        return True


class Keeping(nn.Module):
    """Base class of layers that keep tensors for inference, and when they no longer do.

    ``_kept`` are those that are current, ``_frozen`` those that the user froze.
    """

    _kept: Kept | None = None
    _frozen: Any = None

    def unfreeze(self) -> Self:
        """Follow the parameters again; return the layer itself."""
        self._kept = self._frozen = None
        return self

    def train(self, mode: bool = True) -> Self:
        self._kept = None
        if mode:
            self.unfreeze()
        return super().train(mode)

    def _apply(self, *args: Any, **kwargs: Any) -> Self:
        self.unfreeze()
        return super()._apply(*args, **kwargs)  # type: ignore[no-untyped-call]

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self.unfreeze()
        super()._load_from_state_dict(*args, **kwargs)

    def _replicate_for_data_parallel(self) -> Self:
        return super()._replicate_for_data_parallel().unfreeze()  # type: ignore[no-untyped-call]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None, "_frozen": None}  # a copy has parameters of its own


def infers(layer: nn.Module) -> bool:
    """Return whether a layer may use what it keeps: in inference, where no gradients are recorded, and in exports."""
    return not layer.training and (is_exporting() or not torch.is_grad_enabled())


def sources_of(layer: nn.Module) -> list[Tensor] | None:
    """Return all tensors that the kernels of a layer depend on; None where they may depend on anything else.

    None is returned for classes of other packages, for kernel nets with hooks, masks or parametrisations, and where
    kernels have no values (``FakeTensorMode``).
    """
    if not type(layer).__module__.startswith("gcnn_impl.") or "_is_replica" in layer.__dict__:
        return None
    sources: list[Tensor] = []
    for kernel in layer._modules.values():
        if type(kernel) is not ContinuousKernel or not (runs_forward_alone(kernel) and kernel.is_plain()):
            return None
        sources += kernel._buffers.values()  # type: ignore[arg-type]
        sources += kernel.net._parameters.values()  # type: ignore[arg-type]
    return sources if are_comparable(sources) else None


def are_comparable(sources: list[Tensor]) -> bool:
    """Return whether the bytes of tensors say all about them, now."""
    if is_fake():
        return False
    for source in sources:
        plain = type(source) in (Tensor, nn.Parameter) and source.is_cpu and torch._C._has_storage(source)
        if not plain or not source.is_contiguous() or source.is_neg():
            return False
    return not is_traced_or_transformed()
