"""The measurement of one block: a probe of each contender, rounds in which contenders take turns, and the records."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.cases.blocks import Block
from benchmarks.cases.case import Case, short_hash
from benchmarks.records.cost_fields import COST_MEASURED
from benchmarks.records.costs import pass_macs
from benchmarks.records.field import empty
from benchmarks.records.outcome import Outcome
from benchmarks.records.provenance import moment, provenance
from benchmarks.records.record import SCHEMA, Record
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.running.outstanding import own_code_of
from benchmarks.running.progress import Progress
from benchmarks.statistics.noise import verdict
from benchmarks.statistics.roofline import roofline
from benchmarks.statistics.summary import summarise_rounds
from benchmarks.sweep.engine import Engine, Known, macs_key, runs_apart
from benchmarks.sweep.processes import PROBE_MODULE
from benchmarks.sweep.rounds import Taken, take_round
from benchmarks.sweep.tasks import Probe, Round

# Why the sampling of a round ended, the strictest reason last. A record has the laxest reason of all its rounds.
STOPPED = ("failure", "budget", "samples", "precision")


@dataclass
class _Contender:
    """The results so far of one entry of a block. An entry with a ``failure`` runs no more."""

    case: Case
    fields: dict[str, Any] = field(default_factory=dict)
    rounds: list[list[float]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    failure: Outcome | None = None
    apart: bool = False

    def fail(self, outcome: Outcome, known: Known) -> None:
        """Note a failure; a layer by others that changed its process is kept apart from now on."""
        self.failure = outcome
        if outcome.status == "interfered" and self.case.foreign:
            known.interfered.add(self.case.implementation)


def measure_block(block: Block, engine: Engine, known: Known, progress: Progress) -> list[Record]:
    """Return the records of a block: one for each contender, and one for the twin (a contender timed twice) if it ran.

    New MACs and ceilings are added to ``known``. ``progress`` advances by one for each contender.
    """
    before, code = moment(), own_code_of(block.cases)
    step = 1 / (engine.sampling.rounds + 1)
    contenders = {number: _Contender(case) for number, case in enumerate((*block.cases, block.twin))}
    twin = contenders[block.twin_entry]
    for number in range(len(block.cases)):
        progress.set_postfix_str(contenders[number].case.label)
        _probe(contenders[number], engine, known)
        _advance(progress, step)
    twin.failure = contenders[block.cases.index(block.twin)].failure
    finished: list[Taken] = []
    progress.set_postfix_str(f"{len(block.cases)} in turns")
    for number in range(engine.sampling.rounds):
        finished += _take_round(block, contenders, number, engine, known)
        _advance(progress, step * len(block.cases))
    where = provenance(
        device=block.device,
        threads=block.threads,
        before=before,
        own_code=code,
        frequencies=[frequency for taken in finished for frequency in taken.frequencies],
        gpu_states=[state for taken in finished for state in taken.gpu_states],
    )
    ceilings = _ceilings(block.cases[0], engine, known) if any(c.rounds for c in contenders.values()) else {}
    records = [_cost_record(block, contenders[number], where, ceilings) for number in range(len(block.cases))]
    if twin.rounds:
        identity = short_hash({"twin": twin.case.id, "block": block.id})
        records.append({"kind": "twin", "id": identity, "case_id": twin.case.id, **_shared_fields(block, twin, where)})
    return records


def _advance(progress: Progress, by: float) -> None:
    """Advance by a part of a case, but not beyond the total, which sums of rounded parts can exceed."""
    assert progress.total is not None
    progress.update(min(by, progress.total - progress.n))


def _ceilings(case: Case, engine: Engine, known: Known) -> dict[str, Any]:
    """Return the machine's ceilings for the case's device, threads and dtype; empty if they could not be measured."""
    key = case.device, case.threads, case.dtype
    if key not in known.ceilings:
        known.ceilings[key] = _run(engine.ceilings, key, case.device, engine, lambda _: None).fields
    return known.ceilings[key]


def _probe(contender: _Contender, engine: Engine, known: Known) -> None:
    """Examine a contender once, and keep all fields of its record except the times of whole passes."""
    case = contender.case
    wanted = tuple(name for name in engine.instruments if name != "operators" or case.id in engine.profiled)
    task = Probe(case, engine.sampling, known.macs.get(macs_key(case)), wanted)
    outcome = _run(engine.probe, task, case.device, engine, contender.fields.update)
    contender.fields.update(outcome.fields)
    if outcome.status != "ok":
        contender.fail(outcome, known)
    if contender.fields.get("macs") is not None:
        known.macs[macs_key(case)] = contender.fields["macs"]


def _take_round(
    block: Block, contenders: dict[int, _Contender], number: int, engine: Engine, known: Known
) -> list[Taken]:
    """Take a round, and add one list of samples to every contender.

    If the process dies, or a contender changes it, the contender that was running has failed. The round is then
    repeated without this contender, so that the rounds of a block stay comparable with each other.

    Returns:
        The round that ran to its end; empty if no contender is left.
    """
    while entries := tuple((entry, case) for entry, case in block.entries() if contenders[entry].failure is None):
        apart = frozenset(entry for entry, case in entries if runs_apart(case, engine, known))
        taken = take_round(Round(entries, number, engine.sampling, apart), engine.timeout)
        for entry, _ in entries:
            contender = contenders[entry]
            contender.apart = entry in apart
            if entry in taken.failures:
                contender.fail(taken.failures[entry], known)
            if taken.samples[entry] and (taken.finished or contender.failure is not None):
                contender.rounds.append(taken.samples[entry])
                contender.stopped.append(taken.stopped.get(entry, "failure"))
        if taken.finished:
            return [taken]
    return []


def _run(function: Callable[..., dict[str, Any]], task: Any, device: str, engine: Engine, report: Report) -> Outcome:
    return run_isolated(function, task, device=device, preload=PROBE_MODULE, timeout=engine.timeout, report=report)


def _shared_fields(block: Block, contender: _Contender, where: dict[str, Any]) -> Record:
    """Return the fields that the records of contenders and of twins have in common."""
    rounds, outcome = contender.rounds, contender.failure or Outcome("ok", "", {})
    seconds = None
    if rounds:
        stopped = next(word for word in STOPPED if word in contender.stopped)
        seconds = {"rounds": rounds, **summarise_rounds(rounds), "stopped": stopped}
    return {
        "schema": SCHEMA,
        "status": outcome.status,
        "message": outcome.message,
        "block": block.id,
        "seconds": seconds,
        "isolated": contender.apart if rounds else None,
        "provenance": where,
    }


def _cost_record(block: Block, contender: _Contender, where: dict[str, Any], ceilings: dict[str, Any]) -> Record:
    case, fields, shared = contender.case, dict(contender.fields), _shared_fields(block, contender, where)
    share, moved = fields.pop("zero_counted_time_share", None), fields.pop("moved_bytes", None)
    if fields.get("macs") is not None:
        backward = case.direction != "forward"
        macs = pass_macs(fields["macs"], generated=case.kernels == "generated", backward=backward)
        fields["macs"] = {**fields["macs"], "zero_counted_time_share": None if macs is None else share}
        if macs is not None and shared["seconds"] is not None and moved and ceilings:
            fields["roofline"] = roofline(macs, moved, shared["seconds"]["median"], ceilings)
    if fields.get("device_seconds") and shared["seconds"] is not None:
        fields["launch_gap"] = max(1 - fields["device_seconds"]["median"] / shared["seconds"]["median"], 0.0)
    return {
        "kind": "cost",
        "id": case.id,
        "case": case.fields(),
        **empty(COST_MEASURED),
        **fields,
        **shared,
        "noise": verdict(contender.rounds, where) if contender.rounds else None,
    }
