"""A program that kills training commands with SIGKILL and runs them again: ``python tests/benchmarks/kills.py COUNT``.

A quarter of the kills come within two seconds after a run has ended, when its result is on its way to the record; the
others come at a random time of a command. The last line counts what was lost; the exit status is 1 unless all is 0.
"""

import argparse
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.training.checkpoints import DIGEST_BYTES

ROOT = Path(__file__).parents[2]
OPTIONS = "--variant plain separable --resolution 4 --channels 2 --seeds 1 --epochs 2 --image-size 10 --limit 600"
# With this option the only checkpoint of a run is the one with its result.
ONLY_RESULTS = "--checkpoint-seconds 1000"
COUNTED = ("records lost", "runs trained twice", "processes left", "folders left", "commands failed")
# The seconds within which processes and folders must have gone.
PATIENCE = 30.0


def stored(results: Path) -> list[bytes]:
    """Return the whole lines in the file of records."""
    path = results / "records.jsonl"
    return (
        [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")] if path.exists() else []
    )


def ended(results: Path) -> dict[str, Any]:
    """Return the results in checkpoints, by the id of the run."""
    found = {}
    for path in (results / "checkpoints").glob("*.checkpoint"):
        state = torch.load(io.BytesIO(path.read_bytes()[DIGEST_BYTES:]), weights_only=True)["state"]
        if "result" in state:
            found[path.stem] = state["result"]
    return found


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def kill(place: Path, number: int, chance: random.Random, length: float) -> tuple[Counter[str], str]:
    """Kill one command and run it again; return the counts of ``COUNTED``, and when the kill came."""
    results, temporary = place / f"r{number}", place / f"t{number}"
    temporary.mkdir()
    after_an_end = number % 4 == 0
    command = [sys.executable, "-m", "benchmarks", "train", "--results", str(results), *OPTIONS.split()]
    command += ONLY_RESULTS.split() if after_an_end else ["--checkpoint-seconds", "0.05"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT}
    quiet["env"] = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    process = subprocess.Popen(command, **quiet)
    if after_an_end:
        wait_until(lambda: any((results / "checkpoints").glob("*.checkpoint")) or process.poll() is not None, 120)
        time.sleep(chance.uniform(0, 2))
    else:
        time.sleep(chance.uniform(0, length))
    try:
        children = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        children = []
    process.kill()
    process.wait()
    count: Counter[str] = Counter()
    count["processes left"] = len(psutil.wait_procs(children, timeout=PATIENCE)[1])
    wait_until(lambda: not list(temporary.iterdir()), PATIENCE)
    count["folders left"] = len(list(temporary.iterdir()))
    before, results_before = stored(results), ended(results)
    done = subprocess.run(command, **quiet)
    after = stored(results)
    records = [json.loads(line) for line in after]
    count["commands failed"] = int(done.returncode != 0)
    count["records lost"] = sum(line not in after for line in before) + 2 - len({record["id"] for record in records})
    count["records lost"] += sum(record["status"] != "ok" for record in records)
    for identity, result in results_before.items():
        count["runs trained twice"] += not any(
            record["id"] == identity and record["epochs"] == result["epochs"] for record in records
        )
    count["runs trained twice"] += len(records) - len({record["id"] for record in records})
    count["folders left"] += len(list(temporary.iterdir())) + len(list((results / "checkpoints").iterdir()))
    moment = f"{len(before)} records and {len(results_before)} results in checkpoints at the kill"
    return count, ("after an end: " if after_an_end else "any time: ") + moment


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--length", type=float, default=12.0, help="the longest time of a kill, seconds")
    args = parser.parse_args()
    chance, total = random.Random(args.seed), Counter(dict.fromkeys(COUNTED, 0))
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        for number in range(args.count):
            count, moment = kill(Path(place), number, chance, args.length)
            total.update(count)
            print(number, moment, {name: value for name, value in count.items() if value} or "nothing lost", flush=True)
    print(f"{args.count} kills: " + ", ".join(f"{name} {total[name]}" for name in COUNTED))
    return 1 if any(total.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
