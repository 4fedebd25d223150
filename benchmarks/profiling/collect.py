"""Profiles cases, each round in a process of its own; several cases take turns."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.measure.processes import ceilings_task
from benchmarks.profiling.attribution import Place
from benchmarks.profiling.processes import WORKER, examination_task, round_task
from benchmarks.profiling.profile import Profile, Round
from benchmarks.profiling.tasks import ExaminationTask, RoundTask
from benchmarks.records.provenance import Moment, moment, provenance
from benchmarks.running.isolated import run_isolated
from benchmarks.running.progress import Progress

# Keys of the fields of provenance that a profile has.
PROVENANCE = (
    *("measured_at", "commit", "dirty", "python", "torch", "gcnn_impl", "platform", "cpu", "cores", "cpu_quota", "gpu"),
    *("threads", "load_before", "load_after", "steal_share", "native"),
)


def collect(
    cases: Sequence[Case], folders: Sequence[Path | None], *, rounds: int, seconds: float, timeout: float
) -> list[Profile]:
    """Profile cases of one device, and return a profile of each.

    Args:
        folders: where the trace of each case is written, None for no trace.
        rounds: number of processes that time each case; the order of the cases is reversed in every other round.
        seconds: time of a case in each round.
        timeout: seconds after which a process is given up.

    Raises:
        RuntimeError: when a process fails; the message says why.
    """
    before = moment()
    with Progress(total=len(cases) * (rounds + 1) + 1, unit="step", unit_scale=True, desc="profile") as progress:

        def run(function: Callable[..., dict[str, Any]], task: Any, case: Case) -> dict[str, Any]:
            outcome = run_isolated(function, task, device=case.device, preload=WORKER, timeout=timeout)
            if outcome.status != "ok":
                raise RuntimeError(f"{case.label}: {outcome.status}: {outcome.message}")
            progress.update(1)
            return outcome.fields

        pairs = list(zip(cases, folders, strict=True))
        examined = [run(examination_task, ExaminationTask(case, folder), case) for case, folder in pairs]
        first = cases[0]
        ceilings = run(ceilings_task, (first.device, first.threads, first.dtype), first)
        found: list[list[dict[str, Any]]] = [[] for _ in cases]
        for number in range(rounds):
            order = list(enumerate(cases))
            for index, case in order if number % 2 == 0 else reversed(order):
                found[index].append(run(round_task, RoundTask(case, seconds), case))
    return [
        assembled(case, examination, taken, ceilings, before)
        for case, examination, taken in zip(cases, examined, found, strict=True)
    ]


def assembled(
    case: Case,
    examination: dict[str, Any],
    rounds: Sequence[dict[str, Any]],
    ceilings: dict[str, float],
    before: Moment,
) -> Profile:
    """Return the profile of a case from the results of ``worker.examine`` and ``worker.measure_round``."""
    places: dict[Place, float] = {}
    for each in rounds:
        for place, (_, calls) in each["costs"].items():
            places[place] = places.get(place, 0.0) + calls / len(rounds)
    where = provenance(device=case.device, threads=case.threads, before=before)
    return Profile(
        case.fields(),
        case.id,
        case.label,
        tuple(places),
        tuple(places.values()),
        tuple(
            Round(
                tuple(each["plain"]),
                tuple(each["profiled"]),
                tuple(each["costs"].get(place, (0.0, 0.0))[0] for place in places),
                each["launches"],
                each["longest_gap"],
            )
            for each in rounds
        ),
        tuple(examination["counts"]),
        examination["modules"],
        examination["memory"],
        examination["macs"],
        examination["instructions"],
        ceilings,
        {name: where.get(name) for name in PROVENANCE},
    )
