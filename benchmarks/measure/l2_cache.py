"""The second-level cache of a GPU, emptied before a pass so that the pass reads its operands from memory.

Between two passes of one small layer nothing else runs, so the second pass would find its input and its kernels in the
cache. Inside a network other layers have run meanwhile. On the CPU the caches are left alone.
"""

import functools
from collections.abc import Callable

import torch

# Bytes written, as a multiple of the cache's size; and the size where the device does not report one.
SIZES, UNKNOWN_BYTES = 2, 2**27


def emptying(prepare: Callable[[], object], device: str) -> Callable[[], object]:
    """Return a function that calls ``prepare`` and then, on CUDA, fills the cache with other data; it does not wait.

    The time of the write is not part of a pass: a clock that waits for the device is read after the write, and an event
    is recorded after it.
    """
    if device == "cpu":
        return prepare
    buffer = _buffer()

    def prepare_and_empty() -> None:
        prepare()
        buffer.zero_()

    return prepare_and_empty


@functools.cache
def _buffer() -> torch.Tensor:
    """Return the memory that is written, the same for all workloads of a process."""
    size = torch.cuda.get_device_properties().L2_cache_size or UNKNOWN_BYTES
    return torch.empty(SIZES * size, dtype=torch.int8, device="cuda")
