"""The kernel's count of the time that threads waited for a core."""

from pathlib import Path

import pytest

from benchmarks.comparing import waiting
from benchmarks.comparing.waiting import Waited, Waiting


def test_the_waiting_time_never_falls() -> None:
    counted = Waiting()
    before = counted.seconds()
    after = counted.seconds()
    assert after.main >= before.main >= 0
    assert after.others >= before.others >= 0


def test_where_nothing_is_counted_no_time_is_waited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "TASKS", tmp_path / "nowhere")
    assert Waiting().seconds() == Waited(0.0, 0.0)


def test_the_main_thread_is_told_from_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for task, waited in (("7", 1_000_000_000), ("8", 2_000_000_000), ("9", 500_000_000)):
        (tmp_path / task).mkdir()
        (tmp_path / task / "schedstat").write_text(f"5 {waited} 3\n")
    monkeypatch.setattr(waiting, "TASKS", tmp_path)
    monkeypatch.setattr(waiting.os, "getpid", lambda: 7)
    assert Waiting().seconds() == Waited(1.0, 2.5)
