"""Two commits of ``gcnn_impl`` in places of their own, to be measured by the ``benchmarks`` of this checkout."""

import contextlib
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.answers.differences import Differences
from benchmarks.cases.case import Case
from benchmarks.comparing.deciding import Question, compare_places
from benchmarks.comparing.passes import PACKAGE
from benchmarks.records.provenance import ROOT

WORK_TREE = "."


def resolve(revision: str) -> str:
    """Return the full hash of a commit, or "." unchanged; raise ``ValueError`` if git finds no such commit."""
    if not (ROOT / PACKAGE).is_dir():  # the suite is installed
        why = "has no results, and the installed suite measures no commits: only the suite of a checkout does"
        raise ValueError(f"{revision!r} {why}; allowed: a directory, a file")
    if revision == WORK_TREE:
        return revision
    found = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found.returncode != 0:
        allowed = "a directory or a file with records, a commit, '.'"
        why = " (it has no records)" if Path(revision).exists() else _why_not()
        raise ValueError(f"{revision!r} is neither results nor a commit{why}; allowed: {allowed}")
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
            (place / PACKAGE).symlink_to(ROOT / PACKAGE)
        else:
            archive = _git("archive", "--format=tar", revision, PACKAGE)
            if archive.returncode != 0:
                raise ValueError(f"commit {revision[:10]} has no {PACKAGE}; allowed: commits with this package")
            with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
                tar.extractall(place, filter="data")
        yield place


def _git(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True)


def compare_commits(a: str, b: str, cases: Sequence[Case], question: Question) -> Differences:
    """Measure the cases at two commits (hashes, or "." for the work tree) in turns, and judge B."""
    with workplace(a) as place_a, workplace(b) as place_b:
        found = compare_places({"A": place_a, "B": place_b}, cases, question)
    return replace(found, remarks=[f"{a[:10]} against {b[:10]}", *found.remarks])
