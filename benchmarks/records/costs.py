"""Values derived from cost records: the MACs of a pass, the noise floor, the comparison of two records."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.records.complete import TIMES, why_incomplete
from benchmarks.records.record import Record, rounds_of
from benchmarks.statistics.comparison import Comparison, Rounds, compare_rounds, noise_floors
from benchmarks.statistics.intervals import Interval
from benchmarks.statistics.summary import with_few_rounds


def pass_macs(macs: Mapping[str, Any], *, generated: bool, backward: bool) -> int | None:
    """Return the MACs of a pass from ``trace_macs``'s result; the flags say whether kernels and backward are added.

    None means that a part of the pass was not counted. A forward of 0 MACs was not counted either: older records have
    0 where fvcore has no rule for an operator.
    """
    added = ["kernel_generation"] * generated + ["backward"] * backward
    parts = [macs.get("convolution") or None, *(macs.get(name) for name in added)]
    return None if None in parts else sum(part for part in parts if part is not None)


def macs_of_pass(record: Record) -> int | None:
    """Return the MACs of the timed pass, including kernel generation, except for cached kernels of our layers.

    None means that they were not counted; ``why_no_macs`` says why.
    """
    case, macs = record.get("case") or {}, record.get("macs") or {}
    return pass_macs(macs, generated=case.get("kernels") == "generated", backward=case.get("direction") != "forward")


def why_no_macs(record: Record) -> str | None:
    """Return why the MACs of the timed pass were not counted, in one line; None if they were counted."""
    if macs_of_pass(record) is not None:
        return None
    macs = record.get("macs") or {}
    uncounted = ", ".join(macs.get("unsupported") or {}) if macs.get("convolution") == 0 else ""
    reason = macs.get("not_counted") or uncounted or (record.get("missing") or {}).get("macs")
    return f"not counted: {reason or 'the record does not say why'}"


def noise_floor(records: Sequence[Record], *, comparisons: int) -> float | None:
    """Return the largest of the ``noise_floors`` of each number of threads for a number of comparisons.

    None means that there are no twins.
    """
    costs = {(record["id"], record.get("block")): record for record in records if record["kind"] == "cost"}
    pairs: dict[Any, list[tuple[Rounds, Rounds]]] = {}
    for twin in records:
        first = costs.get((twin.get("case_id"), twin.get("block")))
        if twin["kind"] != "twin" or first is None or not (is_timed(twin) and is_timed(first)):
            continue
        if len(rounds_of(first)) == len(rounds_of(twin)):
            threads = (first.get("case") or {}).get("threads")
            pairs.setdefault(threads, []).append((rounds_of(first), rounds_of(twin)))
    return max(noise_floors(pairs, comparisons=max(comparisons, 1)).values(), default=None)


def interval_of(record: Record) -> Interval:
    """Return the median time of a pass and its 95 % interval, of a record that has both.

    Where rounds are few, the interval includes their spread (``with_few_rounds``); that in an older record does not.
    """
    median, low, high = (record["seconds"][name] for name in TIMES)
    low, high = with_few_rounds(low, median, high, [statistics.median(samples) for samples in rounds_of(record)])
    return Interval(median, low, high)


def successes(records: Sequence[Record]) -> dict[str, Record]:
    """Return the cost records with status ok and times, by their case id."""
    return {record["id"]: record for record in records if record["kind"] == "cost" and is_timed(record)}


def is_timed(record: Record) -> bool:
    """Return whether a record has times that can be compared."""
    return record["status"] == "ok" and why_incomplete(record) is None


def compare_records(a: Record, b: Record, *, floor: float) -> Comparison:
    """Compare the times of b with those of a: round by round if they were timed in turns."""
    before, after = rounds_of(a), rounds_of(b)
    paired = a.get("block") == b.get("block") and len(before) == len(after)
    return compare_rounds(before, after, floor, paired=paired)
