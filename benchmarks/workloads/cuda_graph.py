"""A pass captured in a CUDA graph. The replay launches all kernels of the pass with one call, so Python adds no time.

The steps are those of torch's documentation ("Whole-network capture" in the notes on CUDA semantics): passes on a side
stream create everything that outlives a pass (cached kernels, the optimiser's state, the workspaces of cuBLAS), the
gradients are dropped, and the pass is captured on the same stream. The replay then overwrites the same output and the
same gradients; it does not add to the gradients.
"""

from typing import Protocol

import torch
from torch import Tensor, nn

# Passes before the capture. torch's documentation takes three: libraries choose algorithms in the first ones.
WARM_UP_PASSES = 3


class Pass(Protocol):
    """What is captured, a ``Workload``: a pass without a synchronisation inside, and what precedes and follows it."""

    @property
    def module(self) -> nn.Module: ...
    def drop(self) -> None: ...
    def run_once(self) -> Tensor: ...
    def gradients(self) -> list[Tensor]: ...


class CapturedPass:
    """A pass that is captured when it is first replayed.

    ``captured`` says whether this has happened. ``gradients`` are then the tensors that each replay overwrites.
    """

    def __init__(self) -> None:
        self.captured = False
        self.gradients: list[Tensor] = []

    def replay(self, workload: Pass) -> Tensor:
        """Replay the pass and return its output, a tensor that the next replay overwrites; first capture it if new."""
        if not self.captured:
            self._capture(workload)
        self._graph.replay()
        return self._output

    def _capture(self, workload: Pass) -> None:
        # One stream for all: a parameter remembers the stream on which its gradient was first accumulated, and the
        # backward of a captured pass must not wait for another stream.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_PASSES):
                workload.drop()
                workload.run_once()
        torch.cuda.current_stream().wait_stream(stream)
        workload.drop()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, stream=stream):
            self._output = workload.run_once().detach()  # the autograd graph would remember this stream
        self.gradients = workload.gradients()
        # The replay reads the kernels that layers have cached. Their memory must stay when a layer drops its cache.
        modules = workload.module.modules()
        self._held = [{**vars(module), "_buffers": dict(module._buffers)} for module in modules]
        self.captured = True
