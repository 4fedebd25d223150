"""Opens spans in torch's profile of a pass: the pass, its phases, each call of a module, each generation of kernels."""

import contextlib
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from torch._C._profiler import _RecordFunctionFast

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
    """Let each call of a module open a span; a compiled or captured pass does not call them one by one."""
    open_spans: list[_RecordFunctionFast] = []

    def enter(name: str) -> Callable[..., None]:
        def hook(*_: Any) -> None:
            open_spans.append(span(MODULE + name))
            open_spans[-1].__enter__()

        return hook

    def leave(*_: Any) -> None:
        open_spans.pop().__exit__(None, None, None)

    with contextlib.ExitStack() as stack:
        for name, module in workload.module.named_modules() if _calls_modules(workload) else ():
            before = module.register_forward_pre_hook(enter(name), prepend=True)
            after = module.register_forward_hook(leave, always_call=True)
            stack.callback(before.remove)
            stack.callback(after.remove)
            if generates_kernels(module):
                inner = f"{name}.{KERNELS}" if name else KERNELS
                stack.enter_context(replaced(module, "kernels", _in_span(MODULE + inner)))
        yield


def module_types(workload: Workload) -> dict[str, str]:
    """Return the class of each module, by the module's name."""
    return {name: type(module).__name__ for name, module in workload.module.named_modules()}


def _calls_modules(workload: Workload) -> bool:
    return workload.call is None and workload.graph is None


def _in_span(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def watched(*arguments: Any, **options: Any) -> Any:
            with span(name):
                return function(*arguments, **options)

        return watched

    return wrap
