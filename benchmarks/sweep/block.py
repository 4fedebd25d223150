"""A block of contenders → its records."""

from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm

from benchmarks.cases.blocks import Block
from benchmarks.cases.case import Case, short_hash
from benchmarks.records.cost_fields import COST_MEASURED
from benchmarks.records.costs import pass_macs
from benchmarks.records.field import empty
from benchmarks.records.outcome import Outcome
from benchmarks.records.provenance import moment, provenance
from benchmarks.records.record import SCHEMA, Record
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.statistics.noise import verdict
from benchmarks.statistics.roofline import roofline
from benchmarks.statistics.summary import summarise_rounds
from benchmarks.sweep.engine import Engine, Known, macs_key
from benchmarks.sweep.rounds import take_round
from benchmarks.sweep.tasks import PROBE_MODULE, Probe, Round


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
    return run_isolated(function, task, device=device, preload=PROBE_MODULE, timeout=engine.timeout, report=report)


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
            whole = pass_macs(
                fields["macs"], generated=case.kernels == "generated", backward=case.direction != "forward"
            )
            fields["roofline"] = roofline(whole, moved, seconds["median"], ceilings)
    noise = verdict(rounds, where) if rounds else None
    return {
        "kind": "cost",
        "id": case.id,
        "case": case.fields(),
        **empty(COST_MEASURED),
        **fields,
        **record,
        "noise": noise,
    }
