"""Opens spans in torch's profile of a pass: the pass, its phases, each call of a module, each generation of kernels."""

import contextlib
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from torch import nn
from torch._C._profiler import _RecordFunctionFast
from torch.autograd.profiler import profile

from benchmarks.measure.replaced import replaced
from benchmarks.profiling.attribution import BACKWARD, FORWARD, OPTIMISER
from benchmarks.profiling.events import MODULE, PASS, PHASE
from benchmarks.workloads.workload import Workload, generates_kernels

# The generation of a layer's kernels counts as a module inside the layer, with this name.
KERNELS = "kernels()"


def span(name: str) -> _RecordFunctionFast:
    """Return a context in which torch's profiler records a span.

    ``torch.profiler.record_function`` does so by an operator, which takes longer and is itself seen by ``counting``.
    """
    return _RecordFunctionFast(name)


def recorder(device: str) -> profile:
    """Return a context that records operators, and on CUDA kernels; then it has ``kineto_results``.

    ``torch.profiler.profile`` would make a list of all events at its end, which takes longer than the passes.
    """
    return profile(use_device="cuda" if device == "cuda" else None, use_kineto=True)


def run_in_spans(workload: Workload, finish: Callable[[], object] = lambda: None) -> object:
    """Run one pass of a workload in spans, and return its output; ``finish`` ends the pass, for example on a GPU."""
    with span(PASS):
        if workload.graph is not None:  # a replay has no phases
            y = workload.run()
        else:
            with span(PHASE + FORWARD):
                y = workload.forward()
            if workload.backward:
                with span(PHASE + BACKWARD):
                    workload.backpropagate(y)
            if workload.optimiser is not None:
                with span(PHASE + OPTIMISER):
                    workload.step()
        finish()
    return y


@contextlib.contextmanager
def spans_of_modules(workload: Workload) -> Iterator[None]:
    """Let each call of a module open a span; a compiled or captured pass does not call them one by one.

    The modules have no hooks for this, because layers with hooks do not take their fastest path
    (``gcnn_impl.watching``); the call of all modules is replaced instead.
    """
    if workload.call is not None or workload.graph is not None:
        yield
        return
    spans = {id(module): MODULE + name for name, module in workload.module.named_modules()}

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def call_in_span(module: nn.Module, *arguments: Any, **options: Any) -> Any:
            if (name := spans.get(id(module))) is None:
                return call(module, *arguments, **options)
            with span(name):
                return call(module, *arguments, **options)

        return call_in_span

    with contextlib.ExitStack() as stack:
        stack.enter_context(replaced(nn.Module, "__call__", watched))
        for name, module in workload.module.named_modules():
            if generates_kernels(module):
                inner = f"{name}.{KERNELS}" if name else KERNELS
                stack.enter_context(replaced(module, "kernels", _in_span(MODULE + inner)))
        yield


def module_types(workload: Workload) -> dict[str, str]:
    """Return the class of each module, by the module's name."""
    return {name: type(module).__name__ for name, module in workload.module.named_modules()}


def _in_span(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def watched(*arguments: Any, **options: Any) -> Any:
            with span(name):
                return function(*arguments, **options)

        return watched

    return wrap
