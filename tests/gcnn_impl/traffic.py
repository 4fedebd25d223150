"""Counting what kernels in Triton's interpreter do: launches, and the bytes that they read and write."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from triton.runtime import interpreter


@dataclass
class Traffic:
    """What was counted. A byte counts once in each launch, as if the caches kept everything until its end."""

    launches: int = 0
    read: int = 0
    written: int = 0
    _loaded: list[np.ndarray] = field(default_factory=list)
    _stored: list[np.ndarray] = field(default_factory=list)

    def end_launch(self) -> None:
        self.launches += 1
        stored = {}
        for name, addresses in (("written", self._stored), ("read", self._loaded)):
            stored[name] = np.unique(np.concatenate(addresses)) if addresses else np.empty(0, np.uint64)
        # What a launch itself has written, it reads from the cache.
        self.read += len(np.setdiff1d(stored["read"], stored["written"], assume_unique=True))
        self.written += len(stored["written"])
        self._loaded, self._stored = [], []


def _bytes(pointers: np.ndarray, mask: np.ndarray, size: int) -> np.ndarray:
    chosen = np.asarray(pointers)[np.broadcast_to(mask, np.shape(pointers))].astype(np.uint64).ravel()
    return np.unique(chosen)[:, None].repeat(size, 1).ravel() + np.tile(
        np.arange(size, dtype=np.uint64), len(np.unique(chosen))
    )


@contextlib.contextmanager
def counted() -> Iterator[Traffic]:
    """Count the launches in this context."""
    traffic, builder, executor = Traffic(), interpreter.InterpreterBuilder, interpreter.GridExecutor
    before = builder.create_masked_load, builder.create_masked_store, executor.__call__

    def load(self, pointers, mask, *rest):
        y = before[0](self, pointers, mask, *rest)
        traffic._loaded.append(_bytes(pointers.data, mask.data, y.data.dtype.itemsize))
        return y

    def store(self, pointers, value, mask, *rest):
        traffic._stored.append(_bytes(pointers.data, mask.data, value.data.dtype.itemsize))
        return before[1](self, pointers, value, mask, *rest)

    def launch(self, *args, **kwargs):
        y = before[2](self, *args, **kwargs)
        traffic.end_launch()
        return y

    builder.create_masked_load, builder.create_masked_store, executor.__call__ = load, store, launch
    try:
        yield traffic
    finally:
        builder.create_masked_load, builder.create_masked_store, executor.__call__ = before
