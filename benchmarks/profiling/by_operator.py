"""The operators of a pass in few rows, which a sweep keeps in the record of a case."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.profiling.counting import counts
from benchmarks.profiling.passes import take_passes
from benchmarks.profiling.profile import Costs, Count, fastest_mean, fastest_quarter
from benchmarks.profiling.rows import operator_name
from benchmarks.records.cost_fields import OTHER_OPERATORS
from benchmarks.workloads.workload import Workload

# The operators that have a row of their own: so many at most, and each has this share of the pass at least. The others
# of a phase are one row, and so is the time between operators.
MOST_ROWS, LEAST_SHARE = 12, 0.005
# Two passes in each of four turns: the profiles of a sweep's eight layers take a second or two.
FEWEST_PASSES = 2


@dataclass(frozen=True)
class OperatorRow:
    """An operator in one phase of a pass; ``macs`` is None if an operator has no rule, or nothing was dispatched."""

    operator: str
    phase: str
    seconds: float = 0.0
    calls: float = 0.0
    macs: int | None = None
    bytes: int = 0

    def plus(self, other: "OperatorRow") -> "OperatorRow":
        """Return the row with the numbers of another one added."""
        macs = None if self.macs is None or other.macs is None else self.macs + other.macs
        seconds, calls = self.seconds + other.seconds, self.calls + other.calls
        return replace(self, seconds=seconds, calls=calls, macs=macs, bytes=self.bytes + other.bytes)


def operators_of_pass(workload: Workload, seconds: float) -> dict[str, Any]:
    """Profile passes of a warm workload for ``seconds``; return the field ``operators`` of its record."""
    found, taken = counts(workload), take_passes(workload, seconds, fewest=FEWEST_PASSES)
    rows = operator_rows(fastest_quarter(taken.costs), found, workload.x.device.type)
    return {
        "seconds": sum(row.seconds for row in rows),
        "plain_seconds": fastest_mean(taken.plain),
        "passes": len(taken.costs),
        "rows": [vars(row) for row in shortened(rows)],
    }


def operator_rows(costs: Costs, found: Sequence[Count], device: str) -> list[OperatorRow]:
    """Return a row for each operator in each phase, and for the time between operators; the longest first."""
    dispatched = frozenset(count.operator for count in found)
    rows: dict[tuple[str, str], OperatorRow] = {}
    for place, (seconds, calls) in costs.items():
        key = operator_name(place, dispatched, device), place.phase
        begun = calls if place.path and place.path[-1] == key[0] else 0.0
        before = rows.get(key, OperatorRow(*key))
        rows[key] = replace(before, seconds=before.seconds + seconds, calls=before.calls + begun)
    for key, row in rows.items():
        counted = [count for count in found if (count.operator, count.phase) == key]
        known = [count.macs for count in counted if count.macs is not None]
        macs = sum(known) if counted and len(known) == len(counted) else None
        rows[key] = replace(row, macs=macs, bytes=sum(count.bytes for count in counted))
    return sorted(rows.values(), key=lambda row: -row.seconds)


def shortened(rows: Sequence[OperatorRow], most: int = MOST_ROWS) -> list[OperatorRow]:
    """Keep ``most`` operators at most, and join the others of each phase; the time between operators is kept."""
    least = LEAST_SHARE * sum(row.seconds for row in rows)
    named = [row for row in rows if row.calls and row.seconds >= least][:most]
    others: dict[str, OperatorRow] = {}
    for row in rows:
        if row.calls and row not in named:
            other = replace(row, operator=OTHER_OPERATORS)
            others[row.phase] = others[row.phase].plus(row) if row.phase in others else other
    return [*named, *others.values(), *(row for row in rows if not row.calls)]
