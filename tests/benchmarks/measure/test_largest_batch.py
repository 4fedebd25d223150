"""The search for the largest batch, with made-up memory and a made-up clock, and its handling of a lack of memory."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch

from benchmarks.cases.case import Case
from benchmarks.measure import largest_batch as instrument
from benchmarks.measure.largest_batch import PRECISION, Batches, largest_batch, search
from tests.benchmarks.conftest import Cuda

TINY: dict[str, Any] = {"channels": 2, "image_size": 8, "kernel_size": 3, "resolution": 2}


def device(holds: int, tried: list[int]) -> Callable[[int], float | None]:
    """Return the time of a pass on a device that holds some images, and is fastest with 64 of them."""

    def time_of(batch: int) -> float | None:
        tried.append(batch)
        return None if batch > holds else 1.0 + batch / 64 + (batch / 64) ** 2

    return time_of


@pytest.mark.parametrize("holds", [1, 2, 7, 100, 1000, 12345])
def test_the_batch_is_doubled_and_then_bisected(holds: int) -> None:
    tried: list[int] = []
    found = search(device(holds, tried), 1.0, 1, lambda: 0.0)
    assert found.ended_by == "precision"
    assert found.largest is not None
    assert found.refused is not None
    assert found.largest <= holds < found.refused
    assert found.refused - found.largest <= max(PRECISION * found.refused, 1)
    assert len(tried) == len(set(tried)) <= 2 * holds.bit_length() + 2
    assert found.fastest == (64 if holds >= 64 else found.largest)


def test_no_batch_fits() -> None:
    found = search(device(0, []), 1.0, 4, lambda: 0.0)
    assert (found.largest, found.fastest, found.images_per_second, found.refused) == (None, None, None, 1)


def test_the_search_ends_with_its_time_or_with_another_error_and_keeps_what_it_found() -> None:
    ticks = iter(range(100))
    found = search(device(10**6, []), 3.0, 1, lambda: float(next(ticks)))
    assert (found.largest, found.refused, found.ended_by) == (2, None, "time")
    assert found.images_per_second == pytest.approx(2 / found.seconds[2])

    def time_of(batch: int) -> float:
        if batch == 8:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return 1.0

    found = search(time_of, 3.0, 1, lambda: 0.0)
    assert (found.largest, found.ended_by) == (
        4,
        "RuntimeError: CUDA error: an illegal memory access was encountered",
    )
    assert search(lambda batch: 1.0, 3.0, 1, lambda: 0.0).ended_by == "limit"


def test_a_refused_batch_leaves_no_memory_behind(cuda: Cuda, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def passes(case: Case) -> float:
        large = torch.empty(case.batch_size)
        held.append(weakref.ref(large))
        if case.batch_size > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return 1.0

    monkeypatch.setattr(instrument, "_passes", passes)
    monkeypatch.setattr(gc, "collect", lambda: cuda.note("collect"))
    found = largest_batch(Case(**TINY, device="cuda"), seconds=60.0)
    assert found == Batches({1: 1.0, 2: 1.0}, 3, "precision")
    assert all(reference() is None for reference in held)
    assert cuda.taken() == ["collect", "empty_cache"] * len(held)


def test_real_passes_are_timed() -> None:
    ticks = iter(range(100))
    found = largest_batch(Case(**TINY, threads=1), seconds=3.0, first=2, clock=lambda: float(next(ticks)))
    assert set(found.seconds) == {2, 4}
    assert all(0 < seconds < 60 for seconds in found.seconds.values())
