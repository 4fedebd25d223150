"""Peak memory of one pass above what was allocated before it, and what it consists of.

On the CPU it comes from torch's profiler, which sees every allocation and release of torch's allocator, oneDNN's layout
copies included; their running sum is exact where resident-set sizes miss short-lived buffers and count page caches.
On CUDA the allocator keeps the peak itself, and what it has reserved from the device beside it.

The split follows the same events: every block that is allocated at the moment of the peak is of one kind, told by its
address. So the parts add up to the peak.

Set ``KINETO_LOG_LEVEL=99`` before torch is imported, or the profiler prints two lines each time.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile, record_function

from benchmarks.workloads.workload import Workload

with contextlib.suppress(ImportError):
    # The profiler imports this when it starts, and 900 modules with it: two seconds that a server process pays once.
    import torch._inductor.config

CPU_METHOD = "torch.profiler running sum"
CUDA_METHOD = "torch.cuda allocator"
# What a block can be; "workspace" is all that is none of the others.
KINDS = ("parameters", "kernels", "activations", "workspace")
# A profiler range of this name says of what kind the block at an address is. (The clock of the ranges is the
# allocations' own, and an address is used again and again.)
_MARK = "memory of kind"


def peak_memory(run: Callable[[], object], device: str, *, prepare: Callable[[], object]) -> dict[str, int | str]:
    """Run one pass, and say how much memory it took.

    Args:
        run: the pass; what it returns lives until the measurement ends.
        device: "cpu" or "cuda".
        prepare: called first; it must release what an earlier pass left behind, gradients above all.

    Returns:
        ``peak_bytes`` above the baseline, and the ``method``; on CUDA also ``reserved_bytes``, by how much the
        allocator's share of the device grew when it started without free blocks.
    """
    prepare()
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        allocated, reserved = torch.cuda.memory_allocated(), torch.cuda.memory_reserved()
        torch.cuda.reset_peak_memory_stats()
        result = run()
        torch.cuda.synchronize()
        return {
            "peak_bytes": torch.cuda.max_memory_allocated() - allocated,
            "reserved_bytes": torch.cuda.max_memory_reserved() - reserved,
            "method": CUDA_METHOD,
        }
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        result = run()
    del result
    changes = (event.extra_fields.alloc_size for event in _events(profiler) if _is_allocation(event, device))
    return {"peak_bytes": highest_running_sum(changes), "method": CPU_METHOD}


def highest_running_sum(changes: Iterable[int]) -> int:
    """The maximum of the running sum of signed byte counts, at least 0."""
    total = peak = 0
    for change in changes:
        total += change
        peak = max(peak, total)
    return peak


def split_memory(workload: Workload) -> dict[str, int | str]:
    """Run one pass after a first one, and say of what its peak consists.

    Parameters, input, optimiser state and cached kernels are there before the pass and not part of the peak.

    Returns:
        ``peak_bytes`` and ``method`` (and ``reserved_bytes``) as in ``peak_memory``; of the peak

        - ``parameters_bytes``: gradients of the parameters,
        - ``kernels_bytes``: generated kernels, and what generating them keeps for its backward,
        - ``activations_bytes``: what else is saved for backward, each storage once,
        - ``workspace_bytes``: the rest: the output, copies into another layout, gradients of activations.
    """
    device = workload.x.device.type
    workload.prepare()
    workload.run()  # fills the kernels' cache and the optimiser's state
    peak = peak_memory(workload.run, device, prepare=workload.prepare)
    workload.prepare()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler, _marking(workload):
        result = workload.run()
        for parameter in workload.module.parameters():
            if parameter.grad is not None:
                _mark("parameters", parameter.grad)
    del result
    parts = parts_at_peak(_changes(profiler, device))
    if device == "cuda":  # it rounds sizes up, and sees what libraries allocate through it
        parts["workspace"] += int(peak["peak_bytes"]) - sum(parts.values())
    return peak | {f"{kind}_bytes": size for kind, size in parts.items()}


@dataclass
class _Block:
    size: int
    kind: str = "workspace"


Change = tuple[int, int | str]


def parts_at_peak(changes: Iterable[Change]) -> dict[str, int]:
    """Bytes of every kind that are allocated when the total is highest.

    Args:
        changes: in order of time, (address, signed bytes) for an allocation or a release, and (address, kind) for what
            the block there is. The first word on a block stands.

    >>> parts_at_peak([(1, 8), (1, "kernels"), (2, 4), (2, -4), (3, 2)])
    {'parameters': 0, 'kernels': 8, 'activations': 0, 'workspace': 4}
    """
    live: dict[int, _Block] = {}
    at_peak: list[_Block] = []
    total = peak = 0
    for address, change in changes:
        if isinstance(change, str):
            block = live.get(address)  # none: it was there before the pass
            if block is not None and block.kind == "workspace":
                block.kind = change
            continue
        if change > 0:
            live[address] = _Block(change)
        else:
            live.pop(address, None)
        total += change
        if total > peak:
            peak, at_peak = total, list(live.values())
    sizes = dict.fromkeys(KINDS, 0)
    for block in at_peak:
        sizes[block.kind] += block.size
    sizes["workspace"] += peak - sum(sizes.values())  # what was there before and was released makes room
    return sizes


@contextlib.contextmanager
def _marking(workload: Workload) -> Iterator[None]:
    """Mark what is saved for backward, and the kernels of the layers that generate any.

    Inside a compiled module nothing is told apart: to watch it is to compile it anew.
    """
    generating = 0

    def save(tensor: Tensor) -> Tensor:
        _mark("kernels" if generating else "activations", tensor)
        return tensor

    def marked(generate: Callable[..., tuple[Tensor, ...]]) -> Callable[..., tuple[Tensor, ...]]:
        def kernels(*grids: Tensor) -> tuple[Tensor, ...]:
            nonlocal generating
            generating += 1
            try:
                generated = generate(*grids)
            finally:
                generating -= 1
            for kernel in generated:
                _mark("kernels", kernel)
            return generated

        return kernels

    with contextlib.ExitStack() as stack:
        for layer in workload.module.modules() if workload.call is None else ():
            if hasattr(layer, "kernels"):
                layer.kernels = marked(layer.kernels)  # type: ignore[arg-type, assignment]
                stack.callback(delattr, layer, "kernels")
        stack.enter_context(torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor))
        yield


def _mark(kind: str, tensor: Tensor) -> None:
    with record_function(f"{_MARK} {kind} {tensor.untyped_storage().data_ptr()}"):
        pass


def _events(profiler: profile) -> list[Any]:
    """All events in order of time. The public list leaves out what was allocated inside an operator."""
    assert profiler.profiler is not None
    assert profiler.profiler.kineto_results is not None
    events: list[Any] = []
    waiting = list(profiler.profiler.kineto_results.experimental_event_tree())
    while waiting:
        event = waiting.pop()
        events.append(event)
        waiting.extend(event.children)
    return sorted(events, key=lambda event: event.start_time_ns)


def _is_allocation(event: Any, device: str) -> bool:
    return hasattr(event.extra_fields, "alloc_size") and event.extra_fields.device.type == device


def _changes(profiler: profile, device: str) -> Iterator[Change]:
    for event in _events(profiler):
        if _is_allocation(event, device):
            yield event.extra_fields.ptr, event.extra_fields.alloc_size
        elif event.name.startswith(_MARK):
            *_, kind, address = event.name.split()
            yield int(address), kind
