"""Something that can be measured: a module, its input, and one pass."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gcnn_impl import (
    Group,
)


@dataclass(frozen=True)
class Workload:
    """Something that can be measured: ``prepare()``, then ``run()``, as often as wanted.

    ``run`` is ``forward``, then ``backpropagate`` and ``step`` where the workload has them.

    Args:
        module: in eval for a forward pass, in train for forward and backward.
        x: its input, an image (B, C, H, W) or a map on the group (B, C, |H|, H, W). A layer's input requires a gradient
            in a backward pass, as it would inside of a network; a network's does not.
        cotangent: the gradient of the loss with respect to the output: fixed, random, and of the shape and dtype that
            the output must have.
        group: the subgroup that the module is equivariant to; None for one that is not.
        backward: whether a pass is forward and backward, or forward alone.
        optimiser: takes a step in every pass, where there is one.
        call: what runs: the compiled module, say; the module itself unless told otherwise.
        autocast: the dtype that the pass is autocast to, None for none.
        forget: called by ``prepare``: drops kernels that the last pass cached.
    """

    module: nn.Module
    x: Tensor
    cotangent: Tensor
    group: Group | None
    backward: bool
    optimiser: torch.optim.Optimizer | None = None
    call: Callable[[Tensor], Tensor] | None = None
    autocast: torch.dtype | None = None
    forget: Callable[[], object] = lambda: None

    def prepare(self) -> None:
        """Drop what the last pass left: gradients, and kernels that are to be generated anew. Never timed."""
        self.module.zero_grad(set_to_none=True)
        self.x.grad = None
        self.forget()

    def run(self) -> Tensor:
        """One pass; returns the module's output."""
        y = self.forward()
        if self.backward:
            self.backpropagate(y)
        if self.optimiser is not None:
            self.step()
        return y

    def forward(self) -> Tensor:
        """The module's output; in inference mode unless the pass has a backward."""
        call = self.module if self.call is None else self.call
        with contextlib.nullcontext() if self.backward else torch.inference_mode(), self._autocast():
            return call(self.x)

    def backpropagate(self, y: Tensor) -> None:
        """The gradients of the parameters and, where it requires one, of the input."""
        y.backward(self.cotangent)

    def step(self) -> None:
        """The optimiser's."""
        assert self.optimiser is not None
        self.optimiser.step()

    def _autocast(self) -> contextlib.AbstractContextManager[object]:
        return contextlib.nullcontext() if self.autocast is None else torch.autocast(self.x.device.type, self.autocast)
