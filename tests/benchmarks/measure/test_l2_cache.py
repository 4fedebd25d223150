"""The cache of a GPU is emptied between the preparation of a pass and the clock's reading; the CPU's is left alone."""

from collections.abc import Iterator

import pytest
import torch

from benchmarks.measure import l2_cache
from benchmarks.measure.clock import synchronised_clock, take_turn
from benchmarks.measure.l2_cache import SIZES, emptying
from tests.benchmarks.conftest import L2_BYTES, Cuda


@pytest.fixture
def written(cuda: Cuda, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[object, ...]]]:
    """Yield the buffers that were allocated, which note when they are written."""
    made: list[tuple[object, ...]] = []

    class Buffer:
        def zero_(self) -> None:
            cuda.note("write")

    def empty(*arguments: object, **options: object) -> Buffer:
        made.append((*arguments, *options.values()))
        return Buffer()

    monkeypatch.setattr(torch, "empty", empty)
    l2_cache._buffer.cache_clear()
    yield made
    l2_cache._buffer.cache_clear()


def test_the_cache_is_emptied_before_the_clock_is_read_and_every_pass_again(cuda: Cuda, written: list[object]) -> None:
    prepare = emptying(lambda: cuda.note("prepare"), "cuda")
    emptying(lambda: None, "cuda")
    take_turn(lambda: cuda.note("run"), synchronised_clock("cuda"), 1e6, prepare=prepare, most=2)
    assert cuda.taken() == ["prepare", "write", "synchronize", "run", "synchronize"] * 2
    assert written == [(SIZES * L2_BYTES, torch.int8, "cuda")]  # one for all workloads


def test_a_device_that_does_not_report_its_cache_gets_a_large_buffer(
    cuda: Cuda, written: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.cuda.get_device_properties().L2_cache_size = 0
    emptying(lambda: None, "cuda")()
    assert written[0][0] == SIZES * l2_cache.UNKNOWN_BYTES


def test_on_the_cpu_nothing_is_added() -> None:
    def prepare() -> None: ...

    assert emptying(prepare, "cpu") is prepare
