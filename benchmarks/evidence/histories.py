"""``python -m benchmarks.evidence.histories``: how often the history of a suite shows changes that are none.

The program makes up histories of unchanged code, and histories with a planted step or drift, and counts what
``answers.suite_changes`` finds. Nothing is measured. A made-up time has the noise that docs/history.md reports of
runs of unchanged code: a log-normal spread of its own for each benchmark, disturbed runs, and moods of the machine that
last for several runs and slow all benchmarks, controls included, but not all alike. With ``--noise-of`` the noise is
drawn from a measured history instead (``measured_noise``).
"""

import argparse
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.answers.suite_changes import Found, suite_histories
from benchmarks.answers.text_tables import markdown_table
from benchmarks.evidence.measured_noise import MeasuredNoise, noise_of
from benchmarks.records.suite_names import kind_of
from benchmarks.records.suite_results import Commit, read_asv_rounds
from benchmarks.statistics.regression import Result
from benchmarks.statistics.verdicts import UNDECIDED
from benchmarks.statistics.written import NOTHING, percentage

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
NAMES = (*CONTROLS, *itertools.chain(*BENCHMARKS.values()))
# The kind whose benchmarks change.
CHANGED_KIND = "time of conv separable forward"
CHANGED = tuple(BENCHMARKS["Forward", "separable"])
HEADING = (
    *("planted", "at commit", "histories", "found", "at its commit", "dated at", "may be a drift", "undecided"),
    "with a false change",
)


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

    @property
    def names(self) -> tuple[str, ...]:
        """The benchmarks of the made-up histories."""
        return NAMES

    def logs(self, rng: np.random.Generator, commits: int, rounds: int) -> npt.NDArray[np.float64]:
        """Draw the logarithms of times, shape (commits, rounds, benchmarks); each round has an order of its own."""
        spreads = self.spread * np.exp(self.between * rng.normal(size=len(NAMES)))
        responses = np.exp(self.unlike * rng.normal(size=len(NAMES)))
        moods = self.mood * _correlated(rng, self.lasting, commits * rounds)
        order = [rng.permutation(commits) if rounds > 1 else np.arange(commits) for _ in range(rounds)]
        when = {(int(commit), n): n * commits + k for n, turn in enumerate(order) for k, commit in enumerate(turn)}
        drawn = np.empty((commits, rounds, len(NAMES)))
        for commit, n in itertools.product(range(commits), range(rounds)):
            logs = spreads * rng.normal(size=len(NAMES)) + responses * moods[when[commit, n]]
            disturbed = rng.random(len(NAMES)) < self.disturbed
            drawn[commit, n] = logs + np.where(disturbed, rng.exponential(self.disturbance, len(NAMES)), 0.0)
        return drawn


BUSY, CALM = Noise(), Noise(spread=0.01, disturbed=0.01, mood=0.01)


@dataclass(frozen=True)
class Planted:
    """A change of some benchmarks: its size as a logarithm, its first commit, and how many commits it takes."""

    name: str
    size: float = 0.0
    first: int = 0
    length: int = 1
    benchmarks: tuple[str, ...] = CHANGED

    def at(self, commit: int) -> float:
        """Return what has changed at a commit."""
        return self.size * min(max((commit - self.first + 1) / self.length, 0.0), 1.0)

    @property
    def last(self) -> int:
        return self.first + self.length - 1


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
    places: tuple[int, ...]  # the most likely commit of what was found, in each history with it


def history(
    rng: np.random.Generator, noise: Noise | MeasuredNoise, planted: Planted, commits: int, rounds: int
) -> Iterator[Commit]:
    """Yield the results of all commits; with several rounds, each commit is measured as often."""
    for commit, of_commit in enumerate(noise.logs(rng, commits, rounds)):
        for logs in of_commit:
            values = {
                name: math.exp(value + (planted.at(commit) if name in planted.benchmarks else 0.0))
                for name, value in zip(noise.names, logs, strict=True)
            }
            results = {name: Result(value, value, value, "1") for name, value in values.items()}
            yield Commit(f"{commit:040x}", "made up", commit, results)


def _correlated(rng: np.random.Generator, lasting: float, n: int) -> npt.NDArray[np.float64]:
    values = rng.normal(size=n)
    for k in range(1, n):
        values[k] = lasting * values[k - 1] + math.sqrt(1 - lasting**2) * values[k]
    return values


def count(
    planted: Planted, noise: Noise | MeasuredNoise, *, commits: int, rounds: int, histories: int, seed: int = 0
) -> Counted:
    """Make up histories and count what is found in them; doubtful changes, which the controls share, do not count."""
    rng = np.random.default_rng(seed)
    found = exact = drifts = undecided = others = with_others = 0
    places = []
    for _ in range(histories):
        [judged] = suite_histories(list(history(rng, noise, planted, commits, rounds)))
        certain = [one for one in judged.found if not one.doubtful]
        right = [one for one in certain if _is_planted(one, planted)]
        wrong = len(certain) - len(right)
        found += bool(right)
        exact += any(planted.first <= one.change.at <= planted.last for one in right)
        drifts += any(one.change.shape != "step" for one in right)
        undecided += not right and judged.word(abs(math.expm1(planted.size))) == UNDECIDED
        others += wrong
        with_others += bool(wrong)
        places += [one.change.at for one in right[:1]]
    return Counted(histories, found, exact, drifts, undecided, others, with_others, tuple(places))


def _is_planted(one: Found, planted: Planted) -> bool:
    """Return whether a change is one of the changed benchmarks, in the right direction, at most one commit away."""
    same = set(one.series.benchmarks) & set(planted.benchmarks) and one.change.size * planted.size > 0
    return bool(same) and one.change.before <= planted.last and one.change.after >= planted.first - 1


def planted_changes(commits: int, names: Sequence[str] = NAMES) -> list[Planted]:
    """Return the changes to plant in a history of so many commits and of these benchmarks."""
    middle = commits // 2
    changed = tuple(name for name in names if kind_of(name) == CHANGED_KIND)
    return [
        Planted("nothing", benchmarks=changed),
        Planted("5 %", math.log(1.05), middle, benchmarks=changed),
        Planted("10 %", math.log(1.1), middle, benchmarks=changed),
        Planted("10 % of one benchmark", math.log(1.1), middle, benchmarks=changed[:1]),
        Planted("−10 %", math.log(0.9), middle, benchmarks=changed),
        Planted("2 % at once", math.log(1.02), middle, benchmarks=changed),
        Planted("2 % over ten commits", math.log(1.02), middle - 5, 10, benchmarks=changed),
    ]


def table(counted: Sequence[tuple[Planted, Counted]]) -> list[tuple[str, ...]]:
    """Return the rows of the table, the heading first."""
    rows: list[tuple[str, ...]] = [HEADING]
    for planted, one in counted:
        where = str(planted.first) if planted.length == 1 else f"{planted.first} to {planted.last}"
        shares = [percentage(n / one.histories, 0) for n in (one.found, one.exact, one.drifts, one.undecided)]
        known = [where, str(one.histories), *shares[:2], _dates(one.places), *shares[2:]]
        if planted.size == 0:
            known = [NOTHING, str(one.histories), *[NOTHING] * 5]
        rows.append((planted.name, *known, f"{one.with_others} ({one.others} changes)"))
    return rows


def _dates(places: Sequence[int]) -> str:
    """Return the median of the commits at which a change was found, the least and the greatest.

    >>> _dates([11, 11, 12]), _dates([])
    ('11 (11 to 12)', '–')
    """
    return f"{int(np.median(places))} ({min(places)} to {max(places)})" if places else NOTHING


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence.histories", description=__doc__)
    parser.add_argument("--histories", type=int, default=200, help="histories for each row (default: %(default)s)")
    parser.add_argument("--commits", type=int, default=30, help="measured commits of a history (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="measurements of each commit (default: %(default)s)")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--calm", action="store_true", help="the noise of a machine on which nothing else runs")
    text = "asv's results of several rounds, such as reports/history, from which the noise is drawn"
    kind.add_argument("--noise-of", type=Path, metavar="DIR", help=text)
    args = parser.parse_args()
    noise = noise_of(read_asv_rounds(args.noise_of)) if args.noise_of else CALM if args.calm else BUSY
    sizes = {"commits": args.commits, "rounds": args.rounds, "histories": args.histories}
    changes = planted_changes(args.commits, noise.names)
    print("\n".join(markdown_table(table([(planted, count(planted, noise, **sizes)) for planted in changes]))))


if __name__ == "__main__":
    main()
