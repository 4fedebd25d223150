"""Cases → records: a fresh process each, in a shuffled order, resumable, failures kept as rows."""

import os
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tqdm import tqdm

from benchmarks.cases import Case, InvalidCase, available_cores
from benchmarks.isolation import Report, run_isolated
from benchmarks.measure.clock import Sampling
from benchmarks.measure.environment import MEASURING_ENVIRONMENT, gpu_name, load_average, provenance, software
from benchmarks.records import FAILURES, SCHEMA, Record, RecordStore

Task = tuple[Case, Sampling]
Measure = Callable[[Task, Report], dict[str, Any]]

ORDER_SEED = 0
# The measured fields of a record whose case has no result.
NOTHING_MEASURED: dict[str, Any] = {
    "seconds": None,
    "memory": None,
    "parameters": None,
    "macs": None,
    "equivariance_error": None,
}


@dataclass(frozen=True)
class Summary:
    """What a sweep did with its cases: ``measured`` + ``failed`` + ``already_there`` are all of them."""

    measured: int
    failed: int
    already_there: int


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


def outstanding(jobs: Sequence[J], store: RecordStore, *, retry_failed: bool) -> list[J]:
    """The jobs that the store lacks, after everything that must hold before one of them runs.

    Raises:
        InvalidCase: when a job needs a device or more cores than there are.
        OSError: when the results cannot be written.
    """
    if any(job.device == "cuda" for job in jobs) and gpu_name() is None:
        raise InvalidCase("device 'cuda' is not there; allowed on this machine: cpu")
    threads, cores = max((job.threads for job in jobs), default=1), available_cores()
    if threads > cores:
        raise InvalidCase(f"threads {threads} are more than there are cores; allowed on this machine: 1 to {cores}")
    store.prepare()
    done = store.completed_ids(retry_failed=retry_failed)
    store.warn_of_other_commits({job.id for job in jobs} & done, software()["commit"])
    for name, value in MEASURING_ENVIRONMENT.items():
        os.environ.setdefault(name, value)  # before the process server imports torch
    return [job for job in jobs if job.id not in done]


def measure_task(task: Task, report: Report) -> dict[str, Any]:
    """``benchmarks.measurement.measure``, imported where it runs: the sweep itself does without torch."""
    from benchmarks.measurement import measure

    return measure(*task)


def sweep(
    cases: Sequence[Case],
    store: RecordStore,
    sampling: Sampling,
    *,
    timeout: float = 600.0,
    retry_failed: bool = False,
    measure: Measure = measure_task,
) -> Summary:
    """Measure the cases that the store lacks; every one becomes a record, whatever happens to it.

    Args:
        cases: what to measure.
        store: where the records go, one at a time.
        sampling: how often each pass is repeated.
        timeout: seconds after which a case is given up.
        retry_failed: measure again what failed before.
        measure: the measurement, importable by name from a new process.

    Raises:
        InvalidCase: when a case needs a device or more cores than there are.
        OSError: when the results cannot be written; nothing has run then.
        Interrupted: on Ctrl-C; everything but the case in progress is in the store.
    """
    missing = outstanding(cases, store, retry_failed=retry_failed)
    # Whatever drifts while a sweep runs (clocks, other processes) then hits no variant more than another.
    random.Random(ORDER_SEED).shuffle(missing)
    measured = failed = 0
    with tqdm(missing, unit="case", desc="sweep", dynamic_ncols=True) as progress:
        try:
            for case in progress:
                progress.set_postfix_str(case.label)
                record = _record(case, sampling, timeout, measure)
                store.append(record)
                if record["status"] in FAILURES:
                    failed += 1
                    progress.write(f"{case.label}: {record['status']}: {record['message']}", file=sys.stderr)
                else:
                    measured += 1
        except KeyboardInterrupt:
            kept = measured + failed
            left = len(missing) - kept
            raise Interrupted(
                f"{kept} new records kept, {left} cases left; the same command goes on from here"
            ) from None
    return Summary(measured, failed, len(cases) - len(missing))


def _record(case: Case, sampling: Sampling, timeout: float, measure: Measure) -> Record:
    load_before = load_average()
    outcome = run_isolated(
        measure, (case, sampling), device=case.device, preload="benchmarks.measurement", timeout=timeout
    )
    return {
        "schema": SCHEMA,
        "kind": "cost",
        "id": case.id,
        "case": case.fields(),
        "status": outcome.status,
        "message": outcome.message,
        **NOTHING_MEASURED,
        **outcome.fields,
        "provenance": provenance(device=case.device, threads=case.threads, load_before=load_before),
    }
