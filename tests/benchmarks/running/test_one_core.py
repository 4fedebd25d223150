"""Tests of the core that processes have which take turns."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cases.case import Case
from benchmarks.running import one_core
from benchmarks.running.one_core import idleness, quiet_core, share_a_core

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system binds no process to a core")


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[dict[int, int]]:
    """Return a list that the test fills with what the system says, one dictionary for each look; there are 3 cores."""
    looks: list[dict[int, int]] = []
    monkeypatch.setattr(one_core, "idleness", lambda _: looks.pop(0))
    monkeypatch.setattr(one_core.time, "sleep", lambda _: None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    return looks


@pytest.mark.parametrize(("number", "core"), [(0, 0), (1, 2), (2, 0)])
def test_quiet_cores_take_turns_and_a_busy_one_is_left_out(watched, number: int, core: int) -> None:
    watched += [{0: 100, 1: 100, 2: 100}, {0: 110, 1: 103, 2: 109}]
    assert quiet_core(number) == core


def test_where_all_cores_are_busy_any_will_do(watched) -> None:
    watched += [{0: 100, 1: 100, 2: 100}] * 2
    assert quiet_core(1) == 1


def test_cores_that_this_process_may_not_use_are_left_out(watched) -> None:
    watched += [{0: 100, 7: 100}, {0: 103, 7: 110}]
    assert quiet_core(0) == 0


def test_a_system_that_does_not_say_gives_no_core(watched) -> None:
    watched += [{}, {}]
    assert quiet_core(0) is None


@pytest.mark.parametrize("content", [None, "nonsense\n", "cpu0 1 2 3\n", "cpu0 a b c d e\n"])
def test_a_file_that_is_missing_or_in_another_form_says_nothing(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "stat").write_text(content)
    assert idleness(tmp_path / "stat") == {}


def test_idle_time_is_that_of_each_core_with_its_waiting_for_disks(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("cpu  9 9 9 99 9 9\ncpu0 1 2 3 40 5 6\ncpu13 1 2 3 50 6 7\nintr 1 2\n")
    assert idleness(tmp_path / "stat") == {0: 45, 13: 56}


@pytest.mark.parametrize(
    ("cases", "bound"),
    [
        ([Case(threads=1), Case(threads=1, channels=8)], True),
        ([Case(threads=1), Case(threads=2)], False),
        ([Case(threads=1, device="cuda")], False),
    ],
    ids=["one thread", "two threads", "on a GPU"],
)
def test_only_processes_that_need_one_core_share_it(monkeypatch, cases: list[Case], bound: bool) -> None:
    monkeypatch.setattr(os, "sched_setaffinity", lambda process, cores: found.append((process, len(cores))))
    found: list[tuple[int, int]] = []
    share_a_core([1, 2], cases, 0)
    assert found == ([(1, 1), (2, 1)] if bound else [])


def test_a_process_that_has_died_does_not_matter() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        try:
            share_a_core([dead.pid, process.pid], [Case(threads=1)], 0)
            assert len(os.sched_getaffinity(process.pid)) == 1
        finally:
            process.kill()
