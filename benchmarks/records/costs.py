"""Values derived from cost records: the MACs of a pass, the noise floor, the comparison of two records."""

from collections.abc import Sequence
from typing import Any

from benchmarks.records.record import Record
from benchmarks.statistics.comparison import Comparison, compare_rounds, minimum_detectable_effect


def pass_macs(macs: dict[str, Any], *, generated: bool, backward: bool) -> int:
    """Return the MACs of a pass from ``trace_macs``'s result; the flags say whether kernels and backward are added."""
    parts = macs["convolution"], generated and macs["kernel_generation"], backward and macs["backward"]
    return sum(parts)


def macs_of_pass(record: Record) -> int:
    """Return the MACs of the timed pass, including kernel generation, except for cached kernels of our layers."""
    case = record["case"]
    return pass_macs(record["macs"], generated=case["kernels"] == "generated", backward=case["direction"] != "forward")


def noise_floor(records: Sequence[Record], *, comparisons: int) -> float | None:
    """Return the ``minimum_detectable_effect`` of all twins for a number of comparisons; None without twins."""
    costs = {(record["id"], record.get("block")): record for record in records if record["kind"] == "cost"}
    pairs = [
        (costs[key]["seconds"]["rounds"], twin["seconds"]["rounds"])
        for twin in records
        if twin["kind"] == "twin" and twin["status"] == "ok"
        if (key := (twin["case_id"], twin["block"])) in costs and costs[key]["status"] == "ok"
    ]
    return minimum_detectable_effect(pairs, comparisons=max(comparisons, 1)) if pairs else None


def successes(records: Sequence[Record]) -> dict[str, Record]:
    """Return the cost records with status ok, by their case id."""
    return {record["id"]: record for record in records if record["kind"] == "cost" and record["status"] == "ok"}


def compare_records(a: Record, b: Record, *, floor: float) -> Comparison:
    """Compare the times of b with those of a: round by round if they were timed in turns."""
    paired = a["block"] == b["block"] and len(a["seconds"]["rounds"]) == len(b["seconds"]["rounds"])
    return compare_rounds(a["seconds"]["rounds"], b["seconds"]["rounds"], floor, paired=paired)
