"""The ceilings of the roofline, and the bytes that a pass moves (Williams, Waterman, Patterson, CACM 52, 2009).

The two ceilings are measured instead of read from a data sheet: the rate of a large matrix product or convolution, and
of a large copy. A ceiling is a rate that was reached once, so it is the best of several tries, whereas every other time
in this suite is a median.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks.measure.clock import synchronised_clock, take_turn
from benchmarks.workloads.workload import Workload

# So large that calls and edges do not matter, and so small that all tries take a second or two: on two cores, or on a
# GPU, where a call and a synchronisation take some ten microseconds.
MATRIX_SIDE = {"cpu": 2048, "cuda": 8192}
CONVOLUTION = {"channels": 256, "side": 56, "kernel": 3}
CONVOLUTION_BATCH = {"cpu": 8, "cuda": 64}
# Much larger than any cache.
COPY_BYTES = {"cpu": 2**28, "cuda": 2**30}
# Operators that only allocate, and one that is a view by another name.
MOVE_NOTHING = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "_unsafe_view"}
SECONDS = 0.5
LEAST_TRIES = 3


def ceilings(device: str, threads: int, dtype: str = "float32") -> dict[str, float]:
    """Measure the best rates of the machine, for a device, number of threads and number format as in a case.

    Returns:
        ``matrix_ceiling``, MAC/s; and ``memory_ceiling``, bytes/s read and written.
    """
    threads_before, tf32_before = torch.get_num_threads(), torch.backends.cuda.matmul.allow_tf32
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = dtype == "tf32"
    try:
        with torch.inference_mode():
            return {
                "matrix_ceiling": max(_product_rates(device, torch.bfloat16 if dtype == "bfloat16" else torch.float32)),
                "memory_ceiling": _copy_rate(device),
            }
    finally:
        torch.set_num_threads(threads_before)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32_before


def moved_bytes(workload: Workload) -> int:
    """Count the bytes that the operators of one pass read and write, as if each fetched its operands from memory.

    Operands that a cache keeps between operators are counted; bytes that oneDNN or cuDNN move inside an operator are
    not. A compiled or captured pass is counted as if it were neither. A pass must have run before, as for
    ``split_memory``.
    """
    workload.prepare()
    traffic = Traffic()
    with traffic:
        dataclasses.replace(workload, call=None, graph=None).run()
    workload.prepare()
    return traffic.bytes


class Traffic(TorchDispatchMode):
    """Adds up the bytes of the operands and results of every operator that computes, and counts these operators."""

    def __init__(self) -> None:
        TorchDispatchMode.__init__(self)  # not super(): mypy allows calls of torch's untyped functions only
        self.bytes: int = 0
        self.operators: int = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        moved = bytes_of_call(func, (args, kwargs), result)
        self.bytes += moved or 0
        self.operators += moved is not None
        return result


def bytes_of_call(operator: Any, operands: Any, result: Any) -> int | None:
    """Return the bytes of the operands and results of an operator's call; None if the operator computes nothing."""
    written = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
    if not written or operator.is_view or operator.overloadpacket.__name__ in MOVE_NOTHING:
        return None
    read = {id(leaf): leaf for leaf in tree_leaves(operands) if isinstance(leaf, Tensor)}
    return sum(tensor.nbytes for tensor in [*read.values(), *written])


def _product_rates(device: str, dtype: torch.dtype) -> list[float]:
    matrix, batch = MATRIX_SIDE[device], CONVOLUTION_BATCH[device]
    square = torch.randn(matrix, matrix, device=device).to(dtype)
    channels, side, k = CONVOLUTION.values()
    image = torch.randn(batch, channels, side, side, device=device).to(dtype, memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, k, k, device=device).to(dtype, memory_format=torch.channels_last)
    return [
        matrix**3 / _best_seconds(lambda: square @ square, device),
        batch * (channels * side * k) ** 2 / _best_seconds(lambda: conv2d(image, weight, padding=k // 2), device),
    ]


def _copy_rate(device: str) -> float:
    source = torch.zeros(COPY_BYTES[device] // 4, device=device)
    target = torch.zeros_like(source)
    return 2 * source.nbytes / _best_seconds(lambda: target.copy_(source), device)


def _best_seconds(run: Callable[[], object], device: str) -> float:
    """Return the time of the fastest pass, after one to warm up."""
    clock = synchronised_clock(device)
    run()
    turns = (take_turn(run, clock, SECONDS / LEAST_TRIES, prepare=lambda: None) for _ in range(LEAST_TRIES))
    return min(map(min, turns))
