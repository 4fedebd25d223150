"""Counting what kernels in Triton's interpreter do: launches, and the bytes that they read and write."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from triton.runtime import interpreter


@dataclass
class Traffic:
    """What was counted. A value counts once in each launch, as if the caches kept everything until its end."""

    launches: int = 0
    read: int = 0
    written: int = 0
    _loaded: list[tuple[int, np.ndarray]] = field(default_factory=list)
    _stored: list[tuple[int, np.ndarray]] = field(default_factory=list)

    def end_launch(self) -> None:
        self.launches += 1
        loaded, stored = (
            {size: np.unique(np.concatenate([a for s, a in seen if s == size])) for size in {s for s, _ in seen}}
            for seen in (self._loaded, self._stored)
        )
        # What a launch itself has written, it reads from the cache.
        own = {size: np.isin(a, stored.get(size, []), assume_unique=True) for size, a in loaded.items()}
        self.read += sum(size * int((~own[size]).sum()) for size in loaded)
        self.written += sum(size * len(a) for size, a in stored.items())
        self._loaded, self._stored = [], []


@contextlib.contextmanager
def counted() -> Iterator[Traffic]:
    """Count the launches in this context."""
    traffic, builder, executor = Traffic(), interpreter.InterpreterBuilder, interpreter.GridExecutor
    before = builder.create_masked_load, builder.create_masked_store, executor.__call__

    def load(self, pointers, mask, *rest):
        y = before[0](self, pointers, mask, *rest)
        traffic._loaded.append((y.data.dtype.itemsize, pointers.data[mask.data]))
        return y

    def store(self, pointers, value, mask, *rest):
        traffic._stored.append((value.data.dtype.itemsize, pointers.data[mask.data]))
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
