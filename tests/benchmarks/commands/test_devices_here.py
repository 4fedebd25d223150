"""Tests of the front door: a machine with a GPU measures both devices and trains on the GPU, without an option."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import benchmarks.__main__ as command_line
from benchmarks.cases.blocks import blocks
from benchmarks.cases.case import Case
from benchmarks.cases.profiles import profile_cases
from benchmarks.commands.options import PROFILE_SAMPLING
from benchmarks.running.devices import Gpu
from benchmarks.sweep.estimate import block_seconds
from benchmarks.sweep.sweep import Summary

GPU, BROKEN = Gpu(name="Made-up GPU"), Gpu(fault="RuntimeError: the driver is too old")


def here(monkeypatch: pytest.MonkeyPatch, gpu: Gpu | None) -> None:
    """Make this a machine with such a GPU."""
    monkeypatch.setattr("benchmarks.commands.options.find_gpu", lambda: gpu)


def swept(monkeypatch: pytest.MonkeyPatch, *options: str) -> list[Case]:
    """Return the cases that a sweep would measure."""
    found: list[Case] = []

    def sweep(cases: list[Case], *_: Any, **__: Any) -> Summary:
        found.extend(cases)
        return Summary(len(cases), 0, 0)

    monkeypatch.setattr("benchmarks.commands.sweep.sweep", sweep)
    assert command_line.main(["sweep", "--profile", "quick", *options]) == 0
    return found


def trained(monkeypatch: pytest.MonkeyPatch, *options: str) -> set[str]:
    """Return the devices of the runs that ``train`` would train."""
    found: set[str] = set()

    def train_missing(runs: Any, *_: Any, **__: Any) -> tuple[int, int]:
        found.update(run.device for run in runs)
        return len(runs), 0

    monkeypatch.setattr("benchmarks.commands.train.train_missing", train_missing)
    assert command_line.main(["train", "--profile", "quick", *options]) == 0
    return found


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_gpu_the_processor_is_measured_and_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert swept(monkeypatch) == profile_cases("quick")
    assert trained(monkeypatch) == {"cpu"}


def test_with_a_gpu_both_are_measured_and_the_gpu_is_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    here(monkeypatch, GPU)
    assert swept(monkeypatch) == [*profile_cases("quick"), *profile_cases("quick", device=("cuda",))]
    assert trained(monkeypatch) == {"cuda"}


def test_a_given_device_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    here(monkeypatch, GPU)
    for device in ("cpu", "cuda"):
        assert {case.device for case in swept(monkeypatch, "--device", device)} == {device}
        assert trained(monkeypatch, "--device", device) == {device}


def test_a_gpu_that_cannot_be_used_is_one_line_and_the_processor_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here(monkeypatch, BROKEN)
    assert swept(monkeypatch) == profile_cases("quick")
    said = "warning: the GPU cannot be used, only the processor is: RuntimeError: the driver is too old\n"
    assert capsys.readouterr().err == said
    assert trained(monkeypatch) == {"cpu"}
    assert capsys.readouterr().err == said


def test_processes_of_torchrun_share_the_processor_unless_a_device_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    here(monkeypatch, GPU)
    devices: set[str] = set()
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr("benchmarks.commands.train._restart_with_measuring_environment", lambda: None)
    monkeypatch.setattr(
        "benchmarks.training.torchrun.train_missing_together",
        lambda runs, *_, **__: devices.update(run.device for run in runs),
    )
    assert command_line.main(["train"]) == 0
    assert devices == {"cpu"}


def test_commits_are_compared_on_the_processor_unless_a_device_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    here(monkeypatch, GPU)
    for options, device in (((), "cpu"), (("--device", "cuda"), "cuda")):
        found = command_line.parser("compare").parse_args(["compare", "A", "B", *options])
        assert found.device == [device]


def test_the_list_needs_no_torch() -> None:
    program = """
import sys
from benchmarks.__main__ import main
assert main(["list"]) == 0
sys.exit("torch" in sys.modules)
"""
    root = Path(command_line.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, check=False, stdout=subprocess.DEVNULL)
    assert done.returncode == 0


def test_the_quick_profile_takes_about_three_minutes_on_a_gpu() -> None:
    cases, sampling = profile_cases("quick", device=("cuda",)), PROFILE_SAMPLING["quick"]
    plan = blocks(cases, set(cases), seed=0)
    assert sum(len(block.cases) + sampling.rounds for block in plan) <= 50  # processes
    passes = dict.fromkeys((case.id for case in cases), 0.01)  # seconds, as long as the budget of 0.5 s allows
    assert 100 < sum(block_seconds(block, passes, sampling) for block in plan) < 180


def test_the_quick_profile_on_a_gpu_has_one_base_point() -> None:
    layers = [case for case in profile_cases("quick", device=("cuda",)) if case.layer == "conv"]
    base = {(case.channels, case.batch_size, case.image_size, case.kernel_size) for case in layers}
    assert base == {(64, 64, 28, 5), (64 * 8, 64, 28, 5)}  # and the plain convolution of as many maps
    assert {case.variant for case in layers if case.resolution in (1, 8)} == {"plain", "lifting", "full", "separable"}
