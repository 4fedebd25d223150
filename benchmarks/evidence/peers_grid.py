"""``python -m benchmarks.evidence.peers_grid``: times and peak memory of the peers' layers, relative to ours.

The program measures a grid of sizes. For each peer it prints the geometric mean of the ratios, the smallest and the
largest; ``docs/performance.md`` shows them. ``python -m benchmarks peers`` measures fewer sizes, with intervals.
"""

import argparse
import math
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.cases.case import OURS, Case
from benchmarks.cases.cores import available_cores
from benchmarks.cases.peers import PEERS
from benchmarks.cases.profiles import Grid, expand
from benchmarks.measure.sampling import Sampling
from benchmarks.records.costs import successes
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.running.environment import use_authors
from benchmarks.sweep.engine import Engine
from benchmarks.sweep.sweep import sweep
from benchmarks.workloads.peers import why_unavailable

GRID: Grid = {
    "variant": ("separable", "full"),
    "direction": ("forward", "forward_backward"),
    "batch_size": (1, 16, 64),
    "channels": (8, 16, 32, 64),
    "resolution": (4, 8, 16),
    "kernel_size": (5, 7),
}
PASS_NAMES = {"forward": "inference", "forward_backward": "training pass"}
# A case is left out if a dense convolution of its size would take longer than LONGEST_SECONDS on two cores.
LONGEST_SECONDS, MACS_PER_SECOND = 4.0, 2e11
SAMPLING = Sampling(rounds=3, seconds=1.5)
RESULTS = Path("results/peers-grid")
# A table counts a case as "more" if our value exceeds a peer's by more than this factor.
MORE = 1.1
BEST = "best of them"
# A measured value of a record, or None if it is missing.
Measure = Callable[[Record], float | None]


def peers_cases(threads: int) -> list[Case]:
    """Return our cases of the grid, without those for which ``is_too_long``."""
    return [case for case in expand({"threads": (threads,), **GRID}) if not is_too_long(case)]


def contenders_of(ours: Case) -> list[Case]:
    """Return a case of ours, and the same case of each peer that is available here."""
    others = [replace(ours, implementation=peer) for peer in PEERS]
    return [ours, *(case for case in others if why_unavailable(case) is None)]


def is_too_long(case: Case) -> bool:
    """Return whether a dense convolution of the case's size would take longer than ``LONGEST_SECONDS``."""
    maps, passes = case.channels * case.resolution, 1 if case.direction == "forward" else 3
    macs = case.batch_size * case.image_size**2 * maps * (maps * (case.kernel_size**2 if case.variant == "full" else 1))
    return passes * macs / MACS_PER_SECOND > LONGEST_SECONDS


def tables(cases: Sequence[Case], measured: Mapping[str, Record], quantity: Measure) -> list[str]:
    """Write rows of Markdown with the ratios, peer / ours, of a quantity, by variant, pass and batch size."""
    lines = []
    for variant in GRID["variant"]:
        for direction, words in PASS_NAMES.items():
            mine = [case for case in cases if (case.variant, case.direction) == (variant, direction)]
            for name in (*PEERS, BEST):
                by_batch = [[case for case in mine if case.batch_size == batch] for batch in GRID["batch_size"]]
                row = [summary(ratios_to_ours(some, name, measured, quantity)) for some in by_batch]
                if any(cell != summary([]) for cell in row):
                    lines.append(f"| {variant}, {words}: {name} / ours | {' | '.join(row)} |")
    return lines


def ratios_to_ours(cases: Sequence[Case], name: str, measured: Mapping[str, Record], quantity: Measure) -> list[float]:
    """Return the ratios, peer / ours, of cases that have both. ``BEST`` means each case's lowest peer."""
    ratios = []
    for ours in cases:
        known = {case.implementation: measured[case.id] for case in contenders_of(ours) if case.id in measured}
        values = {peer: value for peer, record in known.items() if (value := quantity(record))}
        own = values.pop(OURS, None)
        if values:
            values[BEST] = min(values.values())
        if own and name in values:
            ratios.append(values[name] / own)
    return ratios


def summary(ratios: Sequence[float]) -> str:
    """Write the geometric mean [smallest, largest], the number of ratios, and of those below 1 / ``MORE``.

    >>> summary([2.0, 0.5])
    '1.00 [0.50, 2.00] n=2, 1 more'
    """
    if not ratios:
        return "–"
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    more = sum(ratio < 1 / MORE for ratio in ratios)
    return f"{mean:.2f} [{min(ratios):.2f}, {max(ratios):.2f}] n={len(ratios)}, {more} more"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the missing cases, and print the tables of times and of peak memory; return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence.peers_grid", description=__doc__)
    parser.add_argument("--authors", type=Path, metavar="PATH", help="your checkout of the authors' code")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help=f"(default: {RESULTS})")
    args = parser.parse_args(argv)
    use_authors(args.authors)
    cases, store = peers_cases(available_cores()), RecordStore(args.results)
    sweep([case for ours in cases for case in contenders_of(ours)], store, Engine(SAMPLING))
    measured = successes(store.load())
    print("times:", *tables(cases, measured, lambda record: record["seconds"]["median"]), sep="\n")
    print("peak memory:", *tables(cases, measured, lambda record: (record["memory"] or {}).get("peak_bytes")), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
