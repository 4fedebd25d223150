"""The table of ``docs/performance.md``: our layers beside other people's, on a grid of sizes, in one process.

``python -m benchmarks.grid --authors PATH`` measures what its results lack and prints the ratios of times, geometric
means over the cells [smallest, largest]; with ``--memory`` those of the peaks of memory. ``python -m benchmarks peers``
measures fewer cells with more care: in fresh processes, with intervals and a noise floor.
"""

import argparse
import dataclasses
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from benchmarks.cases import Case, available_cores
from benchmarks.measure.environment import MEASURING_ENVIRONMENT
from benchmarks.measure.memory import peak_memory
from benchmarks.peers import AUTHORS_VARIABLE, FixedWeightConv2d, why_unavailable
from benchmarks.workloads import Workload, build, configure

RESOLUTIONS, CHANNELS, BATCHES, KERNELS = (4, 8, 16), (8, 16, 32, 64), (1, 16, 64), (5, 7)
VARIANTS = ("separable", "full")
PASSES = {"forward": "inference", "forward_backward": "training pass"}
# A cell is left out where a dense convolution of its size would take longer.
LONGEST_SECONDS, MACS_PER_SECOND = 4.0, 2e11  # of two cores
CELL_SECONDS, LEAST_PASSES, MOST_PASSES = 1.5, 3, 40
# Ours takes more than another where the ratio is beyond this.
MORE = 1.1


def cells(variant: str, threads: int) -> Iterator[Case]:
    """Ours, small batches first."""
    for batch in BATCHES:
        for direction in PASSES:
            for channels in CHANNELS:
                for resolution in RESOLUTIONS:
                    for kernel_size in KERNELS:
                        yield Case(
                            variant=variant,
                            resolution=resolution,
                            channels=channels,
                            batch_size=batch,
                            image_size=28,
                            kernel_size=kernel_size,
                            direction=direction,
                            threads=threads,
                        )


def contenders(case: Case) -> dict[str, Callable[[], Workload]]:
    """Workloads by name, for as many as can be had; the torch ones have fixed weights."""

    def nchw() -> Workload:
        workload = build(dataclasses.replace(case, implementation="torch"))
        assert isinstance(workload.module, FixedWeightConv2d)
        convolutions = workload.module.convolutions.to(memory_format=torch.contiguous_format)
        return dataclasses.replace(
            workload, call=lambda x: convolutions(x.flatten(1, -3)).unflatten(1, (-1, case.resolution))
        )

    found: dict[str, Callable[[], Workload]] = {"ours": lambda: build(case)}
    for peer in ("authors", "escnn", "torch"):
        kernels = "generated" if peer == "authors" else case.kernels
        other = dataclasses.replace(case, implementation=peer, kernels=kernels)
        if why_unavailable(other) is None:
            found[peer] = lambda other=other: build(other)  # type: ignore[misc]
    return found | {"torch NCHW": nchw}


def measure_seconds(case: Case) -> dict[str, list[float]]:
    """Seconds of the passes of every contender, which alternate, each time in the other order."""
    configure(case)
    workloads = {name: make() for name, make in contenders(case).items()}
    seconds: dict[str, list[float]] = {name: [] for name in workloads}
    names, begun = list(workloads), 0.0
    for turn in range(MOST_PASSES + 1):
        for name in names[:: 1 if turn % 2 else -1]:
            workloads[name].prepare()
            start = time.perf_counter()
            workloads[name].run()
            took = time.perf_counter() - start
            workloads[name].prepare()  # its gradients are not there while others run
            if turn:  # the first one warms up
                seconds[name].append(took)
        begun = begun or time.perf_counter()
        if turn >= LEAST_PASSES and time.perf_counter() - begun > CELL_SECONDS:
            break
    return seconds


def measure_peaks(case: Case) -> dict[str, list[float]]:
    """The peak of memory of one pass of every contender, in bytes above what was allocated before it."""
    configure(case)
    peaks: dict[str, list[float]] = {}
    for name, make in contenders(case).items():
        workload = make()
        workload.prepare()
        workload.run()  # fills the kernels' cache
        peaks[name] = [int(peak_memory(workload.run, case.device, prepare=workload.prepare)["peak_bytes"])]
    return peaks


def key(case: Case) -> str:
    return f"{case.variant} {case.direction} b{case.batch_size} C{case.channels} H{case.resolution} k{case.kernel_size}"


def is_too_long(case: Case) -> bool:
    maps, passes = case.channels * case.resolution, 1 if case.direction == "forward" else 3
    macs = case.batch_size * case.image_size**2 * maps * (maps * (case.kernel_size**2 if case.variant == "full" else 1))
    return passes * macs / MACS_PER_SECOND > LONGEST_SECONDS


def tables(results: dict[str, dict[str, list[float]]], threads: int) -> list[str]:
    """Ratios of medians, others' to ours, for every variant, pass and batch."""
    lines = []
    for variant in VARIANTS:
        for direction, words in PASSES.items():
            names = sorted({name for k, r in results.items() if k.startswith(f"{variant} {direction} ") for name in r})
            for name in [n for n in names if n != "ours"] + ["best of them"] * (len(names) > 2):
                row = []
                for batch in BATCHES:
                    ratios = []
                    for case in cells(variant, threads):
                        found = results.get(key(case), {})
                        if case.batch_size == batch and case.direction == direction and "ours" in found:
                            medians = {n: statistics.median(s) for n, s in found.items()}
                            ours = medians.pop("ours")
                            if name in medians or name == "best of them":
                                ratios.append((medians.get(name) or min(medians.values())) / ours)
                    row.append(summary(ratios))
                lines.append(f"| {variant}, {words}: {name} / ours | {' | '.join(row)} |")
    return lines


def summary(ratios: Sequence[float]) -> str:
    """Geometric mean [smallest, largest], how many, and of how many ours takes more by over a tenth."""
    if not ratios:
        return "–"
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    more = sum(ratio < 1 / MORE for ratio in ratios)
    return f"{mean:.2f} [{min(ratios):.2f}, {max(ratios):.2f}] n={len(ratios)}, {more} more"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--authors", type=Path, metavar="PATH", help="your checkout of the authors' code")
    parser.add_argument("--memory", action="store_true", help="peaks of memory instead of times")
    parser.add_argument(
        "--results", type=Path, default=Path("results/grid.jsonl"), metavar="FILE", help="of times and of memory"
    )
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after so long; call again to go on")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help='cells whose name begins with it, "separable forward"'
    )
    args = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in MEASURING_ENVIRONMENT.items()):  # read at the start
        os.execve(
            sys.executable, [sys.executable, "-m", "benchmarks.grid", *sys.argv[1:]], os.environ | MEASURING_ENVIRONMENT
        )
    if args.authors:
        os.environ[AUTHORS_VARIABLE] = str(args.authors.resolve())
    measure, unit = (measure_peaks, "bytes") if args.memory else (measure_seconds, "seconds")
    args.results.parent.mkdir(parents=True, exist_ok=True)
    lines = args.results.read_text().splitlines() if args.results.exists() else []
    results = {line["cell"]: line[unit] for line in map(json.loads, lines) if unit in line}
    threads, start = available_cores(), time.monotonic()
    with args.results.open("a") as file:
        for case in (case for variant in VARIANTS for case in cells(variant, threads)):
            name = key(case)
            if name in results or not name.startswith(args.only) or is_too_long(case):
                continue
            if time.monotonic() - start > args.seconds:
                break
            results[name] = measure(case)
            file.write(json.dumps({"cell": name, unit: results[name]}) + "\n")
            file.flush()
    print("\n".join(tables(results, threads)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
