"""A stand-in for CUDA that notes the order of the calls, and one process server for all tests."""

import contextlib
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from benchmarks.measure import l2_cache
from benchmarks.records import gpu
from benchmarks.running import isolated

L2_BYTES = 1000


@pytest.fixture(scope="session", autouse=True)
def one_server() -> Iterator[None]:
    """Let the process server import what any test needs, whichever test starts it: importing torch takes 2 s."""
    context = isolated._context
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(isolated, "_context", lambda device, preload: context(device, "tests.benchmarks.preloaded"))
        yield


class Cuda:
    """The notes of a stand-in for ``torch.cuda``; ``now`` is the time of host and device, in seconds."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.now = 0.0
        self.lost = False  # whether every call reports an error, as after an access outside a kernel's memory
        self.buffers: list[int] = []  # bytes of the tensors that were allocated to empty the cache

    def note(self, call: str, seconds: float = 0.0) -> None:
        self.calls.append(call)
        self.now += seconds

    def taken(self) -> list[str]:
        """Return the calls since the last time."""
        calls, self.calls = self.calls, []
        return calls

    def synchronize(self) -> None:
        if self.lost:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        self.note("synchronize")


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cuda]:
    """Replace the functions of ``torch.cuda`` that measurements call."""
    fake = Cuda()

    class Event:
        def __init__(self, enable_timing: bool) -> None:
            assert enable_timing

        def record(self) -> None:
            fake.note("record")
            self.at = fake.now

        def elapsed_time(self, end: "Event") -> float:
            assert "synchronize" in fake.calls  # events happen only before a synchronisation
            return 1e3 * (end.at - self.at)

    class Stream:
        def wait_stream(self, other: Any) -> None:
            fake.note("wait_stream")

    class CUDAGraph:
        def replay(self) -> None:
            fake.note("replay")

    @contextlib.contextmanager
    def stream(chosen: Any) -> Iterator[None]:
        fake.note("side stream")
        yield
        fake.note("main stream")

    @contextlib.contextmanager
    def graph(chosen: Any, stream: Any) -> Iterator[None]:
        assert isinstance(chosen, CUDAGraph)
        fake.note("capture")
        yield
        fake.note("captured")

    class Buffer:
        def zero_(self) -> None:
            fake.note("write")

    allocate = torch.empty

    def empty(*size: Any, **options: Any) -> Any:
        if options.get("device") != "cuda":
            return allocate(*size, **options)
        fake.buffers.append(size[0] * options["dtype"].itemsize)
        return Buffer()

    monkeypatch.setattr(torch, "empty", empty)
    default = Stream()
    properties = SimpleNamespace(L2_cache_size=L2_BYTES, uuid="12ab", major=9, minor=0)
    properties.total_memory, properties.multi_processor_count = 2**36, 132
    for name, value in {
        "Event": Event,
        "Stream": Stream,
        "CUDAGraph": CUDAGraph,
        "graph": graph,
        "stream": stream,
        "current_stream": lambda: default,
        "synchronize": fake.synchronize,
        "empty_cache": lambda: fake.note("empty_cache"),
        "get_device_properties": lambda: properties,
        "_sleep": lambda cycles: fake.note(f"wait {cycles:.0f}"),
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    l2_cache._buffer.cache_clear()
    yield fake
    l2_cache._buffer.cache_clear()


class NVMLError(Exception):
    """The error of the stand-in for ``pynvml``."""


@pytest.fixture
def pynvml(cuda: Cuda, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Replace NVIDIA's module by a stand-in with a healthy GPU, whose answers a test may change."""
    module = SimpleNamespace(
        NVMLError=NVMLError,
        NVML_CLOCK_SM=1,
        NVML_TEMPERATURE_GPU=0,
        nvmlInit=lambda: cuda.note("nvmlInit"),
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: 0,
        nvmlDeviceGetClockInfo=lambda handle, kind: 1700,
        nvmlDeviceGetMaxClockInfo=lambda handle, kind: 1980,
        nvmlDeviceGetTemperature=lambda handle, sensor: 55,
        nvmlDeviceGetPowerUsage=lambda handle: 350_000,
        nvmlDeviceGetCurrentClocksEventReasons=lambda handle: 0x1,
        nvmlDeviceGetComputeRunningProcesses=lambda handle: [],
        nvmlSystemGetDriverVersion=lambda: "570.1",
        nvmlDeviceGetMigMode=lambda handle: [0, 0],
    )
    monkeypatch.setitem(sys.modules, "pynvml", module)
    for cached in (gpu.nvml, gpu.gpu_facts):
        cached.cache_clear()
    yield module
    for cached in (gpu.nvml, gpu.gpu_facts):
        cached.cache_clear()
