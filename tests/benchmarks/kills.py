"""A program that kills sweeps and training with SIGKILL, COUNT times: ``python tests/benchmarks/kills.py COUNT``.

Half of the commands sweep and half train, one of each at a time. A command is killed, and the next one goes on in the
same folder, until one ends by itself: then the folder is checked and the next one begins. A quarter of the kills come
within five seconds after a run or a block has ended, when its result is on its way to the disk, and half of these
within a twentieth of a second; the others come at a random time of a command. In some sweeps a user's layer starts
processes that ignore signals or leave their session, or never lets go of the interpreter.

The last line counts what was lost; the exit status is 1 unless all is 0.
"""

import argparse
import fcntl
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.records.store import RecordStore
from benchmarks.training.checkpoints import DIGEST_BYTES
from tests.benchmarks.misbehaving_layers import NOTES
from tests.benchmarks.running import leaving

ROOT = Path(__file__).parents[2]
LAYERS = "tests.benchmarks.misbehaving_layers"
TRAIN = "train --variant plain separable --resolution 4 --channels 2 --seeds 1 --epochs 2 --image-size 10 --limit 600"
SWEEP = "sweep --group SO2 --resolution 4 --batch-size 1 --image-size 8 --kernel-size 3 --threads 1 --direction forward"
SWEEP += " --execution eager --dtype float32 --rounds 1 --seconds 0.01 --min-samples 2"
MANY = f"{SWEEP} --variant full separable lifting --channels 2 3 4 5"
# A user's layer of each kind takes part in one of so many folders of sweeps.
FOLDERS = 4
HOLDING = "HoldsInterpreter"
WITH_LAYER = {1: "Forks", 3: HOLDING}
AFTER_END, SHARE_AFTER_END = "after an end", 0.25
COUNTED = (
    *("records lost", "measured twice", "runs trained twice", "processes left", "folders left", "locks left"),
    "commands failed",
)
# The seconds within which processes and folders must have gone.
PATIENCE = 30.0


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


@dataclass
class Series:
    """Commands that go on one after another in the folder ``place``, until one ends by itself."""

    kind: str  # "sweep" or "train"
    place: Path
    number: int
    count: Counter[str] = field(default_factory=Counter)
    before: list[bytes] = field(default_factory=list)
    results: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in (self.place, self.temporary, self.notes):
            folder.mkdir()

    @property
    def temporary(self) -> Path:
        return self.place / "t"

    @property
    def notes(self) -> Path:
        return self.place / "n"

    @property
    def layer(self) -> str | None:
        return WITH_LAYER.get(self.number % FOLDERS) if self.kind == "sweep" else None

    def start(self) -> "subprocess.Popen[bytes]":
        command = MANY if self.kind == "sweep" else f"{TRAIN} --checkpoint-seconds {(0.05, 1000)[self.number % 2]}"
        if self.layer is not None:
            command = f"{SWEEP} --variant separable --channels 2 3 4 --no-check --layer conv {LAYERS}:{self.layer}"
        environment = {"PYTHONPATH": str(ROOT), "TMPDIR": str(self.temporary), NOTES: str(self.notes)}
        environment["PYTHONDONTWRITEBYTECODE"] = ""  # starts are most of the time
        return subprocess.Popen(
            [sys.executable, "-m", "benchmarks", *command.split(), "--results", str(self.place / "r")],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def lines(self) -> list[bytes]:
        """Return the whole lines in the file of records."""
        path = self.place / "r" / "records.jsonl"
        content = path.read_bytes() if path.exists() else b""
        return [line for line in content.splitlines(keepends=True) if line.endswith(b"\n")]

    def ended(self) -> dict[str, Any]:
        """Return the results in checkpoints, by the id of the run."""
        found = {}
        for path in (self.place / "r" / "checkpoints").glob("*.checkpoint"):
            try:
                state = torch.load(io.BytesIO(path.read_bytes()[DIGEST_BYTES:]), weights_only=True)["state"]
            except FileNotFoundError:  # the run has got its record meanwhile
                continue
            if "result" in state:
                found[path.stem] = state["result"]
        return found

    def kill(self, chance: random.Random, length: float) -> str:
        """Start a command and kill it; return when the kill came, or nothing if the command ended before."""
        lines, results = len(self.lines()), len(self.ended())
        process = self.start()
        shown = "any time"

        def has_ended() -> bool:
            return len(self.lines()) > lines or len(self.ended()) > results or process.poll() is not None

        if self.layer == HOLDING:
            wait_until(lambda: bool(leaving.numbers(self.notes)) or process.poll() is not None, 120)
            shown = "while the interpreter is held"
        elif chance.random() < SHARE_AFTER_END:
            wait_until(has_ended, 120)
            shown = AFTER_END
            time.sleep(chance.uniform(0, chance.choice((0.05, 5))))
        else:
            time.sleep(chance.uniform(0, length))
        started = family(process.pid)
        finished = process.poll() is not None
        process.kill()
        self.check(process, started)
        return "" if finished else f"{shown}: {len(self.before)} records, {len(self.results)} results in checkpoints"

    def run(self) -> None:
        """Start a command and wait until it has ended by itself."""
        process = self.start()
        process.wait()
        self.check(process, [])

    def check(self, process: "subprocess.Popen[bytes]", started: list[psutil.Process]) -> None:
        """Count what a command that has ended or was killed has lost and left."""
        status = process.wait()
        right = {0, -signal.SIGKILL} | (set() if self.layer is None else {1})  # 1: the user's layer has failed
        self.count["commands failed"] += status not in right
        self.check_leftovers(started)
        after, self.results = self.lines(), self.results | self.ended()
        self.count["records lost"] += sum(line not in after for line in self.before)
        self.before = after

    def check_leftovers(self, started: list[psutil.Process]) -> None:
        noted = leaving.numbers(self.notes)
        wait_until(lambda: not any(map(leaving.alive, noted)), PATIENCE)
        alive = {one.pid for one in psutil.wait_procs(started, timeout=PATIENCE)[1]}
        alive |= {number for number in noted if leaving.alive(number)}
        self.count["processes left"] += len(alive)
        for path in self.notes.iterdir():
            path.unlink()
        wait_until(lambda: not any(self.temporary.iterdir()), PATIENCE)
        self.count["folders left"] += len(list(self.temporary.iterdir()))
        for path in (self.place / "r").glob("*.*"):
            if path.is_file():
                with path.open("ab") as file:
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        self.count["locks left"] += 1

    def finish(self) -> None:
        """Check what is stored when a command has ended by itself."""
        records = [json.loads(line) for line in self.before]
        loaded = RecordStore(self.place / "r").load()
        wanted = {"sweep": 12 if self.layer is None else 6, "train": 2}[self.kind]
        mine = [record for record in loaded if record["kind"] != "twin"]
        statuses = ("ok",) if self.layer is None else ("ok", "interfered")  # a layer that starts processes interferes
        self.count["records lost"] += wanted - len(mine) + sum(record["status"] not in statuses for record in mine)
        again = len(records) - len({record["id"] for record in records})
        self.count["measured twice" if self.kind == "sweep" else "runs trained twice"] += again
        blocks = {(record.get("block"), record["case"]["channels"]) for record in mine if self.kind == "sweep"}
        self.count["records lost"] += max(len(blocks) - (4 if self.layer is None else 3), 0)  # its block was torn
        for identity, result in self.results.items():
            same = any(record["id"] == identity and record["epochs"] == result["epochs"] for record in records)
            self.count["runs trained twice"] += not same
        self.count["folders left"] += len([path for path in (self.place / "r").rglob("*.*") if is_left(path)])


def is_left(path: Path) -> bool:
    return path.suffix in (".part", ".checkpoint")


def family(number: int) -> list[psutil.Process]:
    try:
        return psutil.Process(number).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def lane(kind: str, kills: int, place: Path, seed: int, length: float) -> Counter[str]:
    """Kill commands of one kind, and return the counts of ``COUNTED`` and of the kills after an end."""
    chance, total = random.Random(f"{kind} {seed}"), Counter(dict.fromkeys((*COUNTED, AFTER_END), 0))
    done = number = 0
    while done < kills:
        series = Series(kind, place / f"{kind}{number}", number)
        while done < kills and (moment := series.kill(chance, length)):
            done += 1
            total[AFTER_END] += moment.startswith(AFTER_END)
            lost = {name: value for name, value in series.count.items() if value}
            print(kind, done, series.layer or "", moment, lost or "nothing lost", flush=True)
            if series.layer == HOLDING:  # the next command would be held again
                break
        else:
            series.run()  # goes on if the last command was killed, and else finds nothing to do
            series.finish()
        total.update(series.count)
        number += 1
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--length", type=float, default=8.0, help="the latest time of a kill, seconds")
    args = parser.parse_args()
    begun, total = time.monotonic(), Counter(dict.fromkeys(COUNTED, 0))
    with tempfile.TemporaryDirectory(dir="/tmp") as place, ThreadPoolExecutor(2) as pool:
        shares = {"sweep": args.count - args.count // 2, "train": args.count // 2}
        lanes = [pool.submit(lane, kind, n, Path(place), args.seed, args.length) for kind, n in shares.items()]
        for each in lanes:
            total.update(each.result())
    counts = ", ".join(f"{name} {total[name]}" for name in COUNTED)
    minutes = (time.monotonic() - begun) / 60
    print(f"{args.count} kills in {minutes:.1f} minutes, {total[AFTER_END]} of them {AFTER_END}: {counts}")
    return 1 if any(total[name] for name in COUNTED) else 0


if __name__ == "__main__":
    sys.exit(main())
