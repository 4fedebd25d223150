"""Commits of the package in places of their own."""

import subprocess
from pathlib import Path

import pytest

import gcnn_impl
from benchmarks.running import workplace as workplaces
from benchmarks.running.workplace import about_sides, named, resolve, workplace


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


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout of two commits, of which the second changes the documentation alone."""

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    monkeypatch.setattr(workplaces, "ROOT", tmp_path)
    (tmp_path / "gcnn_impl").mkdir()
    git("init", "-q")
    for path in ("gcnn_impl/__init__.py", "README.md"):
        (tmp_path / path).touch()
        git("add", path)
        git("commit", "-q", "-m", path)
    return tmp_path


def test_sides_with_the_same_code_are_said_to_be_the_same(checkout: Path) -> None:
    a, b = (resolve(revision, "", "") for revision in ("HEAD~1", "HEAD"))
    for one, other in ((a, b), (b, "."), (".", ".")):
        assert about_sides(one, other) == [
            f"both sides are the same code: gcnn_impl is equal in {named(one)} and {named(other)}"
        ]
    (checkout / "gcnn_impl/new.py").touch()
    assert about_sides(b, ".") == []
    assert named(".") == f". ({b[:10]} with changes)"


def test_changes_that_two_commits_leave_out_are_told(checkout: Path) -> None:
    (checkout / "gcnn_impl/new.py").write_text("x = 1")
    same, left_out = about_sides(*(resolve(revision, "", "") for revision in ("HEAD~1", "HEAD")))
    assert same.startswith("both sides are the same code")
    assert left_out.startswith("uncommitted changes of gcnn_impl are not measured")


def test_without_git_nothing_is_said_of_commits_that_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workplaces, "ROOT", tmp_path)
    assert about_sides("a" * 40, "b" * 40) == []
    assert named(".") == "."
