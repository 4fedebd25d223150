"""``python -m benchmarks.evidence.agreement``: whether the three engines agree on the same twelve cases.

The sweep, asv and pytest-benchmark run several times, in turns. The result of an engine is the median over its runs,
because times on a shared machine differ more from minute to minute than from engine to engine.

One difference is systematic. In a sweep other contenders run between two turns of a case and leave their data in the
caches, as other layers do in a network. The other two engines repeat one pass, which finds its own data in the caches.
This effect of turns is measured separately, in one process with the sweep's turns, and divided out of the sweep's
medians before they are compared.
"""

import argparse
import itertools
import math
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.answers.text_tables import columns
from benchmarks.cases.blocks import blocks
from benchmarks.cases.case import Case
from benchmarks.measure.clock import TURN_SECONDS, counterbalanced, take_turn, warm_up
from benchmarks.measure.sampling import Sampling
from benchmarks.records.costs import successes
from benchmarks.records.store import RecordStore
from benchmarks.records.suite_names import asv_name, pytest_name
from benchmarks.records.suite_results import read_asv, read_pytest_benchmark
from benchmarks.running.environment import set_measuring_environment
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.suites.points import LAYER_DIRECTIONS
from benchmarks.sweep.engine import Engine
from benchmarks.sweep.processes import PROBE_MODULE
from benchmarks.sweep.sweep import SEED, sweep
from benchmarks.workloads.build import build_workload, configure
from benchmarks.workloads.workload import Workload

# Values on the axes of ``suites.points.LAYER_POINTS``.
VARIANTS, RESOLUTIONS = ("lifting", "full", "separable"), (4, 8)
CHANNELS = BATCH_SIZE = 16
TOLERANCE = 0.05
SAMPLING = Sampling(rounds=5, seconds=1.0)
SWEEP = "sweep"
# The number of times that the contenders of a block take turns, forth and back, to measure the effect of turns.
TURNS = 20
TIMEOUT = 600.0
ASV_RESULTS = Path(".asv/results")

# Medians of one run of an engine, in seconds, by case id.
Medians = Mapping[str, float]


def agreement_cases() -> list[Case]:
    """Return the twelve cases that all three engines measure: six layers, each in both passes, on one thread."""
    return [
        Case(variant=variant, resolution=resolution, channels=CHANNELS, batch_size=BATCH_SIZE, direction=direction)
        for variant, resolution, direction in itertools.product(VARIANTS, RESOLUTIONS, LAYER_DIRECTIONS)
    ]


def by_sweep(directory: Path) -> Medians:
    """Sweep over the cases, store the records in the directory, and return the medians."""
    store = RecordStore(directory)
    sweep(agreement_cases(), store, Engine(SAMPLING))
    return {id_: record["seconds"]["median"] for id_, record in successes(store.load()).items()}


def by_asv() -> Medians:
    """Run asv for HEAD, and return the medians."""
    begun = time.time()
    names = "|".join(re.escape(asv_name(case)) for case in agreement_cases())
    _run("asv", "run", "HEAD^!", "-b", f"^({names})$")
    commits = read_asv(ASV_RESULTS, since=begun)
    found = commits[-1].results if commits else {}
    named = {case.id: found.get(asv_name(case)) for case in agreement_cases()}
    return {id_: result.value for id_, result in named.items() if result and result.measured and result.value}


def by_pytest_benchmark(directory: Path) -> Medians:
    """Run the pytest-benchmark suite, save its file in the directory, and return the medians."""
    tests = [f"benchmarks/suites/test_bench_layers.py::test_pass[{pytest_name(case)}]" for case in agreement_cases()]
    options = ("--benchmark-enable", "--benchmark-only", "--benchmark-autosave", f"--benchmark-storage={directory}")
    _run(sys.executable, "-m", "pytest", *tests, *options)
    (path,) = directory.glob("*/*.json")
    results = read_pytest_benchmark(path).values()  # a version ends with the id of its case
    return {result.version.split()[-1]: result.value for result in results if result.measured and result.value}


def _run(*command: str) -> None:
    """Run an engine. Its results lack the cases that it cannot measure; ``main`` reports that cases are missing."""
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


def turns_over_alone(cases: Sequence[Case], report: Report) -> dict[str, float]:
    """Return for each case its median time when all cases take turns, divided by its median time when it runs alone.

    Turns among others and turns alone are as long as the sweep's, and alternate, so that a drift affects both alike.
    The function needs a process of its own.
    """
    configure(cases[0])
    workloads = [build_workload(case) for case in cases]
    for workload in workloads:
        warm_up(workload.run, time.perf_counter, SAMPLING, prepare=workload.prepare)
    alone: list[list[float]] = [[] for _ in cases]
    in_turns: list[list[float]] = [[] for _ in cases]
    for number in range(TURNS):
        for place in itertools.islice(counterbalanced(len(cases), number), 2 * len(cases)):
            in_turns[place] += _turn(workloads[place])
        for place, workload in enumerate(workloads):
            _turn(workload)  # replaces the data of other contenders in the caches
            alone[place] += _turn(workload)
        report({})
    medians = zip(cases, in_turns, alone, strict=True)
    return {case.id: statistics.median(among) / statistics.median(own) for case, among, own in medians}


def _turn(workload: Workload) -> list[float]:
    return take_turn(workload.run, time.perf_counter, TURN_SECONDS, prepare=workload.prepare)


def median_of_runs(runs: Iterable[Medians], case: Case) -> float:
    """Return the median of an engine's runs; nan if none has the case."""
    values = [run[case.id] for run in runs if case.id in run]
    return statistics.median(values) if values else math.nan


def table(
    engines: Mapping[str, Sequence[Medians]], turns: Mapping[str, float], cases: Sequence[Case]
) -> tuple[list[str], float]:
    """Write a table with the medians of each engine, and return it with the largest difference (nan if one is missing).

    The difference of a case is that between its largest and its smallest median, relative to the smallest, without the
    effect of turns. The last column has the largest such difference between the runs of one engine.
    """
    heads = [f"{name}, ms" for name in engines]
    rows = [("", *heads, "in turns / alone", "difference without turns", "runs of one engine")]
    differences = []
    for case in cases:
        medians = {name: median_of_runs(runs, case) for name, runs in engines.items()}
        turned = turns.get(case.id, math.nan)
        differences.append(_spread([m / turned if name == SWEEP else m for name, m in medians.items()]))
        own = max(_spread([run.get(case.id, math.nan) for run in runs]) for runs in engines.values())
        times = (f"{1e3 * median:.3f}" for median in medians.values())
        rows.append((case.label, *times, f"{turned:.2f}", f"{differences[-1]:.1%}", f"{own:.1%}"))
    missing = any(map(math.isnan, differences))
    return columns(rows), math.nan if missing else max(differences)


def _spread(values: Sequence[float]) -> float:
    """Return the difference of the largest and the smallest value, relative to the smallest; nan if one is missing."""
    return math.nan if any(map(math.isnan, values)) else max(values) / min(values) - 1


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the table; return 0 if the engines agree within the tolerance, 1 if not, 2 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence.agreement", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="runs of each engine (default: 3)")
    parser.add_argument(
        "--results", type=Path, default=Path("results/agreement"), metavar="DIR", help="(default: %(default)s)"
    )
    args = parser.parse_args(argv)
    set_measuring_environment()
    folder = args.results / time.strftime("%Y%m%dT%H%M%S")
    engines: dict[str, list[Medians]] = {SWEEP: [], "asv": [], "pytest-benchmark": []}
    for number in range(args.repeats):
        engines[SWEEP].append(by_sweep(folder / f"sweep-{number}"))
        engines["asv"].append(by_asv())
        engines["pytest-benchmark"].append(by_pytest_benchmark(folder / f"pytest-{number}"))
    cases = agreement_cases()
    turns: dict[str, float] = {}
    for block in blocks(cases, set(cases), SEED):
        turns |= run_isolated(turns_over_alone, block.cases, device="cpu", preload=PROBE_MODULE, timeout=TIMEOUT).fields
    lines, largest = table(engines, turns, cases)
    print(*lines, sep="\n")
    if math.isnan(largest):
        print("an engine did not measure every case")
        return 2
    word = "agree" if largest <= TOLERANCE else "do not agree"
    print(f"the engines {word} within {TOLERANCE:.0%}: largest difference {largest:.1%}; {args.repeats} runs of each")
    return 0 if largest <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
