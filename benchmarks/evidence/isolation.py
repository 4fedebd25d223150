"""``python -m benchmarks.evidence.isolation``: times of layers next to a layer that changes its process, and without.

Blocks of a sweep are measured in turns, one with the culprit and one without it, each in fresh processes. The probe,
which would find most culprits before others are timed, looks at nothing here: so they are found while they take turns
with the others. The noise floor comes from successive blocks without a culprit.
"""

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.answers.text_tables import left_columns
from benchmarks.cases.blocks import Block
from benchmarks.cases.case import Case
from benchmarks.evidence.interfering_layers import WAYS
from benchmarks.measure.sampling import Sampling
from benchmarks.records.provenance import hardware
from benchmarks.records.record import Record
from benchmarks.running.environment import set_measuring_environment
from benchmarks.running.isolated import Report
from benchmarks.running.progress import Progress
from benchmarks.statistics.comparison import INTERVAL, Comparison, compare_rounds, minimum_detectable_effect
from benchmarks.sweep.block import measure_block
from benchmarks.sweep.engine import Engine, Known

SHAPE: dict[str, Any] = {"resolution": 4, "batch_size": 2, "threads": 1, "direction": "forward_backward"}
OTHERS = tuple(Case(**SHAPE, variant=variant) for variant in ("separable", "full"))
# The characters of a culprit's message that the table shows.
SHOWN = 100


@dataclass
class Trial:
    """Rounds of the others by variant, next to a culprit and without it, and what the culprit's row says."""

    without: dict[str, list[list[float]]] = field(default_factory=lambda: {case.variant: [] for case in OTHERS})
    beside: dict[str, list[list[float]]] = field(default_factory=lambda: {case.variant: [] for case in OTHERS})
    said: str = ""


def look_at_nothing(task: object, report: Report) -> dict[str, Any]:
    """Stand in for the probe, and for the measurement of the machine's ceilings."""
    return {}


def culprit(way: str) -> Case:
    """Return the case of a layer in ``interfering_layers``."""
    return Case(**SHAPE, variant="custom", implementation=f"benchmarks.evidence.interfering_layers:{way}")


def run_trial(way: str, rounds: int, seconds: float) -> Trial:
    """Measure one block more without the culprit than with it, in turns; each has one round."""
    engine = Engine(Sampling(rounds=1, seconds=seconds), probe=look_at_nothing, ceilings=look_at_nothing)
    trial = Trial()
    for number in range(2 * rounds + 1):
        cases = OTHERS if number % 2 == 0 else (*OTHERS, culprit(way))
        with Progress(total=len(cases), disable=True) as progress:
            records = measure_block(Block(cases, OTHERS[0], seed=number), engine, Known(), progress)
        _add(trial.without if number % 2 == 0 else trial.beside, records)
        trial.said = trial.said or _row_of(records, way)
    return trial


def _add(kept: Mapping[str, list[list[float]]], records: Sequence[Record]) -> None:
    for record in records:
        if record["kind"] == "cost" and record["case"]["variant"] in kept:
            if record["status"] != "ok":
                raise RuntimeError(f"{record['case']['variant']} {record['status']}: {record['message']}")
            kept[record["case"]["variant"]] += record["seconds"]["rounds"]


def _row_of(records: Sequence[Record], way: str) -> str:
    found = [record for record in records if record["id"] == culprit(way).id]
    return f"{found[0]['status']}: {found[0]['message']}" if found else ""


def noise_floor(trials: Sequence[Trial]) -> float:
    """Return the change that successive blocks without a culprit hardly ever show, as a fraction."""
    twins = [(rounds[:-1], rounds[1:]) for trial in trials for rounds in trial.without.values()]
    return minimum_detectable_effect(twins, comparisons=len(twins))


def compared(trial: Trial, floor: float) -> list[Comparison]:
    """Compare the others next to the culprit with the others without it, before it."""
    return [compare_rounds(trial.without[case.variant][:-1], trial.beside[case.variant], floor) for case in OTHERS]


def table(trials: Mapping[str, Trial], floor: float) -> list[str]:
    """Write a line for each culprit: the ratios of the others' times, and what the row of the culprit says."""
    names = (f"{case.variant}, ratio [{INTERVAL}]" for case in OTHERS)
    rows: list[tuple[str, ...]] = [("culprit", *names, "row of the culprit")]
    for way, trial in trials.items():
        cells = (f"{c.ratio:.3f} [{c.low:.3f}, {c.high:.3f}] {c.word}" for c in compared(trial, floor))
        said = trial.said if len(trial.said) <= SHOWN else f"{trial.said[:SHOWN]}…"
        rows.append((way, *cells, said))
    return left_columns(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the table; return 1 if a culprit has no row of its own, or others became slower or faster."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence.isolation", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds with a culprit (default: 5)")
    parser.add_argument("--seconds", type=float, default=0.1, help="of timed passes in a round (default: 0.1)")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), metavar="NAME", help=f"of {', '.join(WAYS)}")
    args = parser.parse_args(argv)
    if unknown := [way for way in args.ways if way not in WAYS]:
        raise ValueError(f"unknown way {unknown[0]!r}; allowed: {', '.join(WAYS)}")
    set_measuring_environment()
    begun = time.monotonic()
    trials = {
        way: run_trial(way, args.rounds, args.seconds) for way in Progress(args.ways, unit="culprit", desc="isolation")
    }
    floor = noise_floor(list(trials.values()))
    minutes, load = (time.monotonic() - begun) / 60, os.getloadavg()[0]
    print(f"{hardware()['cpu']}, {hardware()['cores']} cores, load {load:.1f}; {OTHERS[0].label} and full")
    print(f"{args.rounds} rounds of {args.seconds:g} s each, with and without; {minutes:.1f} minutes")
    print(f"noise floor {floor:.2%}: blocks without a culprit rarely differ by more")
    print(*table(trials, floor), sep="\n")
    moved = sum(one.word in ("slower", "faster") for trial in trials.values() for one in compared(trial, floor))
    silent = [way for way, trial in trials.items() if not trial.said.startswith("interfered: changed ")]
    print(f"others that became slower or faster: {moved} of {len(OTHERS) * len(trials)}; without a row: {silent or 0}")
    return 1 if moved or silent else 0


if __name__ == "__main__":
    raise SystemExit(main())
