"""Values derived from cost records: the MACs of a pass, the noise floor, the comparison of two records."""

from collections.abc import Sequence
from typing import Any

from benchmarks.records.complete import why_incomplete
from benchmarks.records.record import Record, rounds_of
from benchmarks.statistics.comparison import Comparison, compare_rounds, minimum_detectable_effect


def pass_macs(macs: dict[str, Any], *, generated: bool, backward: bool) -> int:
    """Return the MACs of a pass from ``trace_macs``'s result; the flags say whether kernels and backward are added."""
    parts = macs["convolution"], generated and macs["kernel_generation"], backward and macs["backward"]
    return sum(parts)


def macs_of_pass(record: Record) -> int | None:
    """Return the MACs of the timed pass, including kernel generation, except for cached kernels of our layers.

    None means that they were not counted.
    """
    case, macs = record.get("case") or {}, record.get("macs") or {}
    if any(macs.get(name) is None for name in ("convolution", "kernel_generation", "backward")):
        return None
    return pass_macs(macs, generated=case.get("kernels") == "generated", backward=case.get("direction") != "forward")


def noise_floor(records: Sequence[Record], *, comparisons: int) -> float | None:
    """Return the ``minimum_detectable_effect`` of all twins for a number of comparisons; None without twins."""
    costs = {(record["id"], record.get("block")): record for record in records if record["kind"] == "cost"}
    pairs = [
        (rounds_of(costs[key]), rounds_of(twin))
        for twin in records
        if twin["kind"] == "twin" and is_timed(twin)
        if (key := (twin.get("case_id"), twin.get("block"))) in costs and is_timed(costs[key])
        if len(rounds_of(costs[key])) == len(rounds_of(twin))
    ]
    return minimum_detectable_effect(pairs, comparisons=max(comparisons, 1)) if pairs else None


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
