"""What the driver says about a GPU, from a stand-in for NVIDIA's module, and what is known without the module."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from benchmarks.records import gpu
from benchmarks.records.fields import SHAPES
from benchmarks.records.gpu import gpu_facts, gpu_state, judged_states
from benchmarks.records.kinds import problem, undeclared
from benchmarks.records.provenance import moment, provenance
from tests.benchmarks.conftest import Cuda

HEALTHY = {
    "source": "NVML",
    "clock": 1700.0,
    "clock_max": 1980.0,
    "temperature": 55,
    "power": 350.0,
    "slowdowns": 1,
    "other_processes": 0,
}


def smi(monkeypatch: pytest.MonkeyPatch, answer: str | None) -> list[list[str]]:
    """Replace the program ``nvidia-smi``, which is missing if the answer is None; return the list of its calls."""
    calls: list[list[str]] = []

    def run(command: list[str], **_: Any) -> Any:
        calls.append(command)
        if answer is None:
            raise FileNotFoundError(command[0])
        return subprocess.CompletedProcess(command, 0, stdout=answer)

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_the_state_is_read_from_torchs_gpu_and_nvml_is_initialised_once(cuda: Cuda, pynvml: SimpleNamespace) -> None:
    assert gpu_state() == HEALTHY
    assert gpu_state() == HEALTHY
    assert cuda.taken() == ["nvmlInit"]
    assert gpu.nvml()[1] == "GPU-12ab"


def test_an_instance_of_a_gpu_is_found_by_its_own_name(pynvml: SimpleNamespace) -> None:
    def by_uuid(uuid: str) -> str:
        if uuid.startswith("GPU"):
            raise pynvml.NVMLError("Not Found")
        return uuid

    pynvml.nvmlDeviceGetHandleByUUID = by_uuid
    pynvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle = lambda handle: f"the GPU of {handle}"
    assert gpu.nvml()[1] == "the GPU of MIG-12ab"


def test_values_that_a_gpu_or_an_old_driver_does_not_report_are_none(pynvml: SimpleNamespace) -> None:
    def refuse(*_: object) -> None:
        raise pynvml.NVMLError("Not Supported")

    pynvml.nvmlDeviceGetPowerUsage = pynvml.nvmlDeviceGetComputeRunningProcesses = refuse
    del pynvml.nvmlDeviceGetCurrentClocksEventReasons
    assert gpu_state() == {**HEALTHY, "power": None, "other_processes": None, "slowdowns": None}
    pynvml.nvmlDeviceGetCurrentClocksThrottleReasons = lambda handle: 0x4
    assert gpu_state()["slowdowns"] == 0x4


@pytest.mark.parametrize(
    ("pids", "others"), [([], 0), ([os.getpid()], 0), ([os.getpid(), os.getppid()], 0), ([os.getpid(), 0], 1)]
)
def test_our_own_processes_are_not_counted(pynvml: SimpleNamespace, pids: list[int], others: int) -> None:
    pynvml.nvmlDeviceGetComputeRunningProcesses = lambda handle: [SimpleNamespace(pid=pid) for pid in pids]
    assert gpu_state()["other_processes"] == others


def test_in_a_container_one_process_of_unknown_number_is_ours(pynvml: SimpleNamespace) -> None:
    for pids, others in (([0], 0), ([0, -1], 1)):
        pynvml.nvmlDeviceGetComputeRunningProcesses = lambda handle, pids=pids: [SimpleNamespace(pid=p) for p in pids]
        assert gpu_state()["other_processes"] == others


def test_without_nvml_the_clock_is_that_of_nvidia_smi_and_the_record_says_so(
    pynvml: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    calls = smi(monkeypatch, "1410\n")
    state = gpu_state()
    assert (state["clock"], state["slowdowns"]) == (1410.0, None)
    assert state["source"] == "nvidia-smi, the clock alone; nvidia-ml-py is not installed"
    assert calls[0] == [
        "nvidia-smi",
        "--id=GPU-12ab",
        "--query-gpu=clocks.sm",
        "--format=csv,noheader,nounits",
    ]
    smi(monkeypatch, None)
    assert gpu_state()["source"] == "none, nor does nvidia-smi answer; nvidia-ml-py is not installed"
    smi(monkeypatch, "[N/A]\n")
    assert gpu_state()["clock"] is None


def test_states_are_judged_by_their_extremes() -> None:
    hot = {**HEALTHY, "clock": 1200.0, "temperature": 88, "power": None, "slowdowns": 0x4 | 0x20, "other_processes": 2}
    assert judged_states([HEALTHY, hot]) == {
        "source": "NVML",
        "clock_lowest": 1200.0,
        "clock_max": 1980.0,
        "temperature_highest": 88,
        "power_highest": 350.0,
        "slowdowns": ["the power limit", "the temperature, by the driver"],
        "other_processes": 2,
    }
    assert judged_states([HEALTHY])["slowdowns"] == []
    assert judged_states([{**dict.fromkeys(HEALTHY), "source": "none"}])["clock_lowest"] is None


def test_provenance_on_a_gpu_has_its_facts_and_is_as_declared(
    pynvml: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.records.provenance.gpu_name", lambda: "NVIDIA Made-up")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91002)
    found = provenance(device="cuda", threads=1, before=moment(), frequencies=[1700.0], gpu_states=[HEALTHY])
    assert problem({"provenance": found}, SHAPES["cost"]) is None
    assert list(undeclared({"provenance": found}, SHAPES["cost"])) == []
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    expected = {
        "gpu": "NVIDIA Made-up",
        "driver": "570.1",
        "cuda": torch.version.cuda,
        "cudnn": "91002",
        "gpu_memory_bytes": 2**36,
        "l2_bytes": 1000,
        "compute_capability": "9.0",
        "multiprocessors": 132,
        "mig": False,
    }
    assert {name: found[name] for name in expected} == expected
    assert found["gpu_operators"].startswith(("in use", "not in use: "))
    assert found["gpu_state"] == judged_states([HEALTHY])


def test_without_nvml_the_driver_is_that_of_nvidia_smi(
    pynvml: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    smi(monkeypatch, "535.54\n")
    facts = gpu_facts()
    assert (facts["driver"], facts["mig"]) == ("535.54", None)
