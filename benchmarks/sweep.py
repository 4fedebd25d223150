"""Cases → records: a fresh process each, in a shuffled order, resumable, failures kept as rows.

Processes are forked from a server that has imported torch and never computed anything, so that one costs milliseconds
and starts clean. CUDA does not survive a fork; its cases get a new interpreter each.
"""

import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from typing import Any

from tqdm import tqdm

from benchmarks.cases import Case, InvalidCase
from benchmarks.measure.clock import Sampling
from benchmarks.measure.environment import MEASURING_ENVIRONMENT, gpu_name, load_average, provenance
from benchmarks.records import FAILURES, SCHEMA, Record, RecordStore

# What is measured of a case, or the reason why not: status, one-line message, fields of the record.
Outcome = tuple[str, str, dict[str, Any]]
Measure = Callable[[Case, Sampling], dict[str, Any]]

PRELOADED = "benchmarks.measurement"
ORDER_SEED = 0
MESSAGE_LENGTH = 300
# How torch's allocators put it, in lower case.
ALLOCATION_REFUSED = ("out of memory", "can't allocate memory", "not enough memory")
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


def measure_case(case: Case, sampling: Sampling) -> dict[str, Any]:
    """``benchmarks.measurement.measure``, imported where it runs: the sweep itself does without torch."""
    from benchmarks.measurement import measure

    return measure(case, sampling)


def sweep(
    cases: Sequence[Case],
    store: RecordStore,
    sampling: Sampling,
    *,
    timeout: float = 600.0,
    retry_failed: bool = False,
    measure: Measure = measure_case,
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
        InvalidCase: when a case needs a device that is not there.
        OSError: when the results cannot be written; nothing has run then.
        Interrupted: on Ctrl-C; everything but the case in progress is in the store.
    """
    if any(case.device == "cuda" for case in cases) and gpu_name() is None:
        raise InvalidCase("device 'cuda' is not there; allowed on this machine: cpu")
    store.prepare()
    done = store.completed_ids(retry_failed=retry_failed)
    missing = [case for case in cases if case.id not in done]
    # Whatever drifts while a sweep runs (clocks, other processes) then hits no variant more than another.
    random.Random(ORDER_SEED).shuffle(missing)
    for name, value in MEASURING_ENVIRONMENT.items():
        os.environ.setdefault(name, value)  # before the server imports torch
    failed = measured = 0
    with tqdm(missing, unit="case", desc="sweep", dynamic_ncols=True) as progress:
        try:
            for case in progress:
                progress.set_postfix_str(case.label)
                record = _record(case, sampling, timeout, measure)
                store.append(record)
                failed += record["status"] in FAILURES
                measured += record["status"] == "ok"
        except KeyboardInterrupt:
            left = len(missing) - measured - failed
            raise Interrupted(
                f"{measured + failed} new records kept, {left} cases left; the same command goes on from here"
            ) from None
    return Summary(measured, failed, len(cases) - len(missing))


def _record(case: Case, sampling: Sampling, timeout: float, measure: Measure) -> Record:
    load_before = load_average()
    status, message, fields = run_isolated(case, sampling, timeout=timeout, measure=measure)
    return {
        "schema": SCHEMA,
        "kind": "cost",
        "id": case.id,
        "case": case.fields(),
        "status": status,
        "message": message,
        **NOTHING_MEASURED,
        **fields,
        "provenance": provenance(device=case.device, threads=case.threads, load_before=load_before),
    }


def run_isolated(case: Case, sampling: Sampling, *, timeout: float = 600.0, measure: Measure = measure_case) -> Outcome:
    """Measure one case in a process of its own, which is gone when this returns or raises."""
    context = _context(case.device)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, measure, case, sampling), daemon=True)  # type: ignore[attr-defined]
    process.start()
    sender.close()
    try:
        if not wait([receiver, process.sentinel], timeout):
            return "timeout", f"no result within {timeout:g} s", {}
        if receiver.poll():
            try:
                return receiver.recv()
            except (EOFError, OSError):  # it died before or while it answered
                pass
        process.join()
        return _died(process.exitcode)
    finally:
        process.kill()
        process.join()
        receiver.close()


def _context(device: str) -> BaseContext:
    if device == "cuda":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOADED])
    return context


def _child(sender: Connection, measure: Measure, case: Case, sampling: Sampling) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us too; the parent decides
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        outcome: Outcome = ("ok", "", measure(case, sampling))
    except Exception as error:
        outcome = (_status_of(error), _one_line(error), {})
    sender.send(outcome)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _status_of(error: Exception) -> str:
    from benchmarks.measure.correctness import InvalidOutput  # late: here torch is there already

    if isinstance(error, InvalidOutput):
        return "invalid"
    text = str(error).lower()
    refused = isinstance(error, RuntimeError) and any(words in text for words in ALLOCATION_REFUSED)
    return "out_of_memory" if refused or isinstance(error, MemoryError) else "failed"


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:MESSAGE_LENGTH]


def _died(exitcode: int | None) -> Outcome:
    if exitcode is not None and exitcode < 0:
        hint = " (often: out of memory)" if -exitcode == signal.SIGKILL else ""
        return "killed", f"killed by {signal.Signals(-exitcode).name}{hint}", {}
    return "failed", f"exited with status {exitcode} and no result", {}
