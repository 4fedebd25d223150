"""A ``Workload``: a module, its input, and one pass through the module."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.workloads.cuda_graph import CapturedPass
from gcnn_impl import Group


@dataclass(frozen=True)
class Workload:
    """A module, its input and one pass. Call ``prepare()``, then ``run()``, and repeat.

    ``run`` consists of ``forward`` and, where the workload has them, ``backpropagate`` and ``step``.

    Args:
        module: in eval mode for a forward pass, in train mode for forward and backward. Layers that must generate their
            kernels in every pass are always in train mode.
        x: input of the module, an image (B, C, H, W) or a map on the group (B, C, |H|, H, W). If a pass has a backward,
            the input of a layer requires a gradient, as it does inside a network; the input of a network does not.
        cotangent: gradient of the loss with respect to the output: fixed, random, and with the shape and dtype that
            the output must have.
        group: the subgroup that the module is equivariant to; None if the module is not equivariant.
        backward: whether a pass is forward and backward, or forward alone.
        optimiser: optimiser that takes a step in every pass; None for no step.
        call: function that a pass calls, for example the compiled module; None for the module itself.
        autocast: dtype that the pass is autocast to; None for no autocast.
        graph: the whole pass in a CUDA graph, which ``run`` replays; None to run the pass itself.
        claims_nothing: whether the module is a user's network, whose equivariance is of interest but not required.
        construction_seconds: how long it took to construct the module and to move it to its device.
        freezing_seconds: how long it took to generate and freeze the kernels; 0 for a module that is not frozen.
    """

    module: nn.Module
    x: Tensor
    cotangent: Tensor
    group: Group | None
    backward: bool
    optimiser: torch.optim.Optimizer | None = None
    call: Callable[[Tensor], Tensor] | None = None
    autocast: torch.dtype | None = None
    graph: CapturedPass | None = None
    claims_nothing: bool = False
    construction_seconds: float = 0.0
    freezing_seconds: float = 0.0

    def prepare(self) -> None:
        """Drop the gradients of the last pass, which is not timed; a captured pass overwrites them instead."""
        if self.graph is None or not self.graph.captured:
            self.drop()

    def drop(self) -> None:
        """Drop the gradients of the parameters and of the input."""
        self.module.zero_grad(set_to_none=True)
        self.x.grad = None

    def run(self) -> Tensor:
        """Run or replay one pass and return the module's output."""
        return self.run_once() if self.graph is None else self.graph.replay(self)

    def run_once(self) -> Tensor:
        """Run one pass, which is not captured, and return the module's output."""
        y = self.forward()
        if self.backward:
            self.backpropagate(y)
        if self.optimiser is not None:
            self.step()
        return y

    def forward(self) -> Tensor:
        """Return the module's output; computed in inference mode unless the pass has a backward."""
        call = self.module if self.call is None else self.call
        with contextlib.nullcontext() if self.backward else torch.inference_mode(), self.autocasting():
            return call(self.x)

    def backpropagate(self, y: Tensor) -> None:
        """Compute the gradients of the parameters and, if the input requires one, of the input."""
        y.backward(self.cotangent)

    def step(self) -> None:
        """Take the optimiser's step."""
        assert self.optimiser is not None
        self.optimiser.step()

    def gradients(self) -> list[Tensor]:
        """Return the gradients that the last pass left, of the parameters and of the input."""
        leaves = [*self.module.parameters(), self.x]
        return [leaf.grad for leaf in leaves if leaf.grad is not None]

    def autocasting(self) -> contextlib.AbstractContextManager[object]:
        """Return the context in which a forward is computed: ``torch.autocast``, or none.

        Autocast does not cache the weights that it casts while a pass is captured: a replay must cast them again.
        """
        if self.autocast is None:
            return contextlib.nullcontext()
        return torch.autocast(self.x.device.type, self.autocast, cache_enabled=self.graph is None)


def set_mode(module: nn.Module, *, training: bool) -> nn.Module:
    """Set train or eval mode and return the module; some modules compute filters then, which no graph should hold."""
    with torch.no_grad():
        return module.train(training)


def generates_kernels(layer: nn.Module) -> bool:
    """Return whether a module is one of our layers, whose convolution and generation of kernels are two functions."""
    return hasattr(layer, "kernels") and hasattr(layer, "convolve")
