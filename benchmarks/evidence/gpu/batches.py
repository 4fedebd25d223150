"""The part "batches": the largest batch of the paper's network that fits, and the fastest one."""

from benchmarks.evidence.gpu.cells import network
from benchmarks.evidence.gpu.job import Job
from benchmarks.measure.largest_batch import largest_batch
from benchmarks.workloads.build import configure

# Seconds of a search, after which no further batch begins.
LONGEST_SECONDS = {"full": 10.0, "smoke": 0.2}


def run(job: Job) -> None:
    """Search the batches of a training step of each network, and note them."""
    steps = [case for case in network(job.device, job.scale) if case.direction == "training_step"]
    cases = [case for case in steps if (case.execution, case.dtype) == ("eager", "float32")]
    for number, case in enumerate(cases):
        configure(case)
        # The first batch is an ordinary one, so that a short search reaches the large ones.
        share = min(job.left() / (len(cases) - number) / 2, LONGEST_SECONDS[job.scale])
        found = largest_batch(case, seconds=share, first=case.batch_size)
        job.note(
            variant=case.variant,
            largest=found.largest,
            fastest=found.fastest,
            images_per_second=found.images_per_second,
            refused=found.refused,
            ended_by=found.ended_by,
        )
