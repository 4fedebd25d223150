"""Commits of the package in places of their own."""

import subprocess
from pathlib import Path

import pytest

import gcnn_impl
from benchmarks.running import workplace as workplaces
from benchmarks.running.workplace import resolve, workplace


def test_the_installed_suite_measures_no_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workplaces, "ROOT", tmp_path)
    with pytest.raises(ValueError, match=r"^'HEAD' is not results, and only the suite of a checkout measures "):
        resolve("HEAD", "results", "a directory")


def test_a_workplace_has_the_commits_package_and_our_benchmarks() -> None:
    with workplace(resolve("HEAD", "results", "a directory")) as place:
        assert (place / "benchmarks").resolve() == workplaces.ROOT / "benchmarks"
        assert not (place / "gcnn_impl").is_symlink()
    assert not place.exists()


def test_the_installed_suite_measures_the_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workplaces, "ROOT", tmp_path)
    with workplace(".") as place:
        assert (place / "gcnn_impl").resolve() == Path(gcnn_impl.__file__).parent
        assert (place / "benchmarks").readlink() == tmp_path / "benchmarks"


def test_a_commit_without_the_package_is_refused() -> None:
    with pytest.raises(ValueError, match="has no gcnn_impl"), workplace("HEAD:docs"):
        pass


def test_a_shallow_clone_says_how_to_get_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = ["git", "clone", "-q", "--depth", "1", f"file://{workplaces.ROOT}", str(tmp_path / "clone")]
    subprocess.run(clone, check=True, capture_output=True)
    monkeypatch.setattr(workplaces, "ROOT", tmp_path / "clone")
    with pytest.raises(ValueError, match=r"HEAD~1.*\(this clone is shallow: git fetch --unshallow\); allowed"):
        resolve("HEAD~1", "results", "a directory")
