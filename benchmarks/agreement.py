"""Whether the three engines agree on the same twelve cases: ``nox -s agreement``.

The sweep, asv and pytest-benchmark are run several times, in turns, and what an engine says of a case is the median of
its medians: between one minute of a shared machine and the next there is more than between two engines.
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

from benchmarks.cases import Case
from benchmarks.gates import read_asv, read_pytest_benchmark
from benchmarks.measure.clock import Sampling
from benchmarks.measure.environment import MEASURING_ENVIRONMENT
from benchmarks.records import RecordStore
from benchmarks.side_by_side import columns
from benchmarks.suite import LAYER_DIRECTIONS, asv_name, pytest_name
from benchmarks.sweep import Engine, sweep

# On axes of ``suite.LAYERS``.
GRID = {"variant": ("lifting", "full", "separable"), "resolution": (4, 8)}
CHANNELS = BATCH_SIZE = 16
TOLERANCE = 0.05
SAMPLING = Sampling(rounds=5, seconds=1.0)
ASV_RESULTS = Path(".asv/results")

# Medians in seconds by case id, one mapping for each run of an engine.
Medians = Mapping[str, float]


def agreement_cases() -> list[Case]:
    """Twelve layers that all three engines measure, one thread each."""
    return [
        Case(variant=variant, resolution=resolution, channels=CHANNELS, batch_size=BATCH_SIZE, direction=direction)
        for variant, resolution, direction in itertools.product(*GRID.values(), LAYER_DIRECTIONS)
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
    tests = [f"benchmarks/test_bench_layers.py::test_pass[{pytest_name(case)}]" for case in agreement_cases()]
    options = ("--benchmark-enable", "--benchmark-only", "--benchmark-autosave", f"--benchmark-storage={directory}")
    _run(sys.executable, "-m", "pytest", *tests, *options)
    (path,) = directory.glob("*/*.json")
    results = read_pytest_benchmark(path).values()  # a version ends with the id of its case
    return {result.version.split()[-1]: result.value for result in results if result.measured and result.value}


def _run(*command: str) -> None:
    """Run an engine in this environment; what it could not measure is missing from its results, and is said then."""
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


def median_of_runs(runs: Iterable[Medians], case: Case) -> float:
    """Of one engine's runs; nan where none has the case."""
    values = [run[case.id] for run in runs if case.id in run]
    return statistics.median(values) if values else math.nan


def table(engines: Mapping[str, Sequence[Medians]], cases: Sequence[Case]) -> tuple[list[str], float]:
    """Lines with a median for each engine and the largest difference, and the largest of all (nan if one is missing).

    A difference is that of the largest to the smallest median of a case, as a part of the smallest.
    """
    rows, differences = [("", *(f"{name}, ms" for name in engines), "largest difference")], []
    for case in cases:
        medians = [median_of_runs(runs, case) for runs in engines.values()]
        differences.append(math.nan if any(map(math.isnan, medians)) else max(medians) / min(medians) - 1)
        rows.append((case.label, *(f"{1e3 * median:.3f}" for median in medians), f"{differences[-1]:.1%}"))
    missing = any(map(math.isnan, differences))
    return columns(rows), math.nan if missing else max(differences)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the table; 0 if all medians agree within the tolerance, 1 if not, 2 if one is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="runs of each engine (default: 3)")
    parser.add_argument("--results", type=Path, default=Path("results/agreement"), metavar="DIR")
    args = parser.parse_args(argv)
    os.environ.update(MEASURING_ENVIRONMENT)
    runs = args.results / time.strftime("%Y%m%dT%H%M%S")
    engines: dict[str, list[Medians]] = {"sweep": [], "asv": [], "pytest-benchmark": []}
    for number in range(args.repeats):
        engines["sweep"].append(by_sweep(runs / f"sweep-{number}"))
        engines["asv"].append(by_asv())
        engines["pytest-benchmark"].append(by_pytest_benchmark(runs / f"pytest-{number}"))
    lines, largest = table(engines, agreement_cases())
    print(*lines, sep="\n")
    if math.isnan(largest):
        print("an engine has no number for a case")
        return 2
    word = "agree" if largest <= TOLERANCE else "do not agree"
    print(f"the engines {word} within {TOLERANCE:.0%}: largest difference {largest:.1%}; {args.repeats} runs of each")
    return 0 if largest <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
