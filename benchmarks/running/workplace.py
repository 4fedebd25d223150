"""Commits of ``gcnn_impl``, each in a place of its own, to be measured by the ``benchmarks`` of this checkout."""

import contextlib
import importlib.util
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.records.provenance import ROOT
from benchmarks.running.served import PACKAGE

WORK_TREE = "."


def resolve(revision: str, other: str, allowed: str) -> str:
    """Return the full hash of a commit, or "." unchanged.

    Args:
        other: what the text may be besides a commit, for the message.
        allowed: all that it may be, for the message.

    Raises:
        ValueError: when git finds no such commit.
    """
    if not (ROOT / PACKAGE).is_dir():
        why = "only the suite of a checkout measures commits, and this one is installed"
        raise ValueError(f"{revision!r} is not {other}, and {why}")
    if revision == WORK_TREE:
        return revision
    found = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found.returncode != 0:
        raise ValueError(f"{revision!r} is neither {other} nor a commit{_why_not()}; allowed: {allowed}")
    return found.stdout.decode().strip()


def _why_not() -> str:
    """Return why git may lack a commit that exists elsewhere; empty if the checkout is complete."""
    shallow = _git("rev-parse", "--is-shallow-repository")
    if b"safe.directory" in shallow.stderr:
        return f" (git refuses a checkout of another user: git config --global --add safe.directory {ROOT})"
    return " (this clone is shallow: git fetch --unshallow)" if shallow.stdout.strip() == b"true" else ""


@contextlib.contextmanager
def workplace(revision: str) -> Iterator[Path]:
    """Yield a temporary directory with this checkout's ``benchmarks`` and the commit's ``gcnn_impl``.

    Raises:
        ValueError: when the commit has no ``gcnn_impl``.
    """
    with tempfile.TemporaryDirectory(prefix="gcnn-compare-") as name:
        place = Path(name).resolve()
        (place / "benchmarks").symlink_to(ROOT / "benchmarks")
        if revision == WORK_TREE:
            (place / PACKAGE).symlink_to(_present_package())
        else:
            archive = _git("archive", "--format=tar", revision, PACKAGE)
            if archive.returncode != 0:
                raise ValueError(f"commit {revision[:10]} has no {PACKAGE}; allowed: commits with this package")
            with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
                tar.extractall(place, filter="data")
        yield place


def named(revision: str) -> str:
    """Return a revision for people: the first digits of a commit, or "." with the commit below the work tree."""
    if revision != WORK_TREE:
        return revision[:10]
    commit = _git("rev-parse", "--verify", "--quiet", "HEAD").stdout.decode().strip()
    changes = " with changes" if package_tree(WORK_TREE) is None else ""
    return f"{WORK_TREE} ({commit[:10]}{changes})" if commit else WORK_TREE


def about_sides(a: str, b: str) -> list[str]:
    """Return what a comparison of two revisions does not show: there is no difference, or changes stay unmeasured."""
    tree = package_tree(a)
    said = []
    if a == b or (tree and tree == package_tree(b)):
        said.append(f"both sides are the same code: {PACKAGE} is equal in {named(a)} and {named(b)}")
    if WORK_TREE not in (a, b) and package_tree(WORK_TREE) is None:
        said.append(f"uncommitted changes of {PACKAGE} are not measured: both sides are commits ('.' is the work tree)")
    return said


def package_tree(revision: str) -> str | None:
    """Return git's hash of the package at a revision: None where the work tree has changes, empty where git fails."""
    if revision == WORK_TREE:
        if _git("status", "--porcelain", "--", PACKAGE).stdout.strip():
            return None
        revision = "HEAD"
    return _git("rev-parse", "--verify", "--quiet", f"{revision}:{PACKAGE}").stdout.decode().strip()


def _present_package() -> Path:
    """Return the folder of the present ``gcnn_impl``: this checkout's, or the installed one of the installed suite."""
    if (ROOT / PACKAGE).is_dir():
        return ROOT / PACKAGE
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _git(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True)
