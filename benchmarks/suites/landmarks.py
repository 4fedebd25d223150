"""``python -m benchmarks.suites.landmarks --machine NAME``: the history of landmark commits, measured by asv.

``landmarks.txt`` lists the commits. All of them are measured with the benchmarks of this checkout, in several rounds,
each in an order of its own, so that a mood of the machine never lies on neighbours. Nothing is installed: asv runs this
Python with the ``gcnn_impl`` of a commit on its path. The results are files of asv, one for each commit and round, in
``round-1/NAME``, ``round-2/NAME``, …; what is there is not measured again. Names of hosts and paths are left
out, and so are points that were not measured.
"""

import argparse
import itertools
import json
import math
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.records.durable import write_whole
from benchmarks.records.provenance import ROOT
from benchmarks.running.environment import MEASURING_ENVIRONMENT
from benchmarks.running.workplace import workplace
from benchmarks.statistics.verdicts import NOT_COMPARED, STATUS

FILE = Path(__file__).with_name("landmarks.txt")
RESULTS = Path("reports/history")
ROUNDS = 3
# Layers at |H| = 8 with 16 channels, networks, and controls of the same and of greater length: patterns of ``asv -b``.
PATTERNS = (
    r"time_pass\('cpu', '(full|separable)', 8, 16, (1|16)\)",
    r"time_pass\('cpu', 'lifting', 8, 16, 16\)",
    r"time_pass\('cpu', 'plain', 4, (8|16|128), 16\)",
    r"time_step\('cpu', '(full|separable)', 8\)",
)
# Each round is short: rounds in turns say more about the machine than samples of one process.
SETTINGS = ("rounds=1", "repeat=(3, 10, 1.0)", "warmup_time=0.1")
MODULES = ("bench_layers", "bench_training")
ENVIRONMENT = {**MEASURING_ENVIRONMENT, "OMP_NUM_THREADS": "1"}
DIGITS = 4
# Columns of asv that nothing here reads, and that asv does without.
LEFT_OUT = ("stats_ci_99_a", "stats_ci_99_b", "samples", "profile")


@dataclass(frozen=True)
class Landmark:
    """A commit, by its full hash, and what it changed."""

    commit: str
    reason: str


def read_landmarks(path: Path = FILE) -> list[Landmark]:
    """Return the landmarks of a file: lines with a hash and a reason; raise ``ValueError`` for another line."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        commit, _, reason = line.partition(" ")
        if not re.fullmatch("[0-9a-f]{40}", commit) or not reason.strip():
            raise ValueError(
                f"{path}, line {number}: {line!r:.60} is not allowed; allowed: 40 digits of a hash and a reason"
            )
        found.append(Landmark(commit, reason.strip()))
    return found


def order_of_round(count: int, number: int) -> list[int]:
    """Return the order in which a round measures so many commits; each round has another one."""
    return random.Random(number).sample(range(count), count)


def measure(landmark: Landmark, folder: Path, machine: str) -> None:
    """Measure a commit and write asv's file into the folder.

    Raises:
        RuntimeError: when asv ends without a result; the message has asv's last line.
    """
    with workplace(landmark.commit) as place:
        suite = place / "landmarks/suites"  # asv imports every module of its folder, so it has these modules alone
        suite.mkdir(parents=True)
        (place / "landmarks/__init__.py").touch()
        (suite / "__init__.py").touch()
        for name in MODULES:
            (suite / f"{name}.py").symlink_to(ROOT / f"benchmarks/suites/{name}.py")
        settings = {
            "version": 1,
            "project": "gcnn_impl",
            "repo": str(ROOT),
            "branches": ["HEAD"],
            "environment_type": "existing",
            "benchmark_dir": str(place / "landmarks"),
            "results_dir": str(place / "results"),
            "html_dir": str(place / "html"),
        }
        (place / "asv.json").write_text(json.dumps(settings))
        chosen = [option for pattern in PATTERNS for option in ("-b", pattern)]
        chosen += [option for setting in SETTINGS for option in ("-a", setting)]
        what = ("--set-commit-hash", landmark.commit, "--launch-method", "forkserver", *chosen)
        command = (
            sys.executable,
            "-m",
            "asv",
            "--config",
            str(place / "asv.json"),
            "run",
            "-E",
            "existing:same",
            *what,
        )
        # asv removes PYTHONPATH, and puts ASV_PYTHONPATH in its place.
        environment = {**os.environ, **ENVIRONMENT, "ASV_PYTHONPATH": str(place)}
        done = subprocess.run(command, env=environment, cwd=place, capture_output=True, encoding="utf-8", check=False)
        written = [path for path in place.glob("results/*/*.json") if path.name != "machine.json"]
        contents = [json.loads(path.read_text()) for path in written]
        if not any(contents) or not contents[0]["results"]:
            last = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["it said nothing"]
            raise RuntimeError(f"asv measured nothing at {landmark.commit[:8]}: {last[0].strip()}")
        tidied = tidy(contents[0], machine)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "machine.json", json.dumps(machine_of(tidied)).encode())
        write_whole(folder / file_name(landmark, tidied), json.dumps(tidied, separators=(",", ":")).encode())


def file_name(landmark: Landmark, content: Mapping[str, Any]) -> str:
    """Return the name that asv gives to the file of a commit in an environment."""
    return f"{landmark.commit[:8]}-{content['env_name']}.json"


def machine_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return asv's ``machine.json``."""
    return {**{name: value for name, value in content["params"].items() if name != "python"}, "version": 1}


def tidy(content: Mapping[str, Any], machine: str) -> dict[str, Any]:
    """Return a result of asv without paths, names of hosts and points that were not measured, in four digits."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    named = {name: dict(zip(content["result_columns"], row, strict=False)) for name, row in content["results"].items()}
    results = {name: _measured_points(row) for name, row in named.items()}
    columns = [column for column in content["result_columns"] if column not in LEFT_OUT]
    params = {name: content["params"][name] for name in ("arch", "cpu", "num_cpu", "ram")}
    return {
        **content,
        "env_name": f"existing-py{python}",
        "params": {**params, "machine": machine, "os": "Linux", "python": python},
        "python": python,
        "result_columns": columns,
        "results": {name: [row.get(column) for column in columns] for name, row in results.items()},
        "durations": {},
    }


def _measured_points(row: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of each parameter the values at which anything was measured or failed."""
    points = list(itertools.product(*row["params"]))
    measured = [point for point, value in zip(points, row["result"], strict=True) if not _skipped(value)]
    axes = [
        [value for value in axis if any(point[n] == value for point in measured)]
        for n, axis in enumerate(row["params"])
    ]
    kept = [n for n, point in enumerate(points) if all(value in axis for value, axis in zip(point, axes, strict=True))]
    lists = {
        name: [_rounded(values[n]) for n in kept]
        for name, values in row.items()
        if isinstance(values, list) and name not in ("params", *LEFT_OUT)
    }
    return {**row, **lists, "params": axes}


def _skipped(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _rounded(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) and math.isfinite(value) else value


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what is not there yet; return 0, or 2 if a commit cannot be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suites.landmarks", description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS, help="the folder of the results (default: %(default)s)")
    parser.add_argument("--machine", required=True, help="a name for this machine, such as amd-epyc-2-cores")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measurements of each commit (default: %(default)s)")
    parser.add_argument("--only", nargs="+", default=[], metavar="HASH", help="only these landmarks")
    args = parser.parse_args(argv)
    try:
        landmarks = [one for one in read_landmarks() if not args.only or one.commit.startswith(tuple(args.only))]
        if not landmarks:
            raise ValueError(f"no landmark is {' or '.join(args.only)}; allowed: the commits in {FILE}")
        if not re.fullmatch(r"[\w.-]+", args.machine) or args.rounds < 1:
            raise ValueError("a machine's name has letters, digits, '-' and '.', and there is at least one round")
        subprocess.run([sys.executable, "-m", "asv", "machine", "--yes"], capture_output=True, check=True)
        failed = measure_all(landmarks, args.out, args.machine, args.rounds)
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return STATUS[NOT_COMPARED]
    return STATUS[NOT_COMPARED] if failed else 0


def measure_all(landmarks: Sequence[Landmark], out: Path, machine: str, rounds: int) -> int:
    """Measure each landmark in each round, print a line for each, and return how many could not be measured."""
    failed = 0
    for number in range(1, rounds + 1):
        folder = out / f"round-{number}" / machine
        for place, index in enumerate(order_of_round(len(landmarks), number), 1):
            landmark = landmarks[index]
            if any(folder.glob(f"{landmark.commit[:8]}-*.json")):
                continue
            begun = time.monotonic()
            try:
                measure(landmark, folder, machine)
            except RuntimeError as error:  # the other commits are measured all the same
                failed += 1
                print(f"error: {error}", file=sys.stderr, flush=True)
                continue
            seconds = time.monotonic() - begun
            what = f"round {number} of {rounds}, {place} of {len(landmarks)}"
            print(f"{what}: {landmark.commit[:8]}, {seconds:.0f} s, {landmark.reason}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
