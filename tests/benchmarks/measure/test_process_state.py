"""What code changes in its process is found, put back and put into words; draws of random numbers are no fault."""

import os
import random
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.cases.case import Case
from benchmarks.evidence.interfering_layers import WAYS, draw
from benchmarks.measure.process_state import SETTINGS, ProcessState
from benchmarks.measure.python_settings import EXPECTED_CHILDREN
from benchmarks.records.outcome import Interfered, outcome_of
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.workloads.build import build_workload, configure

TINY: dict[str, Any] = {"channels": 2, "batch_size": 1, "image_size": 8, "kernel_size": 3, "threads": 1}
# Linux lets nobody but a privileged process raise a limit again, and Python ends no thread from outside.
CANNOT_BE_PUT_BACK = {"Limit", "BusyThread"}


def run_layer(way: str, report: Report) -> dict[str, Any]:
    """Build the layer, run a pass of it, and return the outcome and the changes that are left."""
    layer = f"benchmarks.evidence.interfering_layers:{way}"
    case = Case(**TINY, resolution=4, direction="forward_backward", variant="custom", implementation=layer)
    configure(case)
    state, outcome = ProcessState(compiled=False), None
    try:
        with state.kept():
            build_workload(case).run()
    except Exception as error:
        outcome = outcome_of(error)
    return {"status": outcome and outcome.status, "message": outcome and outcome.message, "left": state.put_back()}


@pytest.mark.parametrize("way", WAYS)
def test_a_change_is_named_and_put_back(way: str) -> None:
    ran = run_isolated(run_layer, way, device="cpu", preload="benchmarks.sweep.probe", timeout=60.0)
    assert ran.status == "ok", ran.message
    assert ran.fields["status"] == "interfered"
    message = ran.fields["message"]
    assert message.startswith("changed ")
    assert WAYS[way][1] in message
    if way not in CANNOT_BE_PUT_BACK:
        assert ran.fields["left"] == []
        assert "cannot be put back" not in message
    elif way == "BusyThread":
        assert re.search(r"the number of Python's threads from (\d) to \d, which cannot be put back$", message)


def test_there_are_twenty_ways_and_each_has_a_name_of_its_own() -> None:
    assert len(WAYS) >= 20
    names = [setting.name for setting in SETTINGS]
    assert len(names) == len(set(names))


def test_draws_are_no_fault_and_the_next_contender_draws_the_same_numbers() -> None:
    state, drawn = ProcessState(compiled=False), []
    for _ in range(2):
        with state.kept():
            draw()
            drawn.append((torch.rand(2).tolist(), float(np.random.rand()), random.random()))  # noqa: NPY002
    assert drawn[0] == drawn[1]


def test_a_new_seed_is_a_fault_and_the_generator_goes_on_as_before() -> None:
    state, seed = ProcessState(compiled=False), torch.initial_seed()
    with pytest.raises(Interfered, match=rf"^changed torch.initial_seed\(\) from {seed} to 99$"), state.kept():
        torch.manual_seed(99)
    assert torch.initial_seed() == seed
    assert state.put_back() == []


def test_an_error_after_a_change_is_part_of_the_message() -> None:
    def fail(mask: int | None) -> None:
        if mask is not None:
            os.umask(mask)
        raise ValueError("no")

    state = ProcessState(compiled=False)
    with pytest.raises(Interfered, match=r"^changed the umask from \d+ to 63; then ValueError: no$"), state.kept():
        fail(0o077)
    with pytest.raises(ValueError, match="^no$"), state.kept():
        fail(None)


def test_variables_that_packages_set_when_they_are_imported_are_put_back_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("A_VARIABLE", raising=False)
    state = ProcessState(compiled=False)
    with state.kept(building=True):
        os.environ["A_VARIABLE"] = "1"
    assert "A_VARIABLE" not in os.environ
    with pytest.raises(Interfered, match="A_VARIABLE: None to 1"), state.kept():
        os.environ["A_VARIABLE"] = "1"
    with pytest.raises(Interfered, match="^changed the umask"), state.kept(building=True):
        os.umask(0o077)


def test_many_changes_are_counted_and_long_values_are_cut() -> None:
    def change() -> None:
        torch.set_default_dtype(torch.float64)
        sys.setswitchinterval(0.001)
        os.umask(0o077)
        torch.set_num_threads(torch.get_num_threads() + 1)
        os.environ["A_VARIABLE"] = "x" * 1000
        torch.nn.functional.conv2d = torch.conv3d

    state = ProcessState(compiled=False)
    with pytest.raises(Interfered, match=r"^changed .*, 2 more$") as caught, state.kept():
        change()
    assert len(str(caught.value)) < 600
    assert "A_VARIABLE: None to " + "x" * 60 + "…" in str(caught.value)
    assert state.put_back() == []
    assert torch.nn.functional.conv2d is torch.conv2d


def test_a_setting_that_cannot_be_read_any_more_is_a_change(tmp_path: Path) -> None:
    state = ProcessState(compiled=False)
    folder = tmp_path / "gone"
    folder.mkdir()

    def leave() -> None:
        os.chdir(folder)
        folder.rmdir()

    with pytest.raises(Interfered, match="^changed the working directory from .* to unreadable: "), state.kept():
        leave()
    assert state.put_back() == []


def test_what_torchs_compiler_changes_is_not_watched_in_compiled_cases() -> None:
    limit = sys.getrecursionlimit()
    try:
        with ProcessState(compiled=True).kept():
            sys.setrecursionlimit(limit + 1)
        assert sys.getrecursionlimit() == limit + 1
    finally:
        sys.setrecursionlimit(limit)


def test_processes_that_the_benchmark_starts_itself_are_expected() -> None:
    state = ProcessState(compiled=False)
    child = os.posix_spawn("/bin/sleep", ["sleep", "60"], {})
    EXPECTED_CHILDREN.add(child)
    assert state.put_back() == []
    EXPECTED_CHILDREN.remove(child)
    [change] = state.put_back()
    assert change.startswith("the child processes from ")
    assert str(child) in change.rpartition(" to ")[2].split(", ")  # a new process may have the lowest number
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
