"""The comparison of two commits of ``gcnn_impl``, both measured by the ``benchmarks`` of this checkout.

Each commit has its own server, which imports the commit's ``gcnn_impl`` and forks a fresh process for every round. The
servers take turns, A B B A A B …, so that disturbances of both commits cancel in their ratio. In this order rounds of
the *same* commit follow each other in pairs (B B, A A, …). The two rounds of such a pair are A/A twins.
"""

import contextlib
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from benchmarks.answers.differences import ComparedCase, Differences, judged
from benchmarks.cases.blocks import Block, blocks
from benchmarks.cases.case import Case
from benchmarks.comparing.server import PACKAGE, Server
from benchmarks.measure.sampling import Sampling
from benchmarks.records.provenance import ROOT
from benchmarks.statistics.comparison import Rounds, minimum_detectable_effect
from benchmarks.sweep.sweep import SEED
from benchmarks.sweep.tasks import Round

WORK_TREE = "."


@dataclass(frozen=True)
class Pair:
    """Rounds of a case at commits A and B, and messages about failures with the keys "A" and "B"."""

    a: list[list[float]] = field(default_factory=list)
    b: list[list[float]] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def twins(self) -> tuple[Rounds, Rounds]:
        """Return the first and the second rounds of all A/A twins."""
        sides = [self.a if n % 2 else self.b for n in range(len(self.a) - 1)]  # A B B A A B: first B B, then A A
        return [side[n] for n, side in enumerate(sides)], [side[n + 1] for n, side in enumerate(sides)]


def resolve(revision: str) -> str:
    """Return the full hash of a commit, or "." unchanged; raise ``ValueError`` if git finds no such commit."""
    if revision == WORK_TREE:
        return revision
    found = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found.returncode != 0:
        raise ValueError(f"{revision!r} is neither results nor a commit; allowed: a directory, a file, a commit, '.'")
    return found.stdout.decode().strip()


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


def measure_commits(a: str, b: str, cases: Sequence[Case], sampling: Sampling, timeout: float) -> dict[Case, Pair]:
    """Measure every case at two commits (hashes, or "." for the work tree), in alternating processes.

    ``sampling`` is used for each case at each commit. A contender fails after ``timeout`` seconds without a report.
    """
    pairs: dict[Case, Pair] = {}
    with contextlib.ExitStack() as stack:
        places = {name: stack.enter_context(workplace(revision)) for name, revision in (("A", a), ("B", b))}
        servers = {name: stack.enter_context(Server(place, timeout)) for name, place in places.items()}
        with tqdm(total=len(cases), unit="case", desc="compare", dynamic_ncols=True) as progress:
            for block in blocks(cases, set(cases), SEED):
                progress.set_postfix_str(f"{len(block.cases)} in turns, the first: {block.cases[0].label}")
                pairs |= _measure_block(block, servers, sampling)
                progress.update(len(block.cases))
    return pairs


def _measure_block(block: Block, servers: dict[str, Server], sampling: Sampling) -> dict[Case, Pair]:
    pairs = {case: Pair() for case in block.cases}
    for case, pair in pairs.items():
        for name, server in servers.items():
            outcome = server.ask(case)
            if outcome.status != "ok":
                pair.failures[name] = f"{outcome.status}: {outcome.message}"
    for number in range(sampling.rounds):
        for name in ("AB", "BA")[number % 2]:
            entries = tuple((i, case) for i, case in enumerate(block.cases) if not pairs[case].failures)
            if not entries:
                return pairs
            taken = servers[name].ask(Round(entries, number, sampling))
            for i, case in entries:
                (pairs[case].a if name == "A" else pairs[case].b).append(taken.samples[i])
                if i in taken.failures:
                    pairs[case].failures[name] = f"{taken.failures[i].status}: {taken.failures[i].message}"
    return pairs


def compare_commits(
    a: str, b: str, cases: Sequence[Case], sampling: Sampling, timeout: float, floor: float = 0.0
) -> Differences:
    """Measure the cases at two commits in alternating processes, and compare them round by round.

    The noise floor is computed from successive rounds of one commit (A/A twins), and is at least ``floor``.
    """
    pairs = measure_commits(a, b, cases, sampling, timeout)
    twins = [pair.twins() for pair in pairs.values() if not pair.failures]
    remarks = [f"{a[:10]} against {b[:10]}, {sampling.rounds} pairs of processes for each case"]
    if twins:
        found = minimum_detectable_effect(twins, comparisons=len(twins))
        floor = max(floor, found)
        remarks.append(f"noise floor {floor:.1%}; A/A twins of {len(twins)} cases show up to {found:.1%}")
    rows = []
    for case, pair in pairs.items():
        if pair.failures:
            reasons = "; ".join(f"at {name}: {message}" for name, message in pair.failures.items())
            rows.append(ComparedCase(case.label, failure=reasons, broken="A" not in pair.failures))
        else:
            rows.append(judged(case.label, pair.a, pair.b, floor, paired=True))
    return Differences(rows, remarks)
