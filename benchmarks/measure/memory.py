"""Peak memory of one pass above the memory allocated before it, and the parts of the peak.

On the CPU, torch's profiler reports every allocation and release, including oneDNN's layout copies. Their running sum
is exact, whereas resident-set sizes miss short-lived buffers and count page caches. On CUDA, torch's allocator itself
keeps the peak, and the memory that it has reserved from the device.

The split uses the same events: each block of memory that is allocated at the peak has one kind, found by its address.
So the parts add up to the peak.

Set ``KINETO_LOG_LEVEL=99`` before torch is imported; otherwise the profiler prints two lines each time.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile, record_function

from benchmarks.measure.replaced import replaced
from benchmarks.workloads.workload import Workload

with contextlib.suppress(ImportError):
    # The profiler would import this and 900 other modules when it starts (2 s); the process server imports them once.
    import torch._inductor.config

CPU_METHOD = "torch.profiler running sum"
CUDA_METHOD = "torch.cuda allocator"
# The kinds of blocks; "workspace" is everything else.
BLOCK_KINDS = ("parameters", "kernels", "activations", "workspace")
# A profiler range with this name states the kind of the block at an address. Ranges and allocations have the same
# clock, so a later block at the same address is not confused with this one.
_MARK = "memory of kind"


def peak_memory(run: Callable[[], object], device: str, *, prepare: Callable[[], object]) -> dict[str, int | str]:
    """Run one pass and measure its peak memory.

    Args:
        run: the pass; its result lives until the measurement ends.
        prepare: function that releases the memory of an earlier pass, above all gradients; called first.

    Returns:
        ``peak_bytes`` above the memory before the pass, and the ``method``; on CUDA also ``reserved_bytes``, the growth
        of the memory that the allocator has reserved, if the allocator starts without free blocks.
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
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as profiler:
        result = run()
    del result
    changes = (change for _, (_, change) in _changes(profiler, device) if isinstance(change, int))
    return {"peak_bytes": highest_running_sum(changes), "method": CPU_METHOD}


def highest_running_sum(changes: Iterable[int]) -> int:
    """Return the maximum of the running sum of signed byte counts, at least 0."""
    return max(itertools.accumulate(changes, initial=0))


def split_memory(workload: Workload) -> dict[str, int | str]:
    """Run one pass, and split its peak memory into parts.

    A pass must have run before: it makes cached kernels and the optimiser's state, which then exist before this pass,
    like parameters and input, and are not part of the peak.

    Returns:
        The values of ``peak_memory``, and the parts of the peak:

        - ``parameters_bytes``: gradients of the parameters,
        - ``kernels_bytes``: generated kernels, and tensors that their generation saves for backward,
        - ``activations_bytes``: other tensors saved for backward, each storage once,
        - ``workspace_bytes``: all other memory: output, copies into another layout, gradients of activations.
    """
    device = workload.x.device.type
    peak: dict[str, int | str] = {"method": CPU_METHOD}
    if device == "cuda":
        peak = peak_memory(workload.run, device, prepare=workload.prepare)
    parts = parts_at_peak(change for _, change in memory_changes(workload, workload.run)[1])
    if device == "cuda":  # the allocator rounds sizes up, and includes what libraries allocate through it
        parts["workspace"] += int(peak["peak_bytes"]) - sum(parts.values())
    return peak | {"peak_bytes": sum(parts.values())} | {f"{kind}_bytes": size for kind, size in parts.items()}


Change = tuple[int, int | str]


def memory_changes(workload: Workload, run: Callable[[], object]) -> tuple[profile, list[tuple[int, Change]]]:
    """Run one pass of a workload, and return its profile and the changes of its memory, each with its nanosecond.

    The changes are as ``blocks`` wants them. ``run`` runs one pass of the workload.
    """
    workload.prepare()
    with (
        profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as profiler,
        _marking(workload),
    ):
        result = run()
        for parameter in workload.module.parameters():
            if parameter.grad is not None:
                _mark("parameters", parameter.grad)
    del result
    return profiler, list(_changes(profiler, workload.x.device.type))


@dataclass
class Block:
    """A block of memory: its bytes, its kind, and the positions of its allocation and release among the changes.

    A block from before the pass has the position and the negative bytes of its release.
    """

    size: int
    allocated: int
    released: int | None = None
    kind: str = "workspace"


def blocks(changes: Iterable[Change]) -> list[Block]:
    """Return all blocks of a pass.

    Args:
        changes: in order of time, (address, signed bytes) for an allocation or a release, and (address, kind) to state
            the kind of the block there. Later statements about the same block are ignored.
    """
    live: dict[int, Block] = {}
    found: list[Block] = []
    for position, (address, change) in enumerate(changes):
        if isinstance(change, str):
            block = live.get(address)  # None for a block from before the pass
            if block is not None and block.kind == "workspace":
                block.kind = change
        elif change < 0 and address in live:
            live.pop(address).released = position
        else:
            block = Block(change, position)
            found.append(block)
            if change > 0:
                live[address] = block
    return found


def position_of_peak(found: Iterable[Block]) -> int:
    """Return the position of the change that brings the total of some blocks to its maximum; -1 if none does."""
    steps = [(block.allocated, block.size) for block in found]
    steps += [(block.released, -block.size) for block in found if block.released is not None]
    total = peak = 0
    position = -1
    for at, size in sorted(steps):
        total += size
        if total > peak:
            peak, position = total, at
    return position


def live_at(found: Iterable[Block], position: int) -> list[Block]:
    """Return the blocks that exist after the change at a position."""
    return [
        block
        for block in found
        if block.allocated <= position and (block.released is None or block.released > position)
    ]


def parts_at_peak(changes: Iterable[Change]) -> dict[str, int]:
    """Return the bytes of each kind that are allocated when the total of ``changes`` (see ``blocks``) is highest.

    >>> parts_at_peak([(1, 8), (1, "kernels"), (2, 4), (2, -4), (3, 2)])
    {'parameters': 0, 'kernels': 8, 'activations': 0, 'workspace': 4}
    """
    found = blocks(changes)
    sizes = dict.fromkeys(BLOCK_KINDS, 0)
    for block in live_at(found, position_of_peak(found)):  # workspace less what was released from before the pass
        sizes[block.kind] += block.size
    return sizes


@contextlib.contextmanager
def _marking(workload: Workload) -> Iterator[None]:
    """Mark the tensors that are saved for backward, and the kernels that layers generate.

    Kernels of a compiled module are not marked, because watching the module would compile it again.
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
                stack.enter_context(replaced(layer, "kernels", marked))
        stack.enter_context(torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor))
        yield


def _mark(kind: str, tensor: Tensor) -> None:
    with record_function(f"{_MARK} {kind} {tensor.untyped_storage().data_ptr()}"):
        pass


def _events(profiler: profile) -> list[Any]:
    """Return all events in order of time. The profiler's public list lacks allocations inside an operator."""
    assert profiler.profiler is not None
    assert profiler.profiler.kineto_results is not None
    events: list[Any] = []
    waiting = list(profiler.profiler.kineto_results.experimental_event_tree())
    while waiting:
        event = waiting.pop()
        events.append(event)
        waiting.extend(event.children)
    return sorted(events, key=lambda event: event.start_time_ns)


def _changes(profiler: profile, device: str) -> Iterator[tuple[int, Change]]:
    for event in _events(profiler):
        memory = event.extra_fields
        if hasattr(memory, "alloc_size") and memory.device.type == device:
            yield event.start_time_ns, (memory.ptr, memory.alloc_size)
        elif event.name.startswith(_MARK):
            *_, kind, address = event.name.split()
            yield event.start_time_ns, (int(address), kind)
