"""Whether the three engines agree on the same twelve cases: ``nox -s agreement``.

The sweep, asv and pytest-benchmark are run several times, in turns, and what an engine says of a case is the median of
its medians: between one minute of a shared machine and the next there is more than between two engines.

One difference is no noise. In a sweep other contenders run between two turns of a case and leave their data in the
caches, as other layers do in a network; asv and pytest-benchmark repeat one pass, and find its data there. What that
makes is measured apart, in one process and in the sweep's own turns, and taken out of its medians before they are
compared.
"""

import argparse
import itertools
import math
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.answers.side_by_side import columns
from benchmarks.cases.blocks import blocks
from benchmarks.cases.case import Case
from benchmarks.measure.clock import TURN_SECONDS, counterbalanced, take_turn, warm_up
from benchmarks.measure.sampling import Sampling
from benchmarks.records.store import RecordStore
from benchmarks.records.suite_names import asv_name, pytest_name
from benchmarks.records.suite_results import read_asv, read_pytest_benchmark
from benchmarks.running.environment import MEASURING_ENVIRONMENT
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.suites.points import LAYER_DIRECTIONS
from benchmarks.sweep.engine import Engine
from benchmarks.sweep.sweep import SEED, sweep
from benchmarks.sweep.tasks import PROBE_MODULE
from benchmarks.workloads.build import build, configure
from benchmarks.workloads.workload import Workload

# On axes of ``suite.LAYERS``.
VARIANTS, RESOLUTIONS = ("lifting", "full", "separable"), (4, 8)
CHANNELS = BATCH_SIZE = 16
TOLERANCE = 0.05
SAMPLING = Sampling(rounds=5, seconds=1.0)
SWEEP = "sweep"
# How often the contenders of a block take turns, forth and back, to see what turns make.
TURNS = 20
TIMEOUT = 600.0
ASV_RESULTS = Path(".asv/results")

# Medians in seconds by case id, one mapping for each run of an engine.
Medians = Mapping[str, float]


def agreement_cases() -> list[Case]:
    """Twelve layers that all three engines measure, one thread each."""
    return [
        Case(variant=variant, resolution=resolution, channels=CHANNELS, batch_size=BATCH_SIZE, direction=direction)
        for variant, resolution, direction in itertools.product(VARIANTS, RESOLUTIONS, LAYER_DIRECTIONS)
    ]


def by_sweep(directory: Path) -> Medians:
    """Medians of a sweep over the cases, stored in the directory."""
    store = RecordStore(directory)
    sweep(agreement_cases(), store, Engine(SAMPLING))
    return {r["id"]: r["seconds"]["median"] for r in store.load() if r["kind"] == "cost" and r["status"] == "ok"}


def by_asv() -> Medians:
    """Medians of ``asv run`` of HEAD."""
    begun = time.time()
    names = "|".join(re.escape(asv_name(case)) for case in agreement_cases())
    _run("asv", "run", "HEAD^!", "-b", f"^({names})$")
    commits = read_asv(ASV_RESULTS, since=begun)
    found = commits[-1].results if commits else {}
    named = {case.id: found.get(asv_name(case)) for case in agreement_cases()}
    return {id_: result.value for id_, result in named.items() if result and result.measured and result.value}


def by_pytest_benchmark(directory: Path) -> Medians:
    """Medians of the pytest-benchmark suite, saved in the directory."""
    tests = [f"benchmarks/suites/test_bench_layers.py::test_pass[{pytest_name(case)}]" for case in agreement_cases()]
    options = ("--benchmark-enable", "--benchmark-only", "--benchmark-autosave", f"--benchmark-storage={directory}")
    _run(sys.executable, "-m", "pytest", *tests, *options)
    (path,) = directory.glob("*/*.json")
    results = read_pytest_benchmark(path).values()  # a version ends with the id of its case
    return {result.version.split()[-1]: result.value for result in results if result.measured and result.value}


def _run(*command: str) -> None:
    """Run an engine in this environment; what it could not measure is missing from its results, and is said then."""
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


def turns_over_alone(cases: Sequence[Case], report: Report) -> dict[str, float]:
    """In a process of its own: the median pass of a case among the others of its block, over that of it alone.

    Both are taken in turns as long as the sweep's, and one after the other, so that a drift meets both.
    """
    configure(cases[0])
    workloads = [build(case) for case in cases]
    for workload in workloads:
        warm_up(workload.run, time.perf_counter, SAMPLING, prepare=workload.prepare)
    alone: list[list[float]] = [[] for _ in cases]
    in_turns: list[list[float]] = [[] for _ in cases]
    for number in range(TURNS):
        for place in itertools.islice(counterbalanced(len(cases), number), 2 * len(cases)):
            in_turns[place] += _turn(workloads[place])
        for place, workload in enumerate(workloads):
            _turn(workload)  # finds the caches as the others left them
            alone[place] += _turn(workload)
        report({})
    medians = zip(cases, in_turns, alone, strict=True)
    return {case.id: statistics.median(among) / statistics.median(own) for case, among, own in medians}


def _turn(workload: Workload) -> list[float]:
    return take_turn(workload.run, time.perf_counter, TURN_SECONDS, prepare=workload.prepare)


def median_of_runs(runs: Iterable[Medians], case: Case) -> float:
    """Of one engine's runs; nan where none has the case."""
    values = [run[case.id] for run in runs if case.id in run]
    return statistics.median(values) if values else math.nan


def table(
    engines: Mapping[str, Sequence[Medians]], turns: Mapping[str, float], cases: Sequence[Case]
) -> tuple[list[str], float]:
    """Lines with a median for each engine and the largest difference, and the largest of all (nan if one is missing).

    A difference is that of the largest to the smallest median of a case, as a part of the smallest, after the sweep's
    was divided by what turns make. Beside it stands by how much the runs of one engine differ, of the least steady one.
    """
    heads = [f"{name}, ms" for name in engines]
    rows = [("", *heads, "in turns / alone", "difference without turns", "runs of one engine")]
    differences = []
    for case in cases:
        medians = {name: median_of_runs(runs, case) for name, runs in engines.items()}
        turned = turns.get(case.id, math.nan)
        values = [median / turned if name == SWEEP else median for name, median in medians.items()]
        differences.append(_spread(values))
        own = max(_spread([run.get(case.id, math.nan) for run in runs]) for runs in engines.values())
        times = (f"{1e3 * median:.3f}" for median in medians.values())
        rows.append((case.label, *times, f"{turned:.2f}", f"{differences[-1]:.1%}", f"{own:.1%}"))
    missing = any(map(math.isnan, differences))
    return columns(rows), math.nan if missing else max(differences)


def _spread(values: Sequence[float]) -> float:
    """Of the largest to the smallest, as a part of the smallest; nan where one is missing."""
    return math.nan if any(map(math.isnan, values)) else max(values) / min(values) - 1


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the table; 0 if all medians agree within the tolerance, 1 if not, 2 if one is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.evidence.agreement", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="runs of each engine (default: 3)")
    parser.add_argument("--results", type=Path, default=Path("results/agreement"), metavar="DIR")
    args = parser.parse_args(argv)
    os.environ.update(MEASURING_ENVIRONMENT)
    runs = args.results / time.strftime("%Y%m%dT%H%M%S")
    engines: dict[str, list[Medians]] = {SWEEP: [], "asv": [], "pytest-benchmark": []}
    for number in range(args.repeats):
        engines[SWEEP].append(by_sweep(runs / f"sweep-{number}"))
        engines["asv"].append(by_asv())
        engines["pytest-benchmark"].append(by_pytest_benchmark(runs / f"pytest-{number}"))
    cases = agreement_cases()
    turns: dict[str, float] = {}
    for block in blocks(cases, set(cases), SEED):
        turns |= run_isolated(turns_over_alone, block.cases, device="cpu", preload=PROBE_MODULE, timeout=TIMEOUT).fields
    lines, largest = table(engines, turns, cases)
    print(*lines, sep="\n")
    if math.isnan(largest):
        print("an engine has no number for a case")
        return 2
    word = "agree" if largest <= TOLERANCE else "do not agree"
    print(f"the engines {word} within {TOLERANCE:.0%}: largest difference {largest:.1%}; {args.repeats} runs of each")
    return 0 if largest <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
