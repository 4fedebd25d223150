"""Whether the suite's words can be trusted: ``python -m benchmarks.evidence.validity``.

The engine of the sweep measures the same code twice, over and over, and a layer beside itself with a planted slowdown.
How often is the first pair called different, and how often the second slower? A trial is what a sweep does with a
block: fresh processes, contenders in turns, and the same statistics. Its floor comes from the A/A pairs of all *other*
trials, as it comes from all blocks of a sweep.
"""

import argparse
import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from benchmarks.cases.case import Case
from benchmarks.measure.sampling import Sampling
from benchmarks.records.provenance import hardware
from benchmarks.running.environment import MEASURING_ENVIRONMENT
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.statistics.comparison import WORDS, Comparison, Rounds, compare_rounds, minimum_detectable_effect
from benchmarks.sweep.rounds import take_round
from benchmarks.sweep.tasks import ROUND_MODULE, Round

UNCHANGED = "benchmarks.evidence.planted_slowdown:Unchanged"
PLANTED = {
    "2 %": "benchmarks.evidence.planted_slowdown:SlowerByTwo",
    "5 %": "benchmarks.evidence.planted_slowdown:SlowerByFive",
}
# Passes of about half a millisecond to two.
BATCH_SIZES = (1, 2, 4)
TIMEOUT = 120.0
SEED = 0


@dataclass(frozen=True)
class Trial:
    """Rounds of the unchanged layer, and of what is compared with it: "A/A" or a key of ``PLANTED``."""

    planted: str
    a: Rounds
    b: Rounds


def case_of(implementation: str, batch_size: int) -> Case:
    """One of the planted layers, as a user's: inference, one thread."""
    return Case(implementation=implementation, variant="custom", batch_size=batch_size, threads=1)


def run_trial(planted: str, batch_size: int, sampling: Sampling) -> Trial:
    """Measure a block of two contenders.

    Raises:
        RuntimeError: when one of them fails.
    """
    names = (UNCHANGED, PLANTED.get(planted, UNCHANGED))
    entries = tuple(enumerate(case_of(name, batch_size) for name in names))
    rounds = []
    for number in range(sampling.rounds):
        taken = take_round(Round(entries, number, sampling), TIMEOUT)
        for outcome in taken.failures.values():
            raise RuntimeError(f"a round of {planted} broke: {outcome.message}")
        rounds.append(taken.samples)
    return Trial(planted, *([samples[entry] for samples in rounds] for entry, _ in entries))


def judge(trials: Sequence[Trial]) -> list[tuple[Trial, Comparison]]:
    """Compare the contenders of every trial, by the floor that the A/A pairs of all others give."""
    judged = []
    for trial in trials:
        twins = [(other.a, other.b) for other in trials if other.planted == "A/A" and other is not trial]
        judged.append((trial, compare_rounds(trial.a, trial.b, minimum_detectable_effect(twins))))
    return judged


def table(judged: Sequence[tuple[Trial, Comparison]]) -> list[str]:
    """A line for every kind of trial: how often which word was said, and the ratios that were measured."""
    lines = [
        f"{'planted':>8}{'trials':>8}"
        + "".join(f"{word:>11}" for word in WORDS)
        + "  ratio, median [smallest, largest]"
    ]
    for planted in ("A/A", *PLANTED):
        comparisons = [comparison for trial, comparison in judged if trial.planted == planted]
        if not comparisons:
            continue
        said = Counter(comparison.word for comparison in comparisons)
        ratios = [comparison.ratio for comparison in comparisons]
        counts = "".join(f"{said[word]:>11}" for word in WORDS)
        spread = f"{np.median(ratios):.4f} [{min(ratios):.4f}, {max(ratios):.4f}]"
        lines.append(f"{planted:>8}{len(comparisons):>8}{counts}  {spread}")
    return lines


def planted_share(case: Case, report: Report) -> dict[str, float]:
    """In a process of its own: what the planted work takes beside the layer, each timed alone."""
    from benchmarks.evidence.planted_slowdown import Unchanged  # here and below late: the parent does without torch
    from benchmarks.workloads.build import build, configure

    configure(case)
    workload = build(case)
    assert isinstance(workload.module, Unchanged)
    workload.run()  # it is calibrated by its first pass
    return {"share": workload.module.work_share(workload.x)}


def verified_shares(planted: str) -> list[float]:
    """``planted_share`` of fresh processes, one for each batch size."""
    cases = [case_of(PLANTED[planted], batch_size) for batch_size in BATCH_SIZES]
    outcomes = [
        run_isolated(planted_share, case, device="cpu", preload=ROUND_MODULE, timeout=TIMEOUT) for case in cases
    ]
    return [outcome.fields["share"] for outcome in outcomes]


@contextlib.contextmanager
def busy_core() -> Iterator[subprocess.Popen[bytes]]:
    """One core has something else to do, in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print the table; returns 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.evidence.validity", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--trials", type=int, default=200, metavar="N", help="A/A comparisons (default: 200)")
    parser.add_argument("--planted", type=int, default=40, metavar="N", help="trials of each slowdown (default: 40)")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="processes of a trial (default: 7)")
    parser.add_argument("--seconds", type=float, default=0.5, help="of a contender, all rounds together (default: 0.5)")
    parser.add_argument("--busy", action="store_true", help="keep one core busy with another process meanwhile")
    args = parser.parse_args(argv)
    os.environ.update(MEASURING_ENVIRONMENT)  # before the process server imports torch
    sampling = Sampling(rounds=args.rounds, seconds=args.seconds)
    kinds = ["A/A"] * args.trials + [planted for planted in PLANTED for _ in range(args.planted)]
    random.Random(SEED).shuffle(kinds)  # what the machine does meanwhile then meets all kinds alike
    with busy_core() if args.busy else contextlib.nullcontext():
        begun = time.monotonic()
        trials = [
            run_trial(kind, BATCH_SIZES[i % len(BATCH_SIZES)], sampling)
            for i, kind in enumerate(tqdm(kinds, unit="trial", dynamic_ncols=True))
        ]
        minutes = (time.monotonic() - begun) / 60
    floor = minimum_detectable_effect([(trial.a, trial.b) for trial in trials if trial.planted == "A/A"])
    where = f"{hardware()['cpu']}, {hardware()['cores']} cores, {'one kept busy' if args.busy else 'idle otherwise'}"
    print(f"{where}; 1 thread, {args.rounds} rounds, {args.seconds:g} s a contender; {minutes:.1f} minutes")
    for planted in PLANTED:
        shares = ", ".join(f"{share:.2%}" for share in verified_shares(planted))
        print(f"planted {planted}: the work alone takes {shares} of the layer alone (batch {BATCH_SIZES})")
    print(f"floor {floor:.2%}: what unchanged code hardly ever shows")
    print(*table(judge(trials)), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
