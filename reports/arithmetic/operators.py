"""The operators of the passes at the base point, from the profiles that their records have."""

import math
from typing import Any

import pandas as pd

from benchmarks.records.cost_fields import OTHER_OPERATORS
from benchmarks.statistics.roofline import roofline
from reports.frames.selection import at_base

COLUMNS = ("variant", "direction", "device", "operator", "phase", "share", "seconds", "calls", "macs", "bytes")
SLOWED = ("profiled_seconds", "unprofiled_seconds")
# The time of a pass that no operator explains, on a processor and on a GPU.
BETWEEN = {"cpu": "Python and dispatch between operators"}
GAPS = "gaps between kernels"
# What the operators say of a pass: the MACs that run over those of the definition, the fraction of the roof by the MACs
# that run, their MACs per byte, and the share of the time outside operators that do MACs.
EXECUTED = ("executed_share", "executed_fraction", "executed_intensity", "macless_share")


def operators(costs: pd.DataFrame) -> pd.DataFrame:
    """Return a row per operator and phase of each layer at the base point, with its share of the profiled pass.

    The time between operators has rows without calls; `SLOWED` are the times of the pass with and without the profiler.
    """
    rows = []
    for record in at_base(costs).to_dict("records"):
        whole = sum(part[2] for part in record["operators"])
        for operator, phase, seconds, calls, macs, moved in record["operators"]:
            name = operator if calls else BETWEEN.get(record["device"], GAPS)
            numbers = (seconds / whole if whole else 0.0, seconds, calls, macs, moved)
            named = (record["variant"], record["direction"], record["device"], name, phase)
            rows.append((*named, *numbers, *(record[column] for column in SLOWED)))
    return pd.DataFrame(rows, columns=[*COLUMNS, *SLOWED])


def shares(parts: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the share of each operator in both phases: a row per pass, a column per operator.

    The first ``most`` columns are the operators with the largest share of any pass; the others are joined in
    `OTHER_OPERATORS`, and the last column is the time between operators.
    """
    between = parts["calls"] == 0
    by_name = parts[~between].pivot_table("share", ["direction", "variant"], "operator", "sum", fill_value=0.0)
    largest = by_name.drop(columns=OTHER_OPERATORS, errors="ignore").max().sort_values(ascending=False, kind="stable")
    named = by_name[list(largest.index[:most])]
    idle = parts[between].groupby(["direction", "variant"])["share"].sum()
    name = next(iter(parts.loc[between, "operator"]), BETWEEN["cpu"])
    others = by_name.sum(axis=1) - named.sum(axis=1)
    return named.assign(**{OTHER_OPERATORS: others.clip(lower=0.0), name: idle}).fillna(0.0)


def with_executed(costs: pd.DataFrame) -> pd.DataFrame:
    """Add the columns `EXECUTED`; NaN where a record has no operators, or no roofline.

    MACs are known of operators with a rule; those without one have hardly any time and count as none.
    """
    needed = ["operators", "seconds", "macs_per_second", "arithmetic_intensity", "matrix_ceiling", "memory_ceiling"]
    found = [_executed(record) for record in costs[needed].to_dict("records")]
    return costs.join(pd.DataFrame(found, columns=EXECUTED, index=costs.index, dtype=float))


def _executed(record: dict[Any, Any]) -> tuple[float, float, float, float]:
    rows = [(seconds, macs) for _, _, seconds, _, macs, _ in record["operators"]]
    whole, macs = sum(seconds for seconds, _ in rows), sum(macs for _, macs in rows if macs > 0)
    if not whole or not macs:
        return (math.nan,) * 4
    macless = 1 - sum(seconds for seconds, of_row in rows if of_row > 0) / whole
    seconds, rate, intensity = (record[name] for name in ("seconds", "macs_per_second", "arithmetic_intensity"))
    ceilings = {name: record[name] for name in ("matrix_ceiling", "memory_ceiling")}
    if not all(value > 0 for value in (seconds, rate, intensity, *ceilings.values())):  # also for NaN
        return math.nan, math.nan, math.nan, macless
    by_definition = rate * seconds
    place = roofline(macs, by_definition / intensity, seconds, ceilings)
    return macs / by_definition, place["fraction"], place["arithmetic_intensity"], macless
