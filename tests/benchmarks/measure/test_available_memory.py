"""Tests of the memory that the system and the limits of control groups leave for a new process."""

from pathlib import Path

import psutil
import pytest

from benchmarks.measure import available_memory
from benchmarks.measure.available_memory import available_bytes


def test_the_smaller_of_system_and_control_group_is_available(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 2**20 < available_bytes("cpu") < 1.5 * psutil.virtual_memory().available
    monkeypatch.setattr(available_memory, "_control_group_bytes", lambda *paths: [300, 200])
    assert available_bytes("cpu") == 200


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{content}\n")


def test_limits_of_control_groups_of_version_2(tmp_path: Path) -> None:
    write(tmp_path / "cgroup", "0::/outer/inner")
    write(tmp_path / "outer/memory.max", 1000)
    write(tmp_path / "outer/memory.current", 400)
    write(tmp_path / "outer/inner/memory.max", "max")
    write(tmp_path / "outer/inner/memory.current", 300)
    assert available_memory._control_group_bytes(tmp_path / "cgroup", tmp_path) == [600]
    write(tmp_path / "outer/inner/memory.max", 200)  # more is used than allowed, until the system reclaims it
    assert available_memory._control_group_bytes(tmp_path / "cgroup", tmp_path) == [0, 600]


def test_limits_of_control_groups_of_version_1_seen_from_a_container(tmp_path: Path) -> None:
    write(tmp_path / "cgroup", "5:cpu:/x\n4:memory:/docker/abc")  # its own folder is mounted at the root
    write(tmp_path / "memory/memory.limit_in_bytes", 1000)
    write(tmp_path / "memory/memory.usage_in_bytes", 100)
    assert available_memory._control_group_bytes(tmp_path / "cgroup", tmp_path) == [900]


def test_no_control_groups_no_limit(tmp_path: Path) -> None:
    assert available_memory._control_group_bytes(tmp_path / "cgroup", tmp_path) == []
