"""The parts that measure cases: the project's own sweep, in the order of value, until the time is over."""

from benchmarks.evidence.gpu.cells import CASES, SAMPLING
from benchmarks.evidence.gpu.job import Job
from benchmarks.records.store import RecordStore
from benchmarks.sweep.engine import Engine
from benchmarks.sweep.sweep import sweep
from benchmarks.sweep.tasks import INSTRUMENTS

# Energy needs a second of passes for each contender, and the profiler longer still; the part "profile" has its own.
LEFT_OUT = {"zero_counted_time_share", "energy"}
WITH_ENERGY = ("layers", "network")
# A contender that reports nothing for this share of a part's time has failed, so that the part can go on.
TIMEOUT_SHARE = 0.5


def run(job: Job) -> None:
    """Measure the cases of a part that have no record yet, and note how many were measured.

    Raises:
        RuntimeError: when cases failed and none was measured.
    """
    cases = CASES[job.part](job.device, job.scale)
    left_out = LEFT_OUT - ({"energy"} if job.part in WITH_ENERGY else set())
    instruments = tuple(name for name in INSTRUMENTS if name not in left_out)
    engine = Engine(SAMPLING[job.scale], timeout=TIMEOUT_SHARE * job.seconds, instruments=instruments)
    store = RecordStore(job.results_triton if job.part == "triton" else job.results)
    done = sweep(cases, store, engine, shuffled=False, seconds=job.left())
    job.note(
        cases=len(cases),
        measured=done.measured,
        failed=done.failed,
        skipped=done.skipped,
        already_there=done.already_there,
        left=done.left,
    )
    if done.failed and not done.measured:
        raise RuntimeError(f"all {done.failed} cases failed; parts.log has the reasons")
