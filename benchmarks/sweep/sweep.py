"""The sweep: it measures cases block by block, and can be resumed. Failed cases get records as well."""

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.cases.blocks import blocks
from benchmarks.cases.case import Case
from benchmarks.records.outcome import FAILURES
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.running.outstanding import outstanding
from benchmarks.running.progress import Progress
from benchmarks.running.signals import Interrupted
from benchmarks.sweep.block import measure_block
from benchmarks.sweep.engine import Engine, Known

# The seed of the order of the blocks, and of the choice of the twins.
SEED = 0


@dataclass(frozen=True)
class Summary:
    """Numbers of cases by what the sweep did with them; the five numbers add up to all cases.

    A case that has a record, and is measured again next to a new contender, counts as measured.

    Args:
        left: cases for which the sweep had no time.
        seconds: duration of the sweep.
        timed_seconds: seconds of the sweep that were spent inside timed passes.
    """

    measured: int
    failed: int
    already_there: int
    skipped: int = 0
    left: int = 0
    seconds: float = field(default=0.0, compare=False)
    timed_seconds: float = field(default=0.0, compare=False)

    @property
    def timed_share(self) -> float:
        """The fraction of the sweep's duration that was spent inside timed passes."""
        return self.timed_seconds / self.seconds if self.seconds else 0.0


def sweep(
    cases: Sequence[Case],
    store: RecordStore,
    engine: Engine,
    *,
    retry_failed: bool = False,
    shuffled: bool = True,
    seconds: float = math.inf,
) -> Summary:
    """Measure the cases that the store lacks. Each of these cases gets a record, also when it fails.

    The records of a block are stored together, and a block is measured again as a whole.

    Args:
        retry_failed: whether to measure failed and skipped cases again.
        shuffled: whether the blocks come in a random order, which lets a drift affect all alike, or as in ``cases``.
        seconds: the time for all blocks. No block begins when less time is left than the last block took.

    Raises:
        InvalidCase: when this machine lacks a device or the cores that a case needs.
        OSError: when the results cannot be written, or another process is measuring into the store.
        Interrupted: on Ctrl-C; the store then has everything but the block in progress.
    """
    begun = time.monotonic()
    counts = dict.fromkeys(("measured", "failed", "skipped"), 0)
    timed = 0.0
    with outstanding(cases, store, retry_failed=retry_failed) as missing:
        plan = blocks(cases, set(missing), SEED, shuffled=shuffled)
        total = sum(len(block.cases) for block in plan)
        known = Known()
        with Progress(total=total, unit="case", unit_scale=True, desc="sweep", smoothing=0) as progress:
            try:
                last = 0.0
                for block in plan:
                    block_begun = time.monotonic()
                    if block_begun + last > begun + seconds:
                        break
                    finished = sum(counts.values()) + len(block.cases)
                    records = measure_block(block, engine, known, progress)
                    store.append(*records)
                    for record in records:
                        timed += sum(map(sum, (record["seconds"] or {}).get("rounds", ())))
                        if record["kind"] == "cost":
                            kind = "failed" if record["status"] in FAILURES else "skipped"
                            counts["measured" if record["status"] == "ok" else kind] += 1
                            _print_failure(record, progress)
                    progress.update(finished - progress.n)
                    last = time.monotonic() - block_begun
            except KeyboardInterrupt:
                kept = sum(counts.values())
                raise Interrupted(
                    f"{kept} new records kept, {total - kept} cases left; the same command goes on from here"
                ) from None
    return Summary(
        **counts,
        already_there=len(cases) - total,
        left=total - sum(counts.values()),
        seconds=time.monotonic() - begun,
        timed_seconds=timed,
    )


def _print_failure(record: Record, progress: Progress) -> None:
    """Print one line about a case that was not measured."""
    if record["status"] != "ok":
        label = Case(**record["case"]).label
        progress.write(f"{label}: {record['status']}: {record['message']}", file=sys.stderr)
