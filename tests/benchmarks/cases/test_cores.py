"""Tests of the number of usable cores: quotas of control groups count, those of the groups above included."""

from pathlib import Path

import pytest

from benchmarks.cases import cores
from benchmarks.cases.cores import available_cores, cpu_quota


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "cores", lambda: 8)


def group(root: Path, path: str, **files: str) -> None:
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


def quota(tmp_path: Path, membership: str) -> float | None:
    (tmp_path / "membership").write_text(membership)
    return cpu_quota(tmp_path / "membership", tmp_path / "root")


@pytest.mark.parametrize(
    ("line", "expected"),
    [("150000 100000", 1.5), ("max 100000", None), ("800000 100000", None), ("50000 100000", 0.5), ("", None)],
)
def test_the_quota_of_version_2(tmp_path: Path, line: str, expected: float | None) -> None:
    group(tmp_path / "root", "a/b", cpu__max=line)
    assert quota(tmp_path, "0::/a/b\n") == expected


@pytest.mark.parametrize(("microseconds", "expected"), [("300000", 3.0), ("-1", None), ("900000", None)])
@pytest.mark.parametrize("folder", ["cpu,cpuacct", "cpu"])
def test_the_quota_of_version_1(tmp_path: Path, folder: str, microseconds: str, expected: float | None) -> None:
    group(tmp_path / "root", f"{folder}/a", cpu__cfs_quota_us=microseconds, cpu__cfs_period_us="100000")
    assert quota(tmp_path, f"4:memory:/a\n3:{folder}:/a\n0::/a\n") == expected


def test_the_lowest_quota_from_the_group_up_to_the_root_counts(tmp_path: Path) -> None:
    group(tmp_path / "root", "", cpu__max="700000 100000")
    group(tmp_path / "root", "a", cpu__max="200000 100000")
    group(tmp_path / "root", "a/b", cpu__max="500000 100000")
    group(tmp_path / "root", "a/b/c", cpu__max="max 100000")
    assert quota(tmp_path, "0::/a/b/c\n") == 2.0
    assert quota(tmp_path, "0::/elsewhere\n") == 7.0
    assert quota(tmp_path, "0::/../../elsewhere\n") == 7.0


def test_a_machine_without_control_groups_has_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path / "none", tmp_path) is None


@pytest.mark.parametrize(("given", "threads"), [(None, 8), (0.5, 1), (1.5, 1), (3.0, 3), (7.9, 7)])
def test_there_are_as_many_threads_as_whole_cores_in_the_quota(
    given: float | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "cpu_quota", lambda: given)
    assert available_cores() == threads
