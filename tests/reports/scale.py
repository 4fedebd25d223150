"""Measure time, memory and page size of reports of made-up records: ``nox -s report-scale -- --records 10000``.

The records are as large as those of a sweep. This is no test: a timing needs a machine that does nothing else.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

from browser import CHROMIUM, open_page
from conftest import Record, cost_record, failed_record, noisy, training_record, twin_record

from benchmarks.cases.profiles import expand, profile_cases

ROUNDS, SAMPLES = 7, 40
# The percentages of cases that are skipped, that are noisy, and that are measured twice.
FAILED, NOISY, TWINS = 1, 30, 15
SEEDS, EPOCHS = 5, 30
BASIC = ("plain", "lifting", "full", "separable")


def made_up(number: int) -> Iterator[Record]:
    """Yield `number` records: cases of profiles and of a larger grid, some skipped or with twins; 2 % training runs."""
    rng = random.Random(0)
    runs = [
        {
            **training_record(variant, resolution, seed, 0.9, EPOCHS),
            "id": f"run-{dataset}-{variant}-{resolution}-{seed}",
        }
        for dataset in range(max(1, number // 50 // (3 * 3 * SEEDS)))
        for variant in ("plain", "full", "separable")
        for resolution in ((1,) if variant == "plain" else (2, 4, 8))
        for seed in range(SEEDS)
    ][: max(1, number // 50)]
    left = number - len(runs)
    for case in cases():
        if left <= 0:
            break
        record = sampled(cost_record(**case), rng)
        lot = rng.randrange(100)
        if lot < FAILED:
            record = failed_record(f"needs about {rng.random():.3f} GiB", "skipped", **case)
        elif lot < FAILED + NOISY:
            record = noisy(record)
        yield record
        left -= 1
        if lot >= 100 - TWINS and left > 0:
            yield twin_record(record, *(rng.gauss(1, 0.01) for _ in range(ROUNDS)))
            left -= 1
    yield from runs


def cases() -> Iterator[dict[str, object]]:
    """Yield the cases of the profiles as fields of records, then a larger grid of the same axes."""
    seen = set()
    grid = {"layer": ("conv",), "variant": BASIC, "direction": ("forward", "forward_backward")}
    axes = {"resolution": (2, 4, 8, 16, 32), "channels": (8, 16, 32, 64, 128), "batch_size": (1, 4, 16, 64, 256)}
    larger = {**grid, **axes, "image_size": (14, 28, 56, 112), "kernel_size": (3, 5, 7, 9)}
    for case in [*profile_cases("standard"), *profile_cases("full"), *expand(larger)]:
        if case not in seen:
            seen.add(case)
            yield case.fields()


def sampled(record: Record, rng: random.Random) -> Record:
    """Return the record with as many raw samples as a real record has."""
    median = record["seconds"]["median"]
    rounds = [[median * rng.lognormvariate(0, 0.05) for _ in range(SAMPLES)] for _ in range(ROUNDS)]
    found = {"rounds": rounds, "median": statistics.median(chain(*rounds)), "n": ROUNDS * SAMPLES}
    return {**record, "seconds": {**record["seconds"], **found}}


def write(directory: Path, number: int) -> int:
    """Write a results directory, and return the number of its records."""
    directory.mkdir(parents=True, exist_ok=True)
    count = 0
    with (directory / "records.jsonl").open("w") as file:
        for record in made_up(number):
            file.write(json.dumps(record) + "\n")
            count += 1
    return count


def rendered(results: Path, page: Path) -> tuple[float, float]:
    """Return seconds and MiB at the peak (``ru_maxrss``) of a process that makes the page."""
    command = [sys.executable, "-m", "reports", "render", "--results", str(results), "--output", str(page)]
    command += ["--asv", os.devnull, "--pytest-benchmark", os.devnull]
    begun = time.perf_counter()
    process = os.spawnv(os.P_NOWAIT, sys.executable, command)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"the report ended with status {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="nox -s report-scale --", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--records", type=int, nargs="+", default=[400, 10_000], help="number of records (default: 400 10000)"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep results and pages in DIR")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = arguments.keep or Path(temporary)
        for number in arguments.records:
            results, page = place / f"results-{number}", place / f"report-{number}.html"
            count = write(results, number)
            raw = (results / "records.jsonl").stat().st_size / 2**20
            seconds, peak = rendered(results, page)
            size = page.stat().st_size / 2**20
            print(f"{count} records ({raw:.0f} MiB): {seconds:.1f} s, peak {peak:.0f} MiB, page {size:.2f} MiB", end="")
            print(f", {interactive(page)}")


def interactive(page: Path) -> str:
    """Return in words how long Chromium takes until the page answers."""
    if CHROMIUM is None:
        return "not opened: no Chromium is installed"
    with open_page(page) as browser:
        milliseconds = browser.interactive()
    return f"interactive after {milliseconds / 1000:.2f} s in headless Chromium"


if __name__ == "__main__":
    main()
