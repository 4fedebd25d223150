"""``python -m benchmarks.evidence.resampled_runs FILE``: what ``compare`` would say, over thousands of runs.

A whole run of ``compare`` takes minutes, so few can be tried (``evidence.whole_runs``). But a run only sees the pairs
of processes that it measures. ``--measure N`` measures N pairs of each kind, the same code and planted slowdowns, and
appends them to the file. From these pairs runs are made up, and the rule of ``compare`` decides each: runs of
consecutive pairs from every place in the file, which have the machine's drift, and many more runs of pairs drawn at
random, which have not.
"""

import argparse
import contextlib
import itertools
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.answers.text_tables import columns
from benchmarks.comparing.contenders import Contender
from benchmarks.comparing.deciding import SEED, decide, default_minutes, groups
from benchmarks.comparing.pairs import measure_pair
from benchmarks.evidence.validity import busy_core
from benchmarks.evidence.whole_runs import CHANGED, PLANTED, four_cases, planted_place
from benchmarks.records.provenance import hardware, software
from benchmarks.running.environment import set_measuring_environment
from benchmarks.statistics.verdicts import FINE, REGRESSED, UNDECIDED, gravest

KINDS = ("same", "5 %", "2 %")
VERDICTS = (REGRESSED, FINE, UNDECIDED)
# Pairs of one kind that are measured before the next kind has its turn: about as many as a run takes.
STRETCH = 15
TIMEOUT = 600.0
HEADING = ("planted", "asked about", "cores kept busy", "pairs", "runs", *VERDICTS, "unchanged regressed", "minutes")


@dataclass(frozen=True)
class Pair:
    """What a pair of processes gave: the logarithm of the ratio of times of each case, by its label.

    Args:
        planted: a key of ``whole_runs.PLANTED``.
        busy: whether another process kept a core busy.
        seconds: how long the pair took.
    """

    planted: str
    busy: bool
    seconds: float
    logs: Mapping[str, float]


@dataclass(frozen=True)
class MadeUp:
    """A run that was made up of measured pairs: its verdict, its pairs, and whether an unchanged case regressed."""

    verdict: str
    pairs: int
    wrong: bool


def contenders() -> list[Contender]:
    """Return the four cases and their control, before any pair."""
    [group] = groups(four_cases(threads=1))
    return group


def measure(file: Path, count: int, busy: bool) -> None:
    """Measure ``count`` pairs of each kind, in turns of ``STRETCH`` pairs, and append each to the file at once."""
    done = dict.fromkeys(KINDS, 0)
    with contextlib.ExitStack() as stack:
        same = stack.enter_context(planted_place(PLANTED["same"]))
        places = {kind: {"A": same, "B": stack.enter_context(planted_place(PLANTED[kind]))} for kind in KINDS}
        stack.enter_context(busy_core() if busy else contextlib.nullcontext())
        while min(done.values()) < count:
            for kind in KINDS:
                for _ in range(min(STRETCH, count - done[kind])):
                    append(file, measured(kind, places[kind], busy, done[kind]))
                    done[kind] += 1


def measured(kind: str, places: Mapping[str, Path], busy: bool, number: int) -> Pair:
    """Measure a pair.

    Raises:
        RuntimeError: when a case fails.
    """
    begun, group = time.monotonic(), contenders()
    taken = measure_pair(places, {n: one.case for n, one in enumerate(group)}, number, TIMEOUT, ())
    for n, one in enumerate(group):
        one.add(taken[n], 0)
        if not one.logs:
            raise RuntimeError(f"{one.case.label}: {taken[n].failures or 'too few turns'}")
    return Pair(kind, busy, time.monotonic() - begun, {one.case.label: one.logs[0] for one in group})


def append(file: Path, pair: Pair) -> None:
    """Append a pair, and where it was measured, to a file."""
    versions = {name: software()[name] for name in ("commit", "dirty", "torch")}
    line = {**vars(pair), "logs": dict(pair.logs), "cpu": hardware()["cpu"], "cores": hardware()["cores"], **versions}
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def load(file: Path) -> list[tuple[Pair, dict[str, Any]]]:
    """Return the pairs of a file, each with the machine and the versions of its line."""
    found = []
    for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        found.append((Pair(*(line.pop(name) for name in ("planted", "busy", "seconds", "logs"))), line))
    return found


def run_of(pairs: Iterable[Pair], planted: str, most: int) -> MadeUp:
    """Decide a run that takes these pairs, ``most`` at most, by the rule of ``compare``."""
    group, given = contenders(), iter(pairs)

    def add_pair(running: Mapping[int, Contender], number: int) -> bool:
        logs = next(given).logs
        for one in running.values():
            one.logs[number] = logs[one.case.label]
        return number + 1 >= most

    taken = max(decide(group, len(group), PLANTED[planted].at_least, add_pair))
    judged = [one for one in group if not one.control]
    changed = CHANGED if PLANTED[planted].function else None
    wrong = any(one.verdict == REGRESSED and one.case.variant != changed for one in judged)
    return MadeUp(gravest(one.verdict for one in judged), taken, wrong)


def most_pairs(pairs: Sequence[Pair]) -> int:
    """Return the number of pairs for which ``compare`` has the time, if the user gives none."""
    seconds = 60 * default_minutes(len(four_cases(threads=1)))
    return max(int(seconds / statistics.median(pair.seconds for pair in pairs)), 1)


def consecutive(pairs: Sequence[Pair], planted: str) -> list[MadeUp]:
    """Return a run from every place on; after the last pair comes the first."""
    most = most_pairs(pairs)
    return [run_of((*pairs[place:], *pairs[:place]), planted, min(most, len(pairs))) for place in range(len(pairs))]


def at_random(pairs: Sequence[Pair], planted: str, count: int) -> list[MadeUp]:
    """Return ``count`` runs of pairs that are drawn with replacement."""
    most, generator = most_pairs(pairs), random.Random(SEED)
    return [run_of((generator.choice(pairs) for _ in itertools.count()), planted, most) for _ in range(count)]


def table(pairs: Sequence[Pair], count: int) -> list[str]:
    """Write, for each kind of pairs, how often each verdict came out."""
    kinds: dict[tuple[str, bool], list[Pair]] = {}
    for pair in pairs:
        kinds.setdefault((pair.planted, pair.busy), []).append(pair)
    rows: list[tuple[str, ...]] = [HEADING]
    for (planted, busy), same in kinds.items():
        about = (planted, f"{PLANTED[planted].at_least:.0%}", str(int(busy)), str(len(same)))
        minutes = statistics.median(pair.seconds for pair in same) / 60
        for how, runs in (
            ("consecutive", consecutive(same, planted)),
            ("at random", at_random(same, planted, count)),
        ):
            said = Counter(run.verdict for run in runs)
            shares = (f"{said[verdict] / len(runs):.1%}" for verdict in VERDICTS)
            wrong = f"{sum(run.wrong for run in runs) / len(runs):.1%}"
            taken = f"{minutes * statistics.median(run.pairs for run in runs):.1f}"
            rows.append((*about, f"{len(runs):,} {how}", *shares, wrong, taken))
    return columns(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure pairs if asked to, print the table, and return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence.resampled_runs", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="lines of JSON, one for each pair")
    parser.add_argument("--measure", type=int, default=0, metavar="N", help="pairs of each kind to measure first")
    parser.add_argument("--busy", action="store_true", help="keep one core busy with another process meanwhile")
    parser.add_argument(
        "--runs", type=int, default=1000, metavar="N", help="runs of pairs drawn at random (default: 1000)"
    )
    args = parser.parse_args(argv)
    if args.measure:
        set_measuring_environment()
        measure(args.file, args.measure, args.busy)
    found = load(args.file)
    where = sorted({f"{of['cpu']}, {of['cores']} cores, torch {of['torch']}, commit {of['commit']}" for _, of in found})
    print(*where, *table([pair for pair, _ in found], args.runs), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
