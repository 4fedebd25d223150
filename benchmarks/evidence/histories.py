"""``python -m benchmarks.evidence.histories``: how often the history of a suite shows changes that are none.

The program makes up histories of unchanged code, and histories with a planted step or drift, and counts what
``answers.suite_changes`` finds. Nothing is measured. A made-up time has the noise that docs/history.md reports of
runs of unchanged code: a log-normal spread of its own for each benchmark, disturbed runs, and moods of the machine that
last for several runs and slow all benchmarks, controls included, but not all alike.
"""

import argparse
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.answers.suite_changes import Found, suite_histories
from benchmarks.answers.text_tables import markdown_table
from benchmarks.records.suite_results import Commit
from benchmarks.statistics.regression import Result
from benchmarks.statistics.verdicts import UNDECIDED
from benchmarks.statistics.written import percentage

NAME = "suites.bench_layers.{}.time_pass('cpu', '{}', {}, {}, {})"
# The kinds and the points of the asv suite, without the other variants: twelve benchmarks of a kind, twelve controls.
PASSES, BATCHES = ("Forward", "ForwardBackward"), (1, 16)
KINDS = tuple(itertools.product(PASSES, ("full", "separable")))
CONTROLS = [
    NAME.format(each, "plain", 4, *sizes) for each in PASSES for sizes in itertools.product((8, 16, 128), BATCHES)
]
BENCHMARKS = {
    kind: [NAME.format(*kind, *sizes) for sizes in itertools.product((4, 8, 16), (8, 16), BATCHES)] for kind in KINDS
}
# The benchmarks that change: those of one kind.
CHANGED = BENCHMARKS["Forward", "separable"]


@dataclass(frozen=True)
class Noise:
    """How times of unchanged code vary from run to run; spreads are standard deviations of logarithms."""

    spread: float = 0.03  # the typical spread of a benchmark
    between: float = 0.5  # how much the logarithms of the spreads of benchmarks vary
    disturbed: float = 0.04  # the share of results that other processes disturb
    disturbance: float = 0.3  # the mean of the logarithm by which a disturbed result is slower
    mood: float = 0.05  # the spread of the machine's moods
    lasting: float = 0.7  # the correlation of the moods of successive runs
    unlike: float = 0.1  # how much the logarithms of the responses of benchmarks to a mood vary


BUSY, CALM = Noise(), Noise(spread=0.01, disturbed=0.01, mood=0.01)


@dataclass(frozen=True)
class Planted:
    """A change of the first kind of benchmarks: its size as a logarithm, its first commit, and how long it takes."""

    name: str
    size: float = 0.0
    first: int = 0
    length: int = 1
    benchmarks: tuple[str, ...] = tuple(CHANGED)

    def at(self, commit: int) -> float:
        """Return what has changed at a commit."""
        return self.size * min(max((commit - self.first + 1) / self.length, 0.0), 1.0)


@dataclass(frozen=True)
class Counted:
    """What was found in all histories of a planted change."""

    histories: int
    found: int  # histories with a change of the changed benchmarks at most one commit away from the planted one
    exact: int  # … whose most likely commit is right, or for a drift within it
    drifts: int  # … that may be drifts
    undecided: int  # … that do not show it, and are called undecided when asked for a change of its size
    others: int  # changes elsewhere, or of other benchmarks, all of them false
    with_others: int  # histories with at least one of these


def history(rng: np.random.Generator, noise: Noise, planted: Planted, commits: int, rounds: int) -> Iterator[Commit]:
    """Yield the results of all commits; with several rounds, each is measured in an order of its own."""
    names = [*CONTROLS, *itertools.chain(*BENCHMARKS.values())]
    spreads = noise.spread * np.exp(noise.between * rng.normal(size=len(names)))
    responses = np.exp(noise.unlike * rng.normal(size=len(names)))
    moods = noise.mood * _correlated(rng, noise.lasting, commits * rounds)
    order = [rng.permutation(commits) if rounds > 1 else np.arange(commits) for _ in range(rounds)]
    when = {(int(commit), n): n * commits + k for n, turn in enumerate(order) for k, commit in enumerate(turn)}
    for commit in range(commits):
        for n in range(rounds):
            logs = spreads * rng.normal(size=len(names)) + responses * moods[when[commit, n]]
            disturbed = rng.random(len(names)) < noise.disturbed
            logs = logs + np.where(disturbed, rng.exponential(noise.disturbance, len(names)), 0.0)
            values = {
                name: math.exp(value + (planted.at(commit) if name in planted.benchmarks else 0.0))
                for name, value in zip(names, logs, strict=True)
            }
            results = {name: Result(value, value, value, "1") for name, value in values.items()}
            yield Commit(f"{commit:040x}", "made up", commit, results)


def _correlated(rng: np.random.Generator, lasting: float, n: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    values = rng.normal(size=n)
    for k in range(1, n):
        values[k] = lasting * values[k - 1] + math.sqrt(1 - lasting**2) * values[k]
    return values


def count(planted: Planted, noise: Noise, *, commits: int, rounds: int, histories: int, seed: int = 0) -> Counted:
    """Make up histories and count what is found in them; doubtful changes, which the controls share, do not count."""
    rng = np.random.default_rng(seed)
    counts = Counted(histories, 0, 0, 0, 0, 0, 0)
    for _ in range(histories):
        [judged] = suite_histories(list(history(rng, noise, planted, commits, rounds)))
        certain = [one for one in judged.found if not one.doubtful]
        right = [one for one in certain if _is_planted(one, planted)]
        others = len(certain) - len(right)
        counts = Counted(
            histories,
            counts.found + bool(right),
            counts.exact + any(planted.first <= one.change.at < planted.first + planted.length for one in right),
            counts.drifts + any(one.change.shape != "step" for one in right),
            counts.undecided + (not right and judged.word(abs(math.expm1(planted.size))) == UNDECIDED),
            counts.others + others,
            counts.with_others + bool(others),
        )
    return counts


def _is_planted(one: Found, planted: Planted) -> bool:
    """Return whether a change is one of the changed benchmarks, in the right direction, at most one commit away."""
    same = set(one.series.benchmarks) & set(planted.benchmarks) and one.change.size * planted.size > 0
    return bool(same) and one.change.before < planted.first + planted.length and one.change.after >= planted.first - 1


def planted_changes(commits: int) -> list[Planted]:
    """Return the changes to plant in a history of so many commits."""
    middle = commits // 2
    return [
        Planted("nothing"),
        Planted("5 %", math.log(1.05), middle),
        Planted("10 %", math.log(1.1), middle),
        Planted("10 % of one benchmark", math.log(1.1), middle, benchmarks=(CHANGED[0],)),
        Planted("−10 %", math.log(0.9), middle),
        Planted("2 % at once", math.log(1.02), middle),
        Planted("2 % over ten commits", math.log(1.02), middle - 5, 10),
    ]


def table(counted: Sequence[tuple[Planted, Counted]]) -> list[tuple[str, ...]]:
    """Return the rows of the table, the heading first."""
    rows: list[tuple[str, ...]] = [
        ("planted", "histories", "found", "at its commit", "may be a drift", "undecided", "with a false change")
    ]
    for planted, one in counted:
        found = (f"{percentage(n / one.histories, 0)}" for n in (one.found, one.exact, one.drifts, one.undecided))
        none = ("–",) * 4 if planted.size == 0 else tuple(found)
        rows.append((planted.name, str(one.histories), *none, f"{one.with_others} ({one.others} changes)"))
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence.histories", description=__doc__)
    parser.add_argument("--histories", type=int, default=200, help="histories for each row (default: %(default)s)")
    parser.add_argument("--commits", type=int, default=30, help="measured commits of a history (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="measurements of each commit (default: %(default)s)")
    parser.add_argument("--calm", action="store_true", help="the noise of a machine on which nothing else runs")
    args = parser.parse_args()
    noise = CALM if args.calm else BUSY
    sizes = {"commits": args.commits, "rounds": args.rounds, "histories": args.histories}
    counted = [(planted, count(planted, noise, **sizes)) for planted in planted_changes(args.commits)]
    print("\n".join(markdown_table(table(counted))))


if __name__ == "__main__":
    main()
