"""``python -m benchmarks.evidence.validity``: how often the suite's comparisons are right.

Whole runs of ``compare`` are tried by ``evidence.whole_runs``. The comparisons of a sweep are tried here. The engine of
the sweep measures many pairs: the same code twice (A/A), and a layer next to a copy with added work, the planted
slowdown. The table counts how often A/A pairs are called different, and how often the slowdown is found. A trial is
measured like a block of a sweep: in fresh processes, contenders in turns, with the same statistics. Its noise floor
comes from the A/A pairs of all *other* trials; the noise floor of a sweep comes from all blocks.
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
from functools import partial

import numpy as np

from benchmarks.answers.text_tables import columns
from benchmarks.cases.case import Case
from benchmarks.evidence import whole_runs
from benchmarks.measure.sampling import Sampling
from benchmarks.records.provenance import ROOT, hardware
from benchmarks.running.environment import set_measuring_environment
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.running.progress import Progress
from benchmarks.statistics.comparison import WORDS, Comparison, Rounds, compare_rounds, minimum_detectable_effect
from benchmarks.sweep.processes import ROUND_MODULE
from benchmarks.sweep.rounds import take_round
from benchmarks.sweep.tasks import Round

UNCHANGED = "benchmarks.evidence.planted_slowdown:Unchanged"
PLANTED = {
    "2 %": "benchmarks.evidence.planted_slowdown:SlowerByTwo",
    "5 %": "benchmarks.evidence.planted_slowdown:SlowerByFive",
}
# At these batch sizes passes take about 0.5 to 2 ms.
BATCH_SIZES = (1, 2, 4)
TIMEOUT = 120.0
SEED = 0


@dataclass(frozen=True)
class Trial:
    """Rounds of the unchanged layer (a) and of the layer that ``planted`` names (b): "A/A" or a key of ``PLANTED``."""

    planted: str
    a: Rounds
    b: Rounds


def case_of(implementation: str, batch_size: int) -> Case:
    """Return the case of a layer in ``planted_slowdown``, which is treated as a user's layer: inference, one thread."""
    return Case(implementation=implementation, variant="custom", batch_size=batch_size, threads=1)


def run_trial(planted: str, batch_size: int, sampling: Sampling) -> Trial:
    """Measure a block of two contenders; raise ``RuntimeError`` if one of them fails."""
    names = (UNCHANGED, PLANTED.get(planted, UNCHANGED))
    entries = tuple(enumerate(case_of(name, batch_size) for name in names))
    rounds = []
    for number in range(sampling.rounds):
        taken = take_round(Round(entries, number, sampling), TIMEOUT)
        for outcome in taken.failures.values():
            raise RuntimeError(f"a round of {planted} failed: {outcome.message}")
        rounds.append(taken.samples)
    return Trial(planted, *([samples[entry] for samples in rounds] for entry, _ in entries))


def judge_trials(trials: Sequence[Trial]) -> list[tuple[Trial, Comparison]]:
    """Compare the contenders of every trial, with the noise floor of the A/A pairs of all other trials."""
    judged = []
    for trial in trials:
        twins = [(other.a, other.b) for other in trials if other.planted == "A/A" and other is not trial]
        judged.append((trial, compare_rounds(trial.a, trial.b, minimum_detectable_effect(twins))))
    return judged


def table(judged: Sequence[tuple[Trial, Comparison]]) -> list[str]:
    """Write a line for every kind of trial: how often each word was the result, and the measured ratios."""
    rows: list[tuple[str, ...]] = [("planted", "trials", *WORDS, "ratio, median [smallest, largest]")]
    for planted in ("A/A", *PLANTED):
        if comparisons := [comparison for trial, comparison in judged if trial.planted == planted]:
            said = Counter(comparison.word for comparison in comparisons)
            ratios = [comparison.ratio for comparison in comparisons]
            spread = f"{np.median(ratios):.4f} [{min(ratios):.4f}, {max(ratios):.4f}]"
            rows.append((planted, str(len(comparisons)), *(str(said[word]) for word in WORDS), spread))
    return columns(rows)


def planted_share(case: Case, report: Report) -> dict[str, float]:
    """Return the time of the planted work divided by that of the layer. Call it in a process of its own."""
    from benchmarks.evidence.planted_slowdown import Unchanged  # not at the top: the parent needs no torch
    from benchmarks.workloads.build import build_workload, configure

    configure(case)
    workload = build_workload(case)
    assert isinstance(workload.module, Unchanged)
    workload.run()  # the first pass calibrates the work
    return {"share": workload.module.work_share(workload.x)}


def verified_shares(planted: str) -> list[float]:
    """Return ``planted_share`` for each batch size, each from a fresh process."""
    run = partial(run_isolated, planted_share, device="cpu", preload=ROUND_MODULE, timeout=TIMEOUT)
    return [run(case_of(PLANTED[planted], batch_size)).fields["share"] for batch_size in BATCH_SIZES]


@contextlib.contextmanager
def busy_core() -> Iterator[subprocess.Popen[bytes]]:
    """Keep one core busy with another process."""
    program = "from benchmarks.running.supervised import supervise; supervise(0)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE) as process:
        yield process  # the end of the block closes the lease, and waits


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the table; return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence.validity", description=__doc__)
    parser.add_argument("--trials", type=int, default=200, metavar="N", help="A/A comparisons (default: 200)")
    parser.add_argument("--planted", type=int, default=40, metavar="N", help="trials of each slowdown (default: 40)")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="processes of a trial (default: 7)")
    parser.add_argument(
        "--seconds", type=float, default=0.5, help="time budget of a contender in a trial (default: 0.5)"
    )
    parser.add_argument("--busy", action="store_true", help="keep one core busy with another process meanwhile")
    for kind, size in whole_runs.PLANTED.items():
        text = "the same code" if not size.function else f"a separable layer slower by {kind}".replace("%", "%%")
        parser.add_argument(
            option_of(kind), type=int, default=0, metavar="N", dest=kind, help=f"whole runs of compare on {text}"
        )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of these runs (default: 1)")
    args = parser.parse_args(argv)
    set_measuring_environment()
    counts = {kind: getattr(args, kind) for kind in whole_runs.PLANTED}
    with busy_core() if args.busy else contextlib.nullcontext():
        begun = time.monotonic()
        trials = run_trials(args)
        minutes = (time.monotonic() - begun) / 60
        loads = [os.getloadavg()[0]]
        runs = whole_runs.whole_runs(counts, args.threads)
        loads.append(os.getloadavg()[0])
    kept_busy = "one" if args.busy else "none"
    where = f"{hardware()['cpu']}, {hardware()['cores']} cores, {kept_busy} kept busy by us"
    if trials:
        print(f"{where}; 1 thread, {args.rounds} rounds, {args.seconds:g} s a contender; {minutes:.1f} minutes")
        for planted in PLANTED:
            shares = ", ".join(f"{share:.2%}" for share in verified_shares(planted))
            print(f"planted {planted}: the work alone takes {shares} of the layer alone (batch sizes {BATCH_SIZES})")
        floor = minimum_detectable_effect([(trial.a, trial.b) for trial in trials if trial.planted == "A/A"])
        print(f"noise floor {floor:.2%}: unchanged code rarely exceeds it")
        print(*table(judge_trials(trials)), sep="\n")
    if runs:
        print(f"whole runs of compare, {args.threads} threads, 4 cases; {where}; load {loads[0]:.1f} to {loads[1]:.1f}")
        print(*whole_runs.table(runs), sep="\n")
    return 0


def option_of(kind: str) -> str:
    """Return the option with the number of runs of a kind of ``whole_runs``.

    >>> option_of("30 % twice")
    '--compare-30-twice'
    """
    return "--compare-" + "-".join(kind.replace("%", "").split())


def run_trials(args: argparse.Namespace) -> list[Trial]:
    """Measure the trials of a sweep's comparisons that the options ask for; none if they ask for no A/A trials."""
    if not args.trials:
        return []
    sampling = Sampling(rounds=args.rounds, seconds=args.seconds)
    kinds = ["A/A"] * args.trials + [planted for planted in PLANTED for _ in range(args.planted)]
    random.Random(SEED).shuffle(kinds)  # disturbances of the machine then affect all kinds alike
    progress = Progress(kinds, unit="trial", desc="validity")
    return [run_trial(kind, BATCH_SIZES[i % len(BATCH_SIZES)], sampling) for i, kind in enumerate(progress)]


if __name__ == "__main__":
    sys.exit(main())
