"""Tests of the number of usable cores: quotas of control groups count, those of the groups above included."""

from pathlib import Path

import pytest

from benchmarks.cases import cores
from benchmarks.cases.cores import available_cores, cpu_quota, throttled_periods


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


def test_version_2_beside_version_1_is_mounted_in_a_folder_of_its_own(tmp_path: Path) -> None:
    group(tmp_path / "root", "unified/a", cpu__max="200000 100000")
    group(tmp_path / "root", "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert quota(tmp_path, "2:cpuset:/\n1:cpu:/\n0::/a\n") == 2.0
    group(tmp_path / "root", "cpu", cpu__cfs_quota_us="50000")
    assert quota(tmp_path, "1:cpu:/\n0::/a\n") == 0.5


@pytest.mark.parametrize(("top", "line"), [("", "0::/a/b"), ("cpu,cpuacct/", "3:cpu,cpuacct:/a/b")])
def test_a_process_is_stopped_by_the_quotas_of_its_group_and_of_the_groups_above(
    tmp_path: Path, top: str, line: str
) -> None:
    def periods() -> int | None:
        return throttled_periods(tmp_path / "membership", tmp_path / "root")

    (tmp_path / "membership").write_text(f"{line}\n")
    group(tmp_path / "root", f"{top}a/b", cpu__stat="usage_usec 9")
    group(tmp_path / "root", f"{top}a/other", cpu__stat="nr_throttled 1000")
    assert periods() is None
    group(tmp_path / "root", f"{top}a/b", cpu__stat="nr_periods 50\nnr_throttled 3\nthrottled_usec 7")
    assert periods() == 3
    group(tmp_path / "root", f"{top}a", cpu__stat="nr_throttled 4")
    assert periods() == 7


@pytest.mark.parametrize("membership", ["", "\n", "nonsense\n", "0:\n", "3:cpu\n", "0::\n"])
def test_a_machine_without_control_groups_has_no_quota(tmp_path: Path, membership: str) -> None:
    assert cpu_quota(tmp_path / "none", tmp_path) is None
    assert quota(tmp_path, membership) is None
    assert throttled_periods(tmp_path / "membership", tmp_path / "root") is None


@pytest.mark.parametrize(("given", "threads"), [(None, 8), (0.5, 1), (1.5, 1), (3.0, 3), (7.9, 7)])
def test_there_are_as_many_threads_as_whole_cores_in_the_quota(
    given: float | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "cpu_quota", lambda: given)
    assert available_cores() == threads
