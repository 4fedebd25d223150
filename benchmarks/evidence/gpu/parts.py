"""The parts in the order of their value, and their time limits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Seconds that all parts may take together, and the time without which a part is not begun.
TOTAL_SECONDS = 470.0
LEAST_SECONDS = 10.0
# Variables of ``gcnn_impl.gpu.switch`` and ``gcnn_impl.native.build``, which need torch: they put the operators in
# Triton and in C into use. With Triton's own variable its operators run on a processor, unless those in C replace them.
TRITON_VARIABLE, NATIVE_VARIABLE = "GCNN_IMPL_TRITON", "GCNN_IMPL_NATIVE"
INTERPRETED = {"TRITON_INTERPRET": "1", NATIVE_VARIABLE: "0"}
# The part "correctness" computes its tiny float64 references on one thread. Two threads wait for each other at every
# operator: where other programs use the cores, a network of 0.2 seconds takes 7.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Part:
    """A part of the evidence.

    Args:
        name: its name in tables and files.
        module: the module beside this one whose ``run(job)`` measures it.
        seconds: its time limit.
        shows: the question that it answers.
        triton: whether the operators in Triton are in use.
        stretches: whether it also gets the time that the parts before it have left.
        last: whether the part is worth running when the total time is over, and so has its time reserved.
    """

    name: str
    module: str
    seconds: float
    shows: str
    triton: bool = False
    stretches: bool = False
    last: bool = False


PARTS = (
    Part("correctness", "correctness", 65, "outputs, gradients and quarter turns equal float64 on the CPU"),
    Part("layers", "measuring", 55, "what a layer costs at the base point, eager and graphed"),
    Part("network", "measuring", 55, "what a step of the paper's network costs"),
    Part("triton", "measuring", 75, "whether the operators in Triton are faster, at the same points", triton=True),
    Part("peers", "measuring", 45, "what other people's layers cost"),
    Part("training", "training", 60, "accuracy on rotated digits against seconds"),
    Part("profile", "profile", 30, "launches, gaps and the share of the roofline"),
    Part("algorithms", "algorithms", 25, "the fastest algorithm of the full layer"),
    Part("batches", "batches", 20, "the largest batch that fits, and the fastest"),
    Part("more", "measuring", 10, "layers of other sizes, and compiled", stretches=True),
    Part("page", "page", 40, "the report of the records", last=True),
)


def environment(part: Part, device: str) -> dict[str, str]:
    """Return the variables of a part's process. On a processor "correctness" tries the operators in the interpreter."""
    variables = {TRITON_VARIABLE: str(int(part.triton))}
    if part.name == "correctness":
        variables |= ONE_THREAD | (INTERPRETED if device == "cpu" else {})
    return variables


def allowed_seconds(part: Part, left: float, after: Sequence[Part]) -> float:
    """Return the seconds that a part may take; 0 if too few are left.

    Args:
        left: seconds until the end of the total time.
        after: the parts that follow; a part keeps free the time of those that are ``last``.
    """
    free = left - sum(other.seconds for other in after if other.last)
    most = math.inf if part.stretches else part.seconds
    seconds = min(most, left if part.last else free)
    return seconds if seconds >= LEAST_SECONDS else 0.0
