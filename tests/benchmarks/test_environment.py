"""The provenance of a record says where it comes from, also where there is no git."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.measure.environment import MEASURING_ENVIRONMENT, ROOT, git_state, load_average, provenance


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    command = ["git", "-C", str(directory), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def test_the_commit_of_a_clean_and_of_a_dirty_checkout(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    (checkout / "results").write_text("untracked files do not count")
    assert git_state(checkout) == (commit, False)
    (checkout / "file").write_text("2")
    assert git_state(checkout) == (commit, True)


def test_no_commit_without_a_checkout_of_our_own(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    inside = checkout / "copy"
    inside.mkdir()
    assert git_state(inside) == (None, None)  # somebody else's repository around it
    assert git_state(tmp_path_factory.mktemp("bare")) == (None, None)


def test_no_commit_without_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git_state(checkout) == (None, None)


def test_provenance_is_json_and_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    found = provenance(device="cpu", threads=2, load_before=load_average())
    assert set(found) == {
        *("measured_at", "commit", "dirty", "python", "torch", "gcnn_impl", "fvcore", "platform", "cpu", "cores"),
        *("gpu", "device_name", "threads", "load_before", "load_after", "omp_wait_policy", "glibc_tunables"),
    }
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    age = datetime.now(UTC) - datetime.fromisoformat(found["measured_at"])
    assert timedelta(seconds=-2) < age < timedelta(minutes=1)
    assert (found["threads"], found["gpu"], found["omp_wait_policy"]) == (2, None, "PASSIVE")
    assert found["device_name"] == found["cpu"] != ""


@pytest.mark.parametrize("file", ["noxfile.py", "asv.conf.json"])
def test_the_suites_run_in_the_environment_of_the_sweep(file: str) -> None:
    """Neither file can import it: nox and asv run in interpreters of their own."""
    text = "".join((ROOT / file).read_text().split()).replace('"":', ":").replace('""', "")
    for name, value in MEASURING_ENVIRONMENT.items():
        assert f'"{name}":"{value}"' in text
