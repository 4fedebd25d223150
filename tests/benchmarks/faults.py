"""A program that causes real faults during sweeps, and prints a table of their consequences: ``nox -s faults``.

The faults happen to the command as users run it: processes are killed, the disk is full, a user's layer fails. The
tests check single parts; this program checks the whole. The exit status is 1 if the answer is NO in a row of the table.
Arguments are the names of rows, if not all are wanted.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.answers.text_tables import left_columns
from benchmarks.cases.case import OURS
from benchmarks.records.record import Record
from tests.benchmarks.misbehaving_layers import NOTES
from tests.benchmarks.running import leaving

ROOT = Path(__file__).parents[2]
LAYERS = "tests.benchmarks.misbehaving_layers"
TINY = ["--group=SO2", "--resolution=4", "--channels=2", "--batch-size=1", "--image-size=8", "--kernel-size=3"]
TINY += ["--threads=1", "--direction=forward_backward", "--execution=eager", "--dtype=float32"]
SHORT = ["--rounds=2", "--seconds=0.2", "--min-samples=2"]
# A wall clock that is an hour late at every second call.
JUMPING = "import itertools, time\n_true, _jumps = time.time, itertools.cycle((0, -3600))\n"
JUMPING += "time.time = lambda: _true() + next(_jumps)\n"


@dataclass(frozen=True)
class Outcome:
    """The consequence of a fault: ``held`` if no result was lost and the fault has a record or a line of its own."""

    held: bool
    text: str


def command(results: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks", "sweep", "--results", str(results), *TINY, *SHORT, *options]


def sweep(results: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(results, *options),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **environment},
    )


def records(results: Path) -> list[Record]:
    """Return the cost records that ``RecordStore`` accepts."""
    program = (
        "import sys; from benchmarks.records.store import RecordStore; from pathlib import Path; import json, warnings;"
    )
    program += "warnings.simplefilter('ignore'); print(json.dumps(RecordStore(Path(sys.argv[1])).load()))"
    done = subprocess.run([sys.executable, "-c", program, str(results)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the records in {results} cannot be read: {done.stderr}")
    return [record for record in json.loads(done.stdout) if record["kind"] == "cost"]


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = [
        line
        for line in re.split(r"[\r\n]+", done.stderr)
        if line.strip() and not re.match(r"\w+: [\d.]+ of [\d.]+ ", line)
    ]
    return lines[-1].strip() if lines else ""


def one_line(done: subprocess.CompletedProcess[str], pattern: str) -> Outcome:
    """Check that the command ended with status 2, no traceback, and a line that names the fault."""
    held = done.returncode == 2 and "Traceback" not in done.stderr and bool(re.search(pattern, done.stderr))
    return Outcome(held, f"status {done.returncode}: {last_line(done)}")


def row(results: Path, layer: str, *statuses: str) -> Callable[[], Outcome]:
    """Return a function that sweeps a user's layer and ours; it expects a status for the former, "ok" for ours."""

    def fault() -> Outcome:
        notes = notes_of(results)
        options = ("--layer", "conv", f"{LAYERS}:{layer}", "--variant", "separable", "--timeout", "20", "--no-check")
        done = sweep(results, *options, **{NOTES: str(notes)})
        left = [number for number in leaving.numbers(notes) if leaving.alive(number)]
        by_implementation = {record["case"]["implementation"]: record for record in records(results)}
        theirs, ours = by_implementation.get(f"{LAYERS}:{layer}"), by_implementation.get(OURS)
        held = bool(theirs and ours and theirs["status"] in statuses and ours["status"] == "ok")
        held = held and len(done.stdout + done.stderr) < 20_000 and not left
        words = f"{theirs['status']}: {theirs['message'] or 'measured'}" if theirs else "no row"
        if started := leaving.numbers(notes):
            words += f"; {len(left)} of {len(started)} processes left behind"
        return Outcome(held, f"{words}; ours next to it: {ours['status'] if ours else 'no row'}")

    return fault


def wait_for(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)


def notes_of(results: Path) -> Path:
    """Make and return the folder in which the processes of a user's layer note their numbers."""
    notes = results.with_name(f"{results.name}-notes")
    notes.mkdir(exist_ok=True)
    return notes


@contextmanager
def sweeping(results: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, NOTES: str(notes_of(results))}
    process = subprocess.Popen(command(results, *options), cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


MANY = ("--variant", "full", "separable", "lifting", "--channels", "2", "3", "4", "5")


def killed_parent(results: Path) -> Outcome:
    with sweeping(results, *MANY) as process:
        wait_for(lambda: (results / "records.jsonl").exists() and len(records(results)) >= 3)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = records(results)
    _, alive = psutil.wait_procs(children, timeout=20)
    done = sweep(results, *MANY)
    after = records(results)
    kept = all(record in after for record in before)
    ids = [record["id"] for record in after]
    held = done.returncode == 0 and kept and len(before) >= 3 and len(ids) == len(set(ids)) == 12 and not alive
    return Outcome(
        held, f"{len(before)} records kept, {len(alive)} processes left behind; the next run completes {len(ids)} of 12"
    )


def stopped_while(results: Path, layer: str, how: signal.Signals) -> Outcome:
    """Stop a sweep while a user's layer that has started other processes runs, and look for processes."""
    notes = notes_of(results)
    with sweeping(results, "--no-check", "--variant", "separable", "--layer", "conv", f"{LAYERS}:{layer}") as process:
        wait_for(lambda: len(leaving.numbers(notes)) >= 3)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(how)
        process.communicate(timeout=60)
    _, alive = psutil.wait_procs(children, timeout=20)
    left = {one.pid for one in alive} | set(filter(leaving.alive, leaving.numbers(notes)))
    held = len(leaving.numbers(notes)) >= 3 and not left
    return Outcome(held, f"{len(left)} of {len(children)} processes left behind; status {process.returncode}")


def torn_block(results: Path) -> Outcome:
    """Cut the records of the last block short, as a kill in the middle of writing them does."""
    sweep(results, *MANY)
    path = results / "records.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:-2], lines[-2][:100]]))
    sweep(results, *MANY)
    found = records(results)
    blocks = {record["case"]["channels"]: set[str]() for record in found}
    for record in found:
        blocks[record["case"]["channels"]].add(record["block"])
    added = len(path.read_bytes().splitlines()) - (len(lines) - 1)
    held = len(found) == 12 and added == 4 and all(len(each) == 1 for each in blocks.values())
    return Outcome(held, f"{len(found)} of 12, {added} lines added; all shapes are one block each: {held}")


def killed_child(results: Path) -> Outcome:
    """Kill the first process that measures, in a sweep of many cases."""
    with sweeping(results, *MANY) as process:

        def kill_one() -> bool:
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                supervisors = psutil.Process(process.pid).children()
                servers = [server for supervisor in supervisors for server in supervisor.children()]
                workers = [worker for server in servers for worker in server.children()]
                for victim in workers:
                    if os.getsid(victim.pid) == victim.pid:  # no other program that the server has started
                        victim.kill()
                        return True
            return False

        wait_for(kill_one)
        process.communicate(timeout=120)
    rows = records(results)
    killed = [record["message"] for record in rows if record["status"] == "killed"]
    held = len(rows) == 12 and len(killed) == 1
    return Outcome(held, f"killed: {'; '.join(killed)}; {len(rows) - len(killed)} others ok")


def full_disk(results: Path) -> Outcome:
    results.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(results)], capture_output=True)
    if mounted.returncode:
        return Outcome(True, "not tried: a small disk needs the right to mount one")
    try:
        done = sweep(results, *MANY)
        found = records(results)
        outcome = one_line(done, r"cannot write a record to .*: No space left on device")
        (results / "records.jsonl").chmod(0o600)
        subprocess.run(["mount", "-o", "remount,size=8m", str(results)], check=True)
        sweep(results, *MANY)
        kept = all(record in records(results) for record in found)
        held = outcome.held and kept and len(records(results)) == 12
        return Outcome(held, f"{outcome.text}; {len(found)} kept, 12 of 12 once there is room")
    finally:
        subprocess.run(["umount", str(results)], check=True)


def garbled(results: Path) -> Outcome:
    sweep(results, *MANY)
    path = results / "records.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    whole = [record["id"] for record in records(results)]
    cost = next(line for line in lines if b'"kind":"cost"' in line.replace(b" ", b""))
    lines.remove(cost)
    path.write_bytes(b"".join([lines[0], b"\xff\xfe{not json\n", *lines[1:], cost[: len(cost) // 2]]))
    left = len(records(results))
    done = sweep(results, *MANY)
    again = [record["id"] for record in records(results)]
    warned = len(set(re.findall(r"records\.jsonl:\d+", done.stderr)))
    held = done.returncode == 0 and sorted(map(str, again)) == sorted(map(str, whole)) and warned == 2 and left == 11
    return Outcome(
        held, f"{warned} lines refused with their numbers, {left} of 12 read; the next run completes {len(again)}"
    )


def two_sweeps(results: Path) -> Outcome:
    with sweeping(results, *MANY):
        wait_for(lambda: (results / "records.jsonl").exists())
        return one_line(sweep(results, *MANY), "is measuring into .*allowed: one at a time")


def jumping_clock(results: Path) -> Outcome:
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "sitecustomize.py").write_text(JUMPING)
        done = sweep(results, "--variant", "separable", PYTHONPATH=f"{place}{os.pathsep}{ROOT}")
    found = records(results)
    samples = [s for record in found for samples in record["seconds"]["rounds"] for s in samples]
    held = done.returncode == 0 and len(found) == 1 and bool(samples) and all(0 < s < 1 for s in samples)
    return Outcome(
        held, f"{found[0]['status']}: {len(samples)} times, all between {min(samples):.1g} and {max(samples):.1g} s"
    )


def missing_gpu(results: Path) -> Outcome:
    done = sweep(results, "--variant", "separable", "--device", "cuda", CUDA_VISIBLE_DEVICES="")
    return one_line(done, "device 'cuda' is not there; allowed on this machine: cpu")


def too_large(results: Path) -> Outcome:
    huge = ("--channels", "4096", "--image-size", "4096", "--batch-size", "1024")
    sweep(results, "--variant", "separable", *huge)
    found = records(results)
    held = bool(found) and all(record["status"] == "skipped" for record in found)
    return Outcome(held, f"{found[0]['status']}: {found[0]['message']}" if found else "no row")


def main() -> int:
    # A shell that starts this in the background lets it ignore Ctrl-C, and its children would ignore it, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        faults: dict[str, Callable[[], Outcome]] = {
            "kill -9 of the sweep": lambda: killed_parent(place / "parent"),
            "kill -9 of the process that measures": lambda: killed_child(place / "child"),
            "kill -9 while a layer holds the interpreter": lambda: stopped_while(
                place / "held", "HoldsInterpreter", signal.SIGKILL
            ),
            "SIGTERM while a layer holds the interpreter": lambda: stopped_while(
                place / "asked", "HoldsInterpreter", signal.SIGTERM
            ),
            "Ctrl-C while a layer holds the interpreter": lambda: stopped_while(
                place / "interrupted", "HoldsInterpreter", signal.SIGINT
            ),
            "kill -9 in the middle of a block's records": lambda: torn_block(place / "torn"),
            "full disk": lambda: full_disk(place / "disk"),
            "out of memory": row(place / "memory", "RunsOutOfMemory", "out_of_memory"),
            "predicted not to fit": lambda: too_large(place / "large"),
            "a layer that hangs": row(place / "hangs", "Hangs", "timeout"),
            "a layer that holds the interpreter": row(place / "holds", "HoldsInterpreter", "timeout"),
            "a layer that starts processes": row(place / "forks", "Forks", "interfered"),
            "a layer that starts processes and crashes": row(place / "forks-crashes", "ForksAndCrashes", "killed"),
            # Either process may answer first: the copy, or the original, which has noticed its copies.
            "a layer that forks and returns twice": row(place / "twice", "ComesBackTwice", "failed", "interfered"),
            "a layer that raises": row(place / "raises", "Raises", "failed"),
            "a layer that cannot be built": row(place / "built", "RaisesAtOnce", "failed"),
            "a layer that crashes": row(place / "crashes", "Crashes", "killed"),
            "a layer that returns nan": row(place / "nan", "GivesNan", "invalid"),
            "a layer that returns float64": row(place / "double", "GivesDouble", "invalid"),
            "a layer that sets torch's threads": row(place / "threads", "SetsThreadsOnSmallImages", "interfered"),
            "a layer that prints megabytes": row(place / "prints", "PrintsMegabytes", "ok"),
            "truncated and garbled records": lambda: garbled(place / "garbled"),
            "two sweeps on one store": lambda: two_sweeps(place / "two"),
            "a wall clock that jumps": lambda: jumping_clock(place / "clock"),
            "no GPU": lambda: missing_gpu(place / "gpu"),
        }
        chosen = {name: fault for name, fault in faults.items() if not sys.argv[1:] or name in sys.argv[1:]}
        outcomes = {}
        for name, fault in chosen.items():
            outcomes[name] = fault()
            print(f"{name}: {outcomes[name].text}", file=sys.stderr, flush=True)
    lines = [(name, "yes" if outcome.held else "NO", outcome.text) for name, outcome in outcomes.items()]
    print("\n".join(left_columns([("fault", "held", "consequence"), *lines])))
    return 0 if all(outcome.held for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
