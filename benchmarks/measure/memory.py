"""Peak memory of one pass above what was allocated before it.

On the CPU it comes from torch's profiler, which sees every allocation and release of torch's allocator, oneDNN's layout
copies included; their running sum is exact where resident-set sizes miss short-lived buffers and count page caches.
On CUDA the allocator keeps the peak itself.

Set ``KINETO_LOG_LEVEL=99`` before torch is imported, or the profiler prints two lines each time.
"""

import contextlib
from collections.abc import Callable, Iterable

import torch
from torch.profiler import ProfilerActivity, profile

with contextlib.suppress(ImportError):
    # The profiler imports this when it starts, and 900 modules with it: two seconds that a server process pays once.
    import torch._inductor.config

CPU_METHOD = "torch.profiler running sum"
CUDA_METHOD = "torch.cuda allocator"


def peak_memory(run: Callable[[], object], device: str, *, prepare: Callable[[], object]) -> dict[str, int | str]:
    """Run one pass, and say how much memory it took.

    Args:
        run: the pass; what it returns lives until the measurement ends.
        device: "cpu" or "cuda".
        prepare: called first; it must release what an earlier pass left behind, gradients above all.

    Returns:
        ``peak_bytes`` above the baseline, and the ``method``.
    """
    prepare()
    if device == "cuda":
        torch.cuda.synchronize()
        baseline = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        result = run()
        torch.cuda.synchronize()
        return {"peak_bytes": torch.cuda.max_memory_allocated() - baseline, "method": CUDA_METHOD}
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        result = run()
    del result
    assert profiler.profiler is not None
    # The public list leaves out what was allocated inside an operator; the raw events have all of it.
    events = profiler.profiler.kineto_results.events()
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    return {"peak_bytes": highest_running_sum(change for _, change in changes), "method": CPU_METHOD}


def highest_running_sum(changes: Iterable[int]) -> int:
    """The maximum of the running sum of signed byte counts, at least 0."""
    total = peak = 0
    for change in changes:
        total += change
        peak = max(peak, total)
    return peak
