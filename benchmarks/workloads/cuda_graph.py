"""A pass captured in a CUDA graph. The replay launches all kernels of the pass with one call, so Python adds no time.

The steps are those of torch's documentation ("Whole-network capture" in the notes on CUDA semantics): passes on a side
stream create everything that outlives a pass (cached kernels, the optimiser's state, the workspaces of cuBLAS), the
gradients are dropped, and the pass is captured on the same stream. The replay then overwrites the same output and the
same gradients; it does not add to the gradients.
"""

from collections.abc import Callable

import torch
from torch import Tensor

# Passes before the capture. torch's documentation takes three: libraries choose algorithms in the first ones.
WARM_UP_PASSES = 3


class CapturedPass:
    """A pass that is captured when it is first replayed. ``captured`` says whether this has happened."""

    def __init__(self) -> None:
        self.captured = False

    def replay(self, run: Callable[[], Tensor], prepare: Callable[[], object]) -> Tensor:
        """Replay the pass and return its output, a tensor that the next replay overwrites.

        The first call captures the pass; later calls do not use the arguments.

        Args:
            run: the pass, without a synchronisation inside.
            prepare: called before each pass that is not replayed; it drops the gradients, and the cached kernels if the
                pass has to generate them.
        """
        if not self.captured:
            self._capture(run, prepare)
        self._graph.replay()
        return self._output

    def _capture(self, run: Callable[[], Tensor], prepare: Callable[[], object]) -> None:
        # One stream for all: a parameter remembers the stream on which its gradient was first accumulated, and the
        # backward of a captured pass must not wait for another stream.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_PASSES):
                prepare()
                run()
        torch.cuda.current_stream().wait_stream(stream)
        prepare()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, stream=stream):
            self._output = run().detach()  # without the autograd graph, whose nodes remember this stream
        self.captured = True
