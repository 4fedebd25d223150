"""The cache of a GPU is emptied between the preparation of a pass and the clock's reading; the CPU's is left alone."""

import torch

from benchmarks.measure import l2_cache
from benchmarks.measure.clock import device_seconds, synchronised_clock, take_turn
from benchmarks.measure.l2_cache import SIZES, emptying
from tests.benchmarks.conftest import L2_BYTES, Cuda


def test_the_cache_is_emptied_before_the_clock_is_read_and_every_pass_again(cuda: Cuda) -> None:
    prepare = emptying(lambda: cuda.note("prepare"), "cuda")
    emptying(lambda: None, "cuda")
    take_turn(lambda: cuda.note("run"), synchronised_clock("cuda"), 1e6, prepare=prepare, most=2)
    assert cuda.taken() == ["prepare", "write", "synchronize", "run", "synchronize"] * 2
    assert cuda.buffers == [SIZES * L2_BYTES]  # one for all workloads


def test_the_cache_is_emptied_before_the_first_event_is_recorded(cuda: Cuda) -> None:
    prepare = emptying(lambda: cuda.note("prepare"), "cuda")
    device_seconds(lambda: cuda.note("run"), prepare=prepare, passes=1, wall_seconds=1e-3)
    assert cuda.taken()[1:] == ["prepare", "write", "record", "run", "record", "synchronize"]


def test_a_device_that_does_not_report_its_cache_gets_a_large_buffer(cuda: Cuda) -> None:
    torch.cuda.get_device_properties().L2_cache_size = 0
    emptying(lambda: None, "cuda")()
    assert cuda.buffers == [SIZES * l2_cache.UNKNOWN_BYTES]


def test_on_the_cpu_nothing_is_added() -> None:
    def prepare() -> None: ...

    assert emptying(prepare, "cpu") is prepare
