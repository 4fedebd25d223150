"""Whether our operators need gradients, and the gradients of their references in PyTorch."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


def is_differentiated(*tensors: Tensor | None) -> bool:
    """Return whether a gradient with respect to any of the tensors may be needed."""
    return torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)


def pytorch_gradients(
    function: Callable[..., Tensor], inputs: Sequence[Any], gradient: Tensor
) -> tuple[Tensor | None, ...]:
    """Return the gradients with respect to the inputs that require a gradient; None for the other inputs."""
    wanted = [value for value in inputs if value is not None and value.requires_grad]
    create_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        y = function(*inputs)
    found = iter(torch.autograd.grad(y, wanted, gradient, create_graph=create_graph))
    return tuple(next(found) if value is not None and value.requires_grad else None for value in inputs)
