"""The probe on a stand-in for CUDA: which fields it measures, in which order, and what it does without the GPU."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.cases.case import Case
from benchmarks.measure.sampling import Sampling
from benchmarks.sweep import probe as module
from benchmarks.sweep.engine import Engine
from benchmarks.sweep.probe import probe
from benchmarks.sweep.tasks import INSTRUMENTS, Probe
from benchmarks.workloads.build import build_workload
from benchmarks.workloads.cuda_graph import CapturedPass
from tests.benchmarks.conftest import Cuda

TINY: dict[str, Any] = {"channels": 2, "batch_size": 1, "image_size": 8, "kernel_size": 3, "resolution": 2}
SAMPLING = Sampling(rounds=1, seconds=0.01)


@pytest.fixture
def fields(cuda: Cuda, pynvml: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Let the probe build its workloads on the CPU, and replace the instruments that need a real GPU."""
    reported: dict[str, Any] = {}

    def build(case: Case) -> Any:
        workload = build_workload(Case(**TINY, direction=case.direction))
        return replace(workload, graph=CapturedPass() if case.execution == "graphed" else None)

    monkeypatch.setattr(module, "build_or_skip", build)
    monkeypatch.setattr(module, "configure", lambda case: None)
    monkeypatch.setattr(module, "available_bytes", lambda device: 2**40)
    monkeypatch.setattr(module, "_energy", lambda workload, case: {"reason": "a stand-in"})
    return reported


def test_on_cuda_times_come_first_and_both_caches_are_measured(fields: dict[str, Any]) -> None:
    result = probe(Probe(Case(**TINY, device="cuda"), SAMPLING), fields.update)
    assert result == {"missing": {}}
    assert list(fields) == [
        *("parameters", "construction_seconds", "first_call_seconds", "equivariance_error"),
        *("device_seconds", "warm_seconds", "memory", "macs"),
        *("zero_counted_time_share", "stages", "moved_bytes", "operators", "energy"),
    ]
    assert fields["construction_seconds"] > 0
    assert fields["first_call_seconds"] > 0
    assert fields["warm_seconds"]["n"] >= 1
    assert fields["device_seconds"]["n"] == fields["warm_seconds"]["n"]


@pytest.mark.parametrize("direction", ["forward", "forward_backward"])
def test_a_captured_pass_has_its_time_of_capturing_and_no_stages(fields: dict[str, Any], direction: str) -> None:
    case = Case(**TINY, device="cuda", execution="graphed", direction=direction, dtype="tf32")
    assert probe(Probe(case, SAMPLING), fields.update) == {"missing": {}}
    assert fields["capture_seconds"] > 0
    assert fields["memory"]["peak_bytes"] > 0  # of the pass that is not replayed
    assert fields["moved_bytes"] > 0
    assert fields["rounding_error"]["output"] < 1e-5
    assert not {"stages", "zero_counted_time_share", "compile_seconds", "first_call_seconds"} & fields.keys()


def test_instruments_that_are_not_wanted_are_not_used(fields: dict[str, Any]) -> None:
    probe(Probe(Case(**TINY, device="cuda"), SAMPLING, instruments=("warm_seconds", "moved_bytes")), fields.update)
    before = ["parameters", "construction_seconds", "first_call_seconds", "equivariance_error"]
    assert list(fields) == [*before, "warm_seconds", "moved_bytes"]
    with pytest.raises(ValueError, match="^unknown instrument 'watts'; allowed: device_seconds, "):
        Engine(SAMPLING, instruments=("watts",))


def test_every_instrument_has_a_name(fields: dict[str, Any]) -> None:
    case = Case(**TINY, device="cuda", dtype="bfloat16")
    assert tuple(module._instruments(Probe(case, SAMPLING), module.build_or_skip(case), 0, 1.0)) == INSTRUMENTS


def test_after_the_gpu_is_lost_no_instrument_is_tried(
    cuda: Cuda, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(workload: object) -> None:
        cuda.lost = True
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(module, "split_memory", fail)
    result = probe(Probe(Case(**TINY, device="cuda"), SAMPLING), fields.update)
    assert result["missing"] == {"memory": "RuntimeError: CUDA error: an illegal memory access was encountered"}
    assert "warm_seconds" in fields
    assert "energy" not in fields
