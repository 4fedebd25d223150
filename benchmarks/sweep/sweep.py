"""Cases → records: block by block, in fresh processes, resumable, failures kept as rows."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm

from benchmarks.cases.blocks import blocks
from benchmarks.cases.case import Case
from benchmarks.records.outcome import FAILURES
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.running.outstanding import Interrupted, outstanding
from benchmarks.sweep.block import measure_block
from benchmarks.sweep.engine import Engine, Known

SEED = 0


@dataclass(frozen=True)
class Summary:
    """What a sweep did with its cases: ``measured`` + ``failed`` + ``skipped`` + ``already_there`` are all of them.

    What was there and is measured again, beside a new contender, counts as measured.

    Args:
        seconds: the sweep took.
        timed_seconds: of these, inside of timed passes.
    """

    measured: int
    failed: int
    already_there: int
    skipped: int = 0
    seconds: float = field(default=0.0, compare=False)
    timed_seconds: float = field(default=0.0, compare=False)

    @property
    def timed_share(self) -> float:
        """Part of the time that was spent inside of timed passes."""
        return self.timed_seconds / self.seconds if self.seconds else 0.0


def sweep(
    cases: Sequence[Case], store: RecordStore, engine: Engine, *, retry_failed: bool = False, seed: int = SEED
) -> Summary:
    """Measure the cases that the store lacks; every one becomes a record, whatever happens to it.

    Args:
        cases: what to measure.
        store: where the records go, those of a block at a time.
        engine: how.
        retry_failed: measure again what failed or was skipped before.
        seed: of the order, and of who gets a twin.

    Raises:
        InvalidCase: when a case needs a device or more cores than there are.
        OSError: when the results cannot be written, or somebody else is measuring.
        Interrupted: on Ctrl-C; everything but the block in progress is in the store.
    """
    begun = time.monotonic()
    counts = dict.fromkeys(("measured", "failed", "skipped"), 0)
    timed = 0.0
    with outstanding(cases, store, retry_failed=retry_failed) as missing:
        plan = blocks(cases, set(missing), seed)
        total = sum(len(block.cases) for block in plan)
        known = Known()
        with tqdm(total=total, unit="case", unit_scale=True, desc="sweep", dynamic_ncols=True, smoothing=0) as progress:
            try:
                for block in plan:
                    finished = sum(counts.values()) + len(block.cases)
                    for record in measure_block(block, engine, known, progress):
                        store.append(record)
                        timed += sum(map(sum, (record["seconds"] or {}).get("rounds", ())))
                        if record["kind"] == "cost":
                            kind = "failed" if record["status"] in FAILURES else "skipped"
                            counts["measured" if record["status"] == "ok" else kind] += 1
                            _tell(record, progress)
                    progress.update(finished - progress.n)
            except KeyboardInterrupt:
                kept = sum(counts.values())
                raise Interrupted(
                    f"{kept} new records kept, {total - kept} cases left; the same command goes on from here"
                ) from None
    return Summary(**counts, already_there=len(cases) - total, seconds=time.monotonic() - begun, timed_seconds=timed)


def _tell(record: Record, progress: "tqdm[Any]") -> None:
    if record["status"] != "ok":
        label = Case(**record["case"]).label
        progress.write(f"{label}: {record['status']}: {record['message']}", file=sys.stderr)
