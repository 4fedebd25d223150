"""The part "algorithms": which algorithm of the full layer is fastest on the device; ``functional`` chose for a CPU."""

import torch

from benchmarks.cases.case import Case
from benchmarks.evidence.gpu.cells import full_layers
from benchmarks.evidence.gpu.job import Job
from benchmarks.measure.clock import synchronised_clock, take_turn
from benchmarks.records.outcome import outcome_of
from benchmarks.statistics.summary import summarise
from benchmarks.workloads.build import build_workload, configure
from gcnn_impl import GroupConv2d, freeze
from gcnn_impl.functional import Algorithm

ALGORITHMS: tuple[Algorithm, ...] = ("direct", "disc", "fourier")
EXACT = "float32"  # the Fourier transform is for this format; the tensor cores are faster in the others
# Passes before those that are timed: cuDNN chooses its kernels in the first.
WARM_UP_PASSES, TIMED_PASSES = 3, 12


def run(job: Job) -> None:
    """Time a pass of each layer with each algorithm, the most valuable layers first, and note each."""
    for case in full_layers(job.device, job.scale):
        for algorithm in ALGORITHMS if case.dtype == EXACT else ALGORITHMS[:2]:
            if job.left() < 1:
                job.note(left_out=case.label, reason="no time left")
                return
            try:
                job.note(case=case.label, algorithm=algorithm, **timed(case, algorithm))
            except Exception as error:  # one that needs too much memory, say
                job.note(case=case.label, algorithm=algorithm, raised=outcome_of(error).message)


def timed(case: Case, algorithm: Algorithm) -> dict[str, float | None]:
    """Return the median seconds of a pass of a full layer, and the peak of its memory where the device counts it."""
    configure(case)
    workload = build_workload(case)
    assert isinstance(workload.module, GroupConv2d)
    workload.module.unfreeze().algorithm = algorithm
    if case.direction == "forward":
        freeze(workload.module)
    clock, cuda = synchronised_clock(case.device), case.device == "cuda"
    before = torch.cuda.memory_allocated() if cuda else 0
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    for _ in range(WARM_UP_PASSES):
        take_turn(workload.run, clock, 0.0, prepare=workload.prepare)
    times = take_turn(workload.run, clock, 1.0, prepare=workload.prepare, most=TIMED_PASSES)
    peak = torch.cuda.max_memory_allocated() - before if cuda else None
    return {"seconds": summarise(times)["median"], "peak_bytes": peak}
