"""Two commits of ``gcnn_impl``, measured with one ruler: the ``benchmarks`` of this checkout.

Each commit has a server of its own, started where ``gcnn_impl`` is the commit's. The servers take turns, A B B A A B …,
and fork a fresh process for every round. What both commits meet cancels in their ratio. Two processes of the *same*
commit, one after the other, come along in this order (B B, A A, …): they are the A/A twins.
"""

import contextlib
import importlib.util
import io
import os
import pickle
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.blocks import Block, Round, blocks
from benchmarks.cases import Case
from benchmarks.comparison import Rounds
from benchmarks.isolation import Report, run_isolated
from benchmarks.measure.clock import Sampling
from benchmarks.measure.environment import MEASURING_ENVIRONMENT, ROOT
from benchmarks.rounds import PRELOAD, take_round
from benchmarks.sweep import SEED

WORK_TREE = "."
PACKAGE = "gcnn_impl"


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


class Server:
    """A process in a ``workplace`` that checks cases and takes rounds there. Close it, or use it in ``with``.

    Raises:
        RuntimeError: when it is not the workplace's package that it would measure, or when it died.
    """

    def __init__(self, place: Path, timeout: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"from benchmarks.commits import serve; serve({timeout})"],
            cwd=place,
            # A user's own layers are found where the command was given.
            env={**os.environ, **MEASURING_ENVIRONMENT, "PYTHONPATH": str(Path.cwd())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is its parent's to decide on
        )
        try:
            origin = self.ask(None)
            if origin != str(place / PACKAGE / "__init__.py"):
                raise RuntimeError(f"{origin} would be measured instead of {place / PACKAGE}; uninstall it")
        except BaseException:
            self.close()
            raise

    def ask(self, task: "Round | Case | None") -> Any:
        """A ``Taken`` for a round, an ``Outcome`` for a case to check, the place of the package for None."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            pickle.dump(task, self.process.stdin)
            self.process.stdin.flush()
            return pickle.load(self.process.stdout)
        except (EOFError, BrokenPipeError) as error:
            raise RuntimeError(f"a measuring server died with status {self.process.wait()}") from error

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it, and with it the processes that it forked."""
        self.process.kill()
        self.process.communicate()


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


def check(case: Case, report: Report) -> dict[str, Any]:
    """The gate before every measurement, in a process of its own.

    Raises:
        InvalidResult: when the output is wrong.
    """
    from benchmarks.measure.correctness import check_output
    from benchmarks.workloads import build, configure

    configure(case)
    return {"equivariance_error": check_output(build(case))}


def serve(timeout: float) -> None:
    """Answer what ``Server.ask`` asks, until nobody does any more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed is no answer
    while True:
        try:
            task = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        if isinstance(task, Round):
            answer: Any = take_round(task, timeout)
        elif isinstance(task, Case):
            answer = run_isolated(check, task, device=task.device, preload=PRELOAD, timeout=timeout)
        else:
            spec = importlib.util.find_spec(PACKAGE)
            answer = spec and spec.origin
        pickle.dump(answer, answers)
        answers.flush()
