"""Tests of the search for a GPU, with stand-ins for torch's program and for the driver."""

from pathlib import Path

import pytest

from benchmarks.running import devices
from benchmarks.running.devices import Gpu, find_gpu, hidden

DRIVER_TOO_OLD = """
def initialise():
    raise RuntimeError("The NVIDIA driver on your system is too old (found version 11040).\\nPlease update it.")
initialise()
"""


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a driver's file, which is what a machine with a GPU has."""
    (tmp_path / "nvidiactl").touch()
    monkeypatch.setattr(devices, "DRIVER_FILES", (tmp_path / "nvidiactl",))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_without_a_driver_there_is_no_gpu_and_no_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "DRIVER_FILES", ())
    monkeypatch.setattr(devices, "DRIVER_PROGRAM", "no-such-program")
    monkeypatch.setattr("subprocess.run", None)
    assert find_gpu() is None


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("value", ["", " ", "-1"])
def test_a_hidden_gpu_is_none(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    monkeypatch.setattr("subprocess.run", None)
    assert find_gpu() is None


@pytest.mark.parametrize("value", ["0", "0,1", "GPU-12ab", "MIG-12ab"])
def test_a_gpu_that_is_chosen_is_not_hidden(value: str) -> None:
    assert not hidden({"CUDA_VISIBLE_DEVICES": value})


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("print('Made-up GPU')", Gpu(name="Made-up GPU")),
        (DRIVER_TOO_OLD, Gpu(fault="RuntimeError: The NVIDIA driver on your system is too old (found version 11040).")),
        ("import no_such_torch", Gpu(fault="ModuleNotFoundError: No module named 'no_such_torch'")),
        ("raise SystemExit(3)", Gpu(fault="torch ended with status 3")),
        ("import os; os.abort()", Gpu(fault="torch ended with status -6")),
    ],
)
def test_a_gpu_has_a_name_or_a_fault_in_one_line(program: str, found: Gpu) -> None:
    assert find_gpu(program) == found


@pytest.mark.usefixtures("driver")
def test_a_driver_that_hangs_is_a_fault() -> None:
    assert find_gpu("import time; time.sleep(60)", timeout=0.1) == Gpu(fault="torch did not answer within 0.1 s")


@pytest.mark.usefixtures("driver")
def test_the_program_says_why_torch_cannot_use_a_gpu_that_is_not_there() -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    found = find_gpu()
    assert found is not None
    assert not found.name
    assert "CUDA" in found.fault or "NVIDIA" in found.fault
    assert "\n" not in found.fault
