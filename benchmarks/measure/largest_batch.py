"""The largest batch that fits into the memory of a device, and the batch with the most images a second.

The batch is doubled until a pass does not fit, and the gap between the last two batches is then bisected. On a GPU the
largest batch is seldom the fastest one: throughput stops growing long before the memory is full.
"""

import dataclasses
import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from benchmarks.cases.case import Case
from benchmarks.measure.clock import synchronised_clock, take_turn
from benchmarks.records.outcome import outcome_of
from benchmarks.workloads.build import build_workload

# The bisection ends when the largest batch is known up to this fraction.
PRECISION = 0.05
# Passes of a batch whose median counts, after one to warm up.
PASSES = 5
LARGEST = 2**20


@dataclass(frozen=True)
class Batches:
    """The batches that were tried.

    Args:
        seconds: median time of a pass by batch size, for all batches that fit.
        refused: the smallest batch that does not fit; None if every batch did.
        ended_by: why no more batches were tried: "precision" if the largest batch is known, "limit" if ``LARGEST``
            fits, "time", or the error of a pass that failed for another reason than memory.
    """

    seconds: dict[int, float]
    refused: int | None
    ended_by: str

    @property
    def largest(self) -> int | None:
        """The largest batch that fits; None if no batch does."""
        return max(self.seconds, default=None)

    @property
    def fastest(self) -> int | None:
        """The batch with the most images a second; None if no batch fits."""
        return max(self.seconds, key=lambda batch: batch / self.seconds[batch], default=None)

    @property
    def images_per_second(self) -> float | None:
        """Images a second of the fastest batch; None if no batch fits."""
        return None if self.fastest is None else self.fastest / self.seconds[self.fastest]


def largest_batch(
    case: Case, *, seconds: float, first: int = 1, clock: Callable[[], float] = time.monotonic
) -> Batches:
    """Search the largest batch of a case; ``configure`` must have been called. It needs the device for itself.

    Args:
        case: the case, whose own batch size does not matter.
        seconds: no further batch is tried after this time; a batch that has begun is finished.
        first: the first batch.
    """
    return search(lambda batch: _median_seconds(dataclasses.replace(case, batch_size=batch)), seconds, first, clock)


def search(time_of: Callable[[int], float | None], seconds: float, first: int, clock: Callable[[], float]) -> Batches:
    """Double and bisect the batch; ``time_of`` returns the seconds of a pass, None if the batch does not fit."""
    end, batch = clock() + seconds, first
    fits: dict[int, float] = {}
    refused: int | None = None
    while batch <= LARGEST:
        if clock() >= end:
            return Batches(fits, refused, "time")
        try:
            found = time_of(batch)
        except Exception as error:  # the batches before it are known all the same
            return Batches(fits, refused, outcome_of(error).message)
        if found is None:
            refused = batch
        else:
            fits[batch] = found
        low = max(fits, default=0)
        if refused is None:
            batch *= 2
        elif refused - low <= max(PRECISION * refused, 1):
            return Batches(fits, refused, "precision")
        else:
            batch = (low + refused) // 2
    return Batches(fits, refused, "limit")


def _median_seconds(case: Case) -> float | None:
    """Return the median time of a pass; None if the batch does not fit. Its memory is free again afterwards."""
    try:
        return _passes(case)
    except (RuntimeError, MemoryError) as error:
        if outcome_of(error).status != "out_of_memory":
            raise
        error.__traceback__ = None  # its frames hold the tensors of the pass
        return None
    finally:
        gc.collect()
        if case.device == "cuda":
            torch.cuda.empty_cache()


def _passes(case: Case) -> float:
    workload, clock = build_workload(case), synchronised_clock(case.device)
    times = [take_turn(workload.run, clock, 0.0, prepare=workload.prepare)[0] for _ in range(1 + PASSES)]
    return statistics.median(times[1:])
