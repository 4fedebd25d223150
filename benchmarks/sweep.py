"""Cases → records: block by block, in fresh processes, resumable, failures kept as rows."""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from tqdm import tqdm

from benchmarks.blocks import Block, Probe, Round, blocks
from benchmarks.cases import Case, InvalidCase, available_cores, short_hash
from benchmarks.isolation import Outcome, Report, run_isolated
from benchmarks.measure.clock import Sampling
from benchmarks.measure.environment import (
    gpu_name,
    hardware,
    moment,
    provenance,
    set_measuring_environment,
    software,
)
from benchmarks.measure.noise import verdict
from benchmarks.measure.statistics import summarise_rounds
from benchmarks.records import FAILURES, SCHEMA, Record, RecordStore, machine_of
from benchmarks.rounds import PRELOAD, round_task, take_round

SEED = 0
# The measured fields of a record whose case has no result.
NOTHING_MEASURED: dict[str, Any] = {
    "seconds": None,
    "noise": None,
    "memory": None,
    "parameters": None,
    "macs": None,
    "stages": None,
    "roofline": None,
    "energy": None,
    "compile_seconds": None,
    "device_seconds": None,
    "equivariance_error": None,
}
# What does not change how many multiply–accumulates a module has.
FREE_OF_MACS = ("direction", "kernels", "execution", "device", "dtype", "threads")


@dataclass(frozen=True)
class Summary:
    """What a sweep did with its cases: ``measured`` + ``failed`` + ``skipped`` + ``already_there`` are all of them.

    What was there and is measured again, beside a new contender, counts as measured.

    Args:
        seconds: the sweep took.
        timed_seconds: of these, inside of timed passes.
    """

    measured: int
    failed: int
    already_there: int
    skipped: int = 0
    seconds: float = field(default=0.0, compare=False)
    timed_seconds: float = field(default=0.0, compare=False)

    @property
    def timed_share(self) -> float:
        """Part of the time that was spent inside of timed passes."""
        return self.timed_seconds / self.seconds if self.seconds else 0.0


class Interrupted(Exception):  # noqa: N818
    """Ctrl-C; the message says what is kept."""


class Job(Protocol):
    """What a case and a training run share."""

    @property
    def id(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def threads(self) -> int: ...


J = TypeVar("J", bound=Job)


@contextlib.contextmanager
def outstanding(jobs: Sequence[J], store: RecordStore, *, retry_failed: bool) -> Iterator[list[J]]:
    """The jobs that the store lacks, after everything that must hold before one of them runs.

    While this lasts, nobody else measures for the store.

    Raises:
        InvalidCase: when a job needs a device or more cores than there are.
        OSError: when the results cannot be written, or somebody else is measuring.
    """
    check_machine(jobs)
    with store.measuring(), tempfile.TemporaryDirectory(prefix="gcnn-compiled-") as compiled:
        there = there_already(jobs, store, retry_failed=retry_failed)
        store.warn_of_other_commits(there, software()["commit"])
        # Before the process server imports torch. What is compiled is compiled here for the first time.
        set_measuring_environment()
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", compiled)
        # Nor by a pool of processes: it starts beside what is timed, and is left behind by what is killed.
        os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
        yield [job for job in jobs if job.id not in there]


def there_already(jobs: Sequence[Job], store: RecordStore, *, retry_failed: bool) -> set[str]:
    """The ids of the jobs that need no measuring on this machine."""
    done = store.completed(retry_failed=retry_failed)
    return {job.id for job in jobs if (_machine(job), job.id) in done}


def check_machine(jobs: Sequence[Job]) -> None:
    """Raise ``InvalidCase`` when a job needs a device or more cores than there are."""
    if any(job.device == "cuda" for job in jobs) and gpu_name() is None:
        raise InvalidCase("device 'cuda' is not there; allowed on this machine: cpu")
    threads, cores = max((job.threads for job in jobs), default=1), available_cores()
    if threads > cores:
        raise InvalidCase(f"threads {threads} are more than there are cores; allowed on this machine: 1 to {cores}")


def _machine(job: Job) -> tuple[str, str, str]:
    gpu = gpu_name() if job.device == "cuda" else None
    return machine_of({"provenance": {**hardware(), "gpu": gpu}})


def probe_task(task: Probe, report: Report) -> dict[str, Any]:
    """``benchmarks.measurement.probe``, imported where it runs: the sweep itself does without torch."""
    from benchmarks.measurement import probe

    return probe(task, report)


def ceilings_task(task: tuple[str, int, str], report: Report) -> dict[str, Any]:
    """``benchmarks.measure.roofline.ceilings`` of a device, threads and dtype, imported where it runs."""
    from benchmarks.measure.roofline import ceilings

    return dict(ceilings(*task))


@dataclass(frozen=True)
class Engine:
    """How cases are measured.

    Args:
        sampling: how often each pass is repeated.
        timeout: seconds without a sign of life after which a contender is given up.
        probe, measure_round, ceilings: what runs in the processes, importable by name there.
    """

    sampling: Sampling
    timeout: float = 600.0
    probe: Callable[[Probe, Report], dict[str, Any]] = probe_task
    measure_round: Callable[[Round, Report], dict[str, Any]] = round_task
    ceilings: Callable[[tuple[str, int, str], Report], dict[str, Any]] = ceilings_task


@dataclass
class Known:
    """What one sweep finds out once: MACs by ``macs_key``, and the machine's ceilings by device, threads and dtype."""

    macs: dict[str, Any] = field(default_factory=dict)
    ceilings: dict[tuple[str, int, str], dict[str, Any]] = field(default_factory=dict)


def sweep(
    cases: Sequence[Case], store: RecordStore, engine: Engine, *, retry_failed: bool = False, seed: int = SEED
) -> Summary:
    """Measure the cases that the store lacks; every one becomes a record, whatever happens to it.

    Args:
        cases: what to measure.
        store: where the records go, those of a block at a time.
        engine: how.
        retry_failed: measure again what failed or was skipped before.
        seed: of the order, and of who gets a twin.

    Raises:
        InvalidCase: when a case needs a device or more cores than there are.
        OSError: when the results cannot be written, or somebody else is measuring.
        Interrupted: on Ctrl-C; everything but the block in progress is in the store.
    """
    begun = time.monotonic()
    counts = dict.fromkeys(("measured", "failed", "skipped"), 0)
    timed = 0.0
    with outstanding(cases, store, retry_failed=retry_failed) as missing:
        plan = blocks(cases, set(missing), seed)
        total = sum(len(block.cases) for block in plan)
        known = Known()
        with tqdm(total=total, unit="case", unit_scale=True, desc="sweep", dynamic_ncols=True, smoothing=0) as progress:
            try:
                for block in plan:
                    finished = sum(counts.values()) + len(block.cases)
                    for record in measure_block(block, engine, known, progress):
                        store.append(record)
                        timed += sum(map(sum, (record["seconds"] or {}).get("rounds", ())))
                        if record["kind"] == "cost":
                            kind = "failed" if record["status"] in FAILURES else "skipped"
                            counts["measured" if record["status"] == "ok" else kind] += 1
                            _tell(record, progress)
                    progress.update(finished - progress.n)
            except KeyboardInterrupt:
                kept = sum(counts.values())
                raise Interrupted(
                    f"{kept} new records kept, {total - kept} cases left; the same command goes on from here"
                ) from None
    return Summary(**counts, already_there=len(cases) - total, seconds=time.monotonic() - begun, timed_seconds=timed)


def _tell(record: Record, progress: "tqdm[Any]") -> None:
    if record["status"] != "ok":
        label = Case(**record["case"]).label
        progress.write(f"{label}: {record['status']}: {record['message']}", file=sys.stderr)


@dataclass
class _Contender:
    """What is known of an entry of a block so far; ``failure`` ends it."""

    case: Case
    fields: dict[str, Any] = field(default_factory=dict)
    rounds: list[list[float]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    failure: Outcome | None = None


def measure_block(block: Block, engine: Engine, known: Known, progress: "tqdm[Any]") -> list[Record]:
    """The records of a block, one for each contender and one for the twin.

    Args:
        block: who is measured.
        engine: how.
        known: from blocks before; what is found out here is added.
        progress: moves by one for every contender.
    """
    before = moment()
    step = 1 / (engine.sampling.rounds + 1)
    contenders = {number: _Contender(case) for number, case in enumerate((*block.cases, block.twin))}
    for number, contender in contenders.items():
        if number == block.twin_entry:
            contender.failure = contenders[block.cases.index(block.twin)].failure
            continue
        progress.set_postfix_str(contender.case.label)
        _look_at(contender, engine, known)
        progress.update(step)
    frequencies: list[float | None] = []
    progress.set_postfix_str(f"{len(block.cases)} in turns")
    for number in range(engine.sampling.rounds):
        frequencies += _take_round(block, contenders, number, engine)
        progress.update(step * len(block.cases))
    where = provenance(device=block.device, threads=block.threads, before=before, frequencies=frequencies)
    if not contenders[block.twin_entry].rounds:
        del contenders[block.twin_entry]  # it never ran
    ceilings = _ceilings(block.cases[0], engine, known) if any(c.rounds for c in contenders.values()) else {}
    return [_record(block, number, contender, where, ceilings) for number, contender in contenders.items()]


def _ceilings(case: Case, engine: Engine, known: Known) -> dict[str, Any]:
    """What the machine reaches at best where and as the case runs; empty if it could not be found out."""
    key = case.device, case.threads, case.dtype
    if key not in known.ceilings:
        known.ceilings[key] = _run(engine.ceilings, key, case.device, engine, lambda _: None).fields
    return known.ceilings[key]


def macs_key(case: Case) -> str:
    """The same for cases with the same multiply–accumulates (an input that needs no gradient has fewer)."""
    shape = {axis: value for axis, value in case.fields().items() if axis not in FREE_OF_MACS}
    return short_hash({**shape, "backward": case.direction != "forward"})


def _look_at(contender: _Contender, engine: Engine, known: Known) -> None:
    case = contender.case
    task = Probe(case, engine.sampling, known.macs.get(macs_key(case)))
    outcome = _run(engine.probe, task, case.device, engine, contender.fields.update)
    contender.fields.update(outcome.fields)
    if outcome.status != "ok":
        contender.failure = outcome
    if contender.fields.get("macs") is not None:
        known.macs[macs_key(case)] = contender.fields["macs"]


def _take_round(block: Block, contenders: dict[int, _Contender], number: int, engine: Engine) -> list[float | None]:
    """One more list of samples for every contender; whoever takes its process down fails, and the others go on.

    A process that broke is repeated without whoever broke it: rounds of a block stay comparable with each other.

    Returns:
        The frequencies of the clock that the process saw.
    """
    while entries := tuple((entry, case) for entry, case in block.entries() if contenders[entry].failure is None):
        taken = take_round(Round(entries, number, engine.sampling), engine.timeout, engine.measure_round)
        for entry, _ in entries:
            contender = contenders[entry]
            contender.failure = taken.failures.get(entry)
            if taken.samples[entry] and (taken.finished or contender.failure is not None):
                contender.rounds.append(taken.samples[entry])
                contender.stopped.append(taken.stopped.get(entry, "failure"))
        if taken.finished:
            return taken.frequencies
    return []


def _run(function: Any, task: Any, device: str, engine: Engine, report: Report) -> Outcome:
    return run_isolated(function, task, device=device, preload=PRELOAD, timeout=engine.timeout, report=report)


def _record(
    block: Block, number: int, contender: _Contender, where: dict[str, Any], ceilings: dict[str, Any]
) -> Record:
    case, rounds = contender.case, contender.rounds
    outcome = contender.failure or Outcome("ok", "", {})
    seconds = None
    if rounds:
        # The strictest word that is true of all rounds: all were precise, or some ran out of time, or of samples.
        stopped = next(word for word in ("failure", "budget", "samples", "precision") if word in contender.stopped)
        seconds = {"rounds": rounds, **summarise_rounds(rounds), "stopped": stopped}
    record: Record = {
        "schema": SCHEMA,
        "status": outcome.status,
        "message": outcome.message,
        "block": block.id,
        "seconds": seconds,
        "provenance": where,
    }
    if number == block.twin_entry:
        return {"kind": "twin", "id": short_hash({"twin": case.id, "block": block.id}), "case_id": case.id, **record}
    fields = dict(contender.fields)
    share, moved = fields.pop("zero_counted_time_share", None), fields.pop("moved_bytes", None)
    if fields.get("macs") is not None:
        fields["macs"] = {**fields["macs"], "zero_counted_time_share": share}
        if seconds is not None and moved and ceilings:
            fields["roofline"] = _roofline(case, fields["macs"], moved, seconds["median"], ceilings)
    noise = verdict(rounds, where) if rounds else None
    return {
        "kind": "cost",
        "id": case.id,
        "case": case.fields(),
        **NOTHING_MEASURED,
        **fields,
        **record,
        "noise": noise,
    }


def _roofline(case: Case, macs: dict[str, Any], moved: int, seconds: float, ceilings: dict[str, Any]) -> dict[str, Any]:
    from benchmarks.measure.flops import pass_macs  # late: with torch, which the sweep needs for nothing else
    from benchmarks.measure.roofline import roofline

    whole = pass_macs(macs, generated=case.kernels == "generated", backward=case.direction != "forward")
    return roofline(whole, moved, seconds, ceilings)
