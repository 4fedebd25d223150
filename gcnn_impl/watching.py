"""Whether torch traces, transforms, counts or hooks what runs now; our own operators then leave the work to torch's."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch
from torch import nn
from torch.autograd import forward_ad
from torch.utils import _python_dispatch

P = ParamSpec("P")
T = TypeVar("T")


def constant_in_compiled_code(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function that runs while code that calls it is compiled; compiled code contains its result.

    This is ``torch.compiler.assume_constant_result``, which imports the compiler; the import takes a second.
    """

    @functools.wraps(function)
    def call(*arguments: P.args, **options: P.kwargs) -> T:
        return function(*arguments, **options)

    call._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return call


def is_traced_or_transformed() -> bool:
    """Return whether ``torch.jit`` traces, ``torch.func`` transforms, or forward-mode gradients are computed."""
    return torch._C._is_tracing() or torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0


def is_exporting() -> bool:
    """Return whether a program is being exported; torch 2.11 compiles its own ``is_exporting()`` as true."""
    return torch.compiler._is_exporting_flag


def is_counted() -> bool:
    """Return whether torch is counting FLOPs; it can count only those of its own operators."""
    return _is_in_mode_of("torch.utils.flop_counter")


def is_fake() -> bool:
    """Return whether operators run without values, by ``FakeTensorMode``, even on tensors that have values."""
    return _is_in_mode_of("torch._subclasses.fake_tensor")


def is_in_mode() -> bool:
    """Return whether any mode sees all operators that run."""
    return torch._C._len_torch_dispatch_stack() > 0


def _is_in_mode_of(module: str) -> bool:
    if not is_in_mode():
        return False
    return any(type(mode).__module__ == module for mode in _python_dispatch._get_current_dispatch_mode_stack())


def runs_forward_alone(module: nn.Module) -> bool:
    """Return whether a call of a module runs its class's ``forward`` and no hooks.

    Hooks watch or change what a module computes; pruning is a hook. (A parametrisation changes the class.)
    """
    hooks = module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks
    return not hooks and "forward" not in module.__dict__ and not nn.modules.module._has_any_global_hook()
