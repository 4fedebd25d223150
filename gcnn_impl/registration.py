"""Our own operators: their registration with torch, and the check of the tensors that they are about to read."""

import functools
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor
from torch._C._autograd import _profiler_enabled

P = ParamSpec("P")
T = TypeVar("T")
_library = torch.library.Library("gcnn_impl", "FRAGMENT")


def operator(schema: str, *keys: str, fake: Callable[..., object]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator that registers a function as an operator of torch, for compilers, profilers and modes.

    Outside of these the function is called directly: torch's dispatcher takes some 5 µs more.

    Args:
        schema: name, arguments and results, as ``torch.library`` wants them.
        keys: the devices on which the function works, "CPU" or "CUDA".
        fake: function of the same arguments that returns empty tensors of the results' shapes, dtypes and layouts.
    """
    name = schema.partition("(")[0]

    def register(function: Callable[P, T]) -> Callable[P, T]:
        _library.define(schema)
        for key in keys:
            _library.impl(name, function, key)
        torch.library.register_fake(f"gcnn_impl::{name}", fake, lib=_library)
        dispatched = getattr(torch.ops.gcnn_impl, name)

        @functools.wraps(function)
        def call(*arguments: P.args, **options: P.kwargs) -> T:
            if torch.compiler.is_compiling() or _profiler_enabled() or torch._C._len_torch_dispatch_stack():
                return dispatched(*arguments, **options)
            return function(*arguments, **options)

        return call

    return register


def check_operands(fits: bool, dtypes: Sequence[torch.dtype], devices: Sequence[str], *tensors: Tensor | None) -> None:
    """Check the tensors that an operator is about to read.

    Raises:
        ValueError: unless ``fits``, and all tensors are contiguous, not empty, and of one of the dtypes on one of the
            devices, all of the same.
    """
    given = [t for t in tensors if t is not None]
    for t in given:
        alike = t.dtype == given[0].dtype and t.device == given[0].device
        if not (alike and t.dtype in dtypes and t.device.type in devices and t.is_contiguous() and t.numel()):
            fits = False
    if not fits:
        found = ", ".join(f"{tuple(t.shape)} {t.dtype} on {t.device}" for t in given)
        names = " or ".join(str(dtype).removeprefix("torch.") for dtype in dtypes)
        raise ValueError(
            f"an operator takes contiguous {names} tensors on {' or '.join(devices)} whose sizes fit each other, "
            f"not {found}"
        )
