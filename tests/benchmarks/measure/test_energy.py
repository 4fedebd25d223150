"""Energy from made-up counters: files like those of Linux, and a module in place of NVIDIA's."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.measure import energy
from benchmarks.measure.energy import NoEnergyCounter, energy_per_pass, nvml_counter, rapl_counter, window
from benchmarks.records import gpu
from tests.benchmarks.conftest import Cuda


def zone(powercap: Path, name: str, microjoules: int, largest: int = 999) -> Path:
    folder = powercap / name
    folder.mkdir(parents=True)
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text(f"{largest}\n")
    return folder


def test_packages_are_added_up_and_their_parts_do_not_count_twice(tmp_path: Path) -> None:
    zones = [zone(tmp_path, name, 100) for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0")]
    (tmp_path / "intel-rapl").mkdir()  # the driver itself
    counter = rapl_counter(tmp_path)
    assert counter() == 0
    for package in zones:
        (package / "energy_uj").write_text("150")
    assert counter() == pytest.approx(100e-6)


def test_a_counter_that_wraps_goes_on(tmp_path: Path) -> None:
    package = zone(tmp_path, "intel-rapl:0", 900)
    counter = rapl_counter(tmp_path)
    for now in (990, 40, 60):
        (package / "energy_uj").write_text(str(now))
        joules = counter()
    assert joules == pytest.approx((1000 - 900 + 60) * 1e-6)


def test_a_missing_counter_has_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoEnergyCounter, match="no RAPL counter below"):
        rapl_counter(tmp_path)
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)
    assert "no RAPL counter" in str(energy_per_pass(lambda: None, "cpu")["reason"])

    package = zone(tmp_path, "intel-rapl:0", 1)

    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)  # root may read every file
    reason = energy_per_pass(lambda: None, "cpu")["reason"]
    assert reason == f"{package}/max_energy_range_uj cannot be read: Permission denied"


def test_joules_of_a_window_are_those_of_its_passes() -> None:
    now = 0.0

    def run() -> None:
        nonlocal now
        now += 0.3

    result = window(run, lambda: 50 * now, lambda: now, seconds=1.0)
    assert result == {"joules_per_pass": pytest.approx(15), "passes": 4, "seconds": pytest.approx(1.2)}


def test_a_counter_that_stands_still_is_refused() -> None:
    ticks = iter(range(10))
    with pytest.raises(NoEnergyCounter, match="did not move"):
        window(lambda: None, lambda: 7.0, lambda: float(next(ticks)), seconds=1.0)


def test_short_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        energy_per_pass(lambda: None, "cpu", seconds=0.1)


def test_nvml_counts_millijoules_of_torchs_gpu(cuda: Cuda, pynvml: SimpleNamespace) -> None:
    energies = iter([0, 1000, 3500])

    def read(handle: str) -> int:
        cuda.note(handle)
        return next(energies)

    pynvml.nvmlDeviceGetTotalEnergyConsumption = read
    counter = nvml_counter()
    cuda.taken()
    assert (counter(), counter()) == (1.0, 3.5)
    assert cuda.taken() == ["synchronize", "GPU-12ab"] * 2  # the passes have ended before the counter is read


def test_a_gpu_without_a_counter_has_a_reason(pynvml: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise pynvml.NVMLError("Not Supported")

    pynvml.nvmlDeviceGetTotalEnergyConsumption = fail
    with pytest.raises(NoEnergyCounter, match="NVML: Not Supported"):
        nvml_counter()
    gpu.nvml.cache_clear()
    pynvml.nvmlInit = fail
    with pytest.raises(NoEnergyCounter, match="NVML: Not Supported"):
        nvml_counter()
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert energy_per_pass(lambda: None, "cuda") == {"reason": "nvidia-ml-py is not installed"}
