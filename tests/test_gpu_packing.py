"""Tests of ``scripts/gpu.sh`` and of the script that it packs, with stand-ins for pip and for the command."""

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = ("gpu.sh", "run-on-gpu.sh")
# Stands in for python: `pip wheel` makes an empty wheel of each name; any other call prints its words and variables.
PYTHON = """\
#!/usr/bin/env bash
if [ "$2" = pip ] && [ "$3" = wheel ]; then
  shift 6
  for name in "$@"; do [ "${name#-}" != "$name" ] || touch ".gpu/wheels/$name-1-py3-none-any.whl"; done
elif [ "$2" = pip ]; then
  exit "${PIP_STATUS:-0}"
else
  mkdir -p gpu-out
  echo "called: $*"
  echo "commit: $GCNN_COMMIT dirty: ${GCNN_DIRTY:-no} authors: $(ls "${GCNN_AUTHORS:-/dev/null}")"
  exit "${COMMAND_STATUS:-0}"
fi
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository with the two scripts, a python that only pretends, MNIST and the authors' code."""
    for folder in ("scripts", "data/MNIST/raw", "authors/ck_g_cnn", "authors/.git"):
        (tmp_path / folder).mkdir(parents=True)
    for name in SCRIPTS:
        (tmp_path / "scripts" / name).write_text((ROOT / "scripts" / name).read_text())
    (tmp_path / "data/MNIST/raw/images").write_text("images")
    (tmp_path / "python").write_text(PYTHON)
    (tmp_path / "python").chmod(0o755)
    (tmp_path / ".gitignore").write_text("data/\nauthors/\n.gpu/\n")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    return tmp_path


def bash(project: Path, script: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON": str(project / "python"), **variables}
    command = ["bash", script, *words]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def head(project: Path) -> str:
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_everything_is_packed_and_the_call_printed(project: Path) -> None:
    said = bash(project, "scripts/gpu.sh", AUTHORS=str(project / "authors"))
    assert said.returncode == 0, said.stderr
    assert "bash .gpu/run.sh" in said.stdout
    assert "MiB" in said.stdout
    packed = {path.name for path in (project / ".gpu").rglob("*") if path.is_file()}
    wheels = {f"{name}-1-py3-none-any.whl" for name in ("fvcore", "iopath", "itables", "escnn", "pymanopt", "autograd")}
    assert packed >= wheels | {"mnist.tgz", "authors.tgz", "commit", "run.sh"}
    with tarfile.open(project / ".gpu/mnist.tgz") as images:
        assert "MNIST/raw/images" in images.getnames()
    with tarfile.open(project / ".gpu/authors.tgz") as authors:
        assert {"./ck_g_cnn"} <= set(authors.getnames()) <= {".", "./ck_g_cnn"}  # without its history


def test_what_is_missing_is_said(project: Path) -> None:
    said = bash(project, "scripts/gpu.sh", MNIST="nowhere")
    assert said.returncode == 0
    assert "without MNIST: nowhere/MNIST is not there" in said.stdout
    assert not (project / ".gpu/mnist.tgz").exists()


def test_the_packed_script_hands_everything_to_the_command(project: Path) -> None:
    bash(project, "scripts/gpu.sh", AUTHORS=str(project / "authors"))
    said = bash(project, ".gpu/run.sh", "--parts", "layers", DEVICE="cpu", SCALE="smoke")
    assert said.returncode == 0, said.stderr
    [called] = [line for line in said.stdout.splitlines() if line.startswith("called: ")]
    assert "-m benchmarks.evidence.gpu --out gpu-out --device cpu --scale smoke --data-root " in called
    assert called.endswith("--parts layers")
    assert f"commit: {head(project)} dirty: no authors: ck_g_cnn" in said.stdout


def test_a_changed_tree_is_called_dirty(project: Path) -> None:
    (project / ".gitignore").write_text("data/\nauthors/\n.gpu/\n# changed\n")
    bash(project, "scripts/gpu.sh")
    assert f"commit: {head(project)} dirty: dirty" in bash(project, ".gpu/run.sh").stdout


def test_missing_packages_do_not_stop_the_command_and_its_status_is_kept(project: Path) -> None:
    bash(project, "scripts/gpu.sh")
    said = bash(project, ".gpu/run.sh", PIP_STATUS="1", COMMAND_STATUS="2")
    assert "packages are missing" in said.stdout
    assert "called: " in said.stdout
    assert said.returncode == 2
