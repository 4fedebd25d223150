"""Whether the numbers of a record agree: a number that follows from others must be what follows from them.

A record whose numbers disagree was changed after it was measured. This module needs only the standard library.
"""

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence

from benchmarks.records.complete import why_incomplete
from benchmarks.records.record import Record, rounds_of


def _wrong_median(record: Record) -> bool:
    stated = (record.get("seconds") or {}).get("median")
    samples = [sample for samples in rounds_of(record) for sample in samples]
    if record["kind"] == "training" or stated is None or not samples:
        return False
    return not math.isclose(statistics.median(samples), stated, rel_tol=1e-9)


def _wrong_epoch(record: Record) -> bool:
    if record["kind"] != "training" or record["status"] != "ok" or why_incomplete(record):
        return False
    # The untrained network, epoch 0, is the best one only where no epoch has ended.
    trained = [entry for entry in record["epochs"] if entry["epoch"]] or record["epochs"]
    known = [entry["validation_accuracy"] for entry in trained if entry.get("validation_accuracy") is not None]
    best = [entry.get("validation_accuracy") for entry in trained if entry["epoch"] == record["best_epoch"]]
    return not known or best != [max(known)]


DISAGREEMENTS: Mapping[str, Callable[[Record], object]] = {
    "have a median that is not that of their samples": _wrong_median,
    "have a best epoch that is not their best": _wrong_epoch,
}


def lines_about(
    records: Sequence[Record], checks: Mapping[str, Callable[[Record], object]] = DISAGREEMENTS
) -> Iterator[str]:
    """Yield a line for each check that some records fail: how many, what is wrong with them, and the first one's id.

    >>> tampered = {"kind": "cost", "id": "0f3a", "seconds": {"rounds": [[1.0, 2.0, 4.0]], "median": 1.0}}
    >>> list(lines_about([tampered]))
    ['1 of 1 records have a median that is not that of their samples, the first is 0f3a']
    """
    for text, wrong in checks.items():
        if bad := [record for record in records if wrong(record)]:
            yield f"{len(bad)} of {len(records)} records {text}, the first is {bad[0]['id'][:40]}"
