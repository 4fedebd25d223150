"""Two commits of ``gcnn_impl``, measured with one ruler: the ``benchmarks`` of this checkout.

Each commit has a server of its own, started where ``gcnn_impl`` is the commit's. The servers take turns, A B B A A B …,
and fork a fresh process for every round. What both commits meet cancels in their ratio. Two processes of the *same*
commit, one after the other, come along in this order (B B, A A, …): they are the A/A twins.
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

from benchmarks.answers.differences import Differences, Row, judged
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
    """Rounds of a case at commit A and at B; ``failures`` says what went wrong, where something did."""

    a: list[list[float]] = field(default_factory=list)
    b: list[list[float]] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def twins(self) -> tuple[Rounds, Rounds]:
        """Rounds of one commit beside those that the same commit had right after them."""
        first, second = [], []
        for n in range(len(self.a) - 1):
            side = self.a if n % 2 else self.b  # of A B B A, the B
            first.append(side[n])
            second.append(side[n + 1])
        return first, second


def resolve(revision: str) -> str:
    """The full hash of a commit; "." stays what it is.

    Raises:
        ValueError: when git knows no such commit.
    """
    if revision == WORK_TREE:
        return revision
    command = ["git", "-C", str(ROOT), "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    found = subprocess.run(command, capture_output=True, text=True)
    if found.returncode != 0:
        raise ValueError(f"{revision!r} is neither results nor a commit; allowed: a directory, a file, a commit, '.'")
    return found.stdout.strip()


@contextlib.contextmanager
def workplace(revision: str) -> Iterator[Path]:
    """A directory with this checkout's ``benchmarks`` and the commit's ``gcnn_impl``, for as long as this lasts.

    Raises:
        ValueError: when the commit has no ``gcnn_impl``.
    """
    with tempfile.TemporaryDirectory(prefix="gcnn-compare-") as name:
        place = Path(name).resolve()
        (place / "benchmarks").symlink_to(ROOT / "benchmarks")
        if revision == WORK_TREE:
            (place / PACKAGE).symlink_to(ROOT / PACKAGE)
        else:
            command = ["git", "-C", str(ROOT), "archive", "--format=tar", revision, PACKAGE]
            archive = subprocess.run(command, capture_output=True)
            if archive.returncode != 0:
                raise ValueError(f"commit {revision[:10]} has no {PACKAGE}; allowed: commits that have")
            with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
                tar.extractall(place, filter="data")
        yield place


def measure_commits(a: str, b: str, cases: Sequence[Case], sampling: Sampling, timeout: float) -> dict[Case, Pair]:
    """Measure every case at two commits, in alternating processes.

    Args:
        a, b: hashes, or "." for the work tree.
        cases: what to measure.
        sampling: of every case and commit.
        timeout: seconds without a sign of life after which a contender is given up.
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
    """Measure the cases at two commits in alternating processes, and compare them in pairs."""
    pairs = measure_commits(a, b, cases, sampling, timeout)
    whole = {case: pair for case, pair in pairs.items() if not pair.failures}
    remarks = [f"{a[:10]} against {b[:10]}, {sampling.rounds} pairs of processes for each case"]
    if whole:
        found = minimum_detectable_effect([pair.twins() for pair in whole.values()], comparisons=len(whole))
        remarks.append(f"floor {max(floor, found):.1%}; A/A twins of {len(whole)} cases show up to {found:.1%}")
        floor = max(floor, found)
    rows = []
    for case, pair in pairs.items():
        if pair.failures:
            why = "; ".join(f"at {name}: {message}" for name, message in pair.failures.items())
            rows.append(Row(case.label, failure=why, broken="A" not in pair.failures))
        else:
            rows.append(judged(case.label, pair.a, pair.b, floor, paired=True))
    return Differences(rows, remarks)
