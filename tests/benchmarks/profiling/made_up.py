"""Made-up events and profiles, so that tests need neither torch's profiler nor a clock."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.profiling.attribution import NODE, Place
from benchmarks.profiling.events import MODULE, PASS, PHASE, Event
from benchmarks.profiling.profile import Count, Holder, Memory, Profile, Round


def training_pass() -> Event:
    """Return a pass of 100 ns through a module "conv" and the root, with a backward and an optimiser's step.

    The convolution, 10 to 30, has the number 7, and so has its node, 60 to 80. The sum of the root has the number 8.
    """
    copy = Event("aten::copy_", 12, 15)
    convolution = Event("aten::convolution", 10, 30, (copy,), sequence=7, identity=1)
    view = Event("aten::view", 4, 5, sequence=7)  # of the root, before the convolution
    conv = Event(f"{MODULE}conv", 5, 32, (convolution,))
    add = Event("aten::add", 34, 40, sequence=8, identity=2)
    forward = Event(f"{PHASE}forward", 2, 44, (Event(MODULE, 3, 42, (view, conv, add)),))
    of_add = Event(f"{NODE}AddBackward0", 52, 58, (Event("AddBackward0", 53, 57, sequence=8),), sequence=8)
    gradient = Event("aten::convolution_backward", 64, 78)
    inner = Event("ConvolutionBackward0", 62, 79, (gradient,), sequence=7)
    of_conv = Event(f"{NODE}ConvolutionBackward0", 60, 80, (inner,), sequence=7)
    adding_up = Event(f"{NODE}torch::autograd::AccumulateGrad", 82, 84)
    backward = Event(f"{PHASE}backward", 50, 86, (of_add, of_conv, adding_up))
    step = Event("Optimizer.step#Adam.step", 89, 97, (Event("aten::mul_", 90, 95),))
    return Event(PASS, 0, 100, (forward, backward, Event(f"{PHASE}optimiser", 88, 98, (step,))))


def profile(
    rounds: Mapping[Place, Sequence[float]],
    counts: Sequence[Count] = (),
    plain: Sequence[float] = (1.0, 1.0, 1.0),
    **fields: Any,
) -> Profile:
    """Return a profile with the seconds of each place in each round."""
    case = Case()
    memory = Memory(
        8,
        8,
        {"parameters": 4},
        (Holder("activations", "forward", "conv", "", 8),),
        ((0.0, (0, 0, 8, 0)), (1.0, (0,) * 4)),
    )
    defaults: dict[str, Any] = {
        "case": case.fields(),
        "identity": case.id,
        "label": case.label,
        "places": tuple(rounds),
        "calls": (1.0,) * len(rounds),
        "rounds": tuple(
            Round((time,) * 4, (sum(seconds),) * 4, tuple(seconds))
            for time, seconds in zip(plain, zip(*rounds.values(), strict=True), strict=True)
        ),
        "counts": tuple(counts),
        "modules": {"": "Network", "conv": "Conv2d"},
        "memory": memory,
        "macs": 100,
        "instructions": "there is no counter",
        "ceilings": {"matrix_ceiling": 1000.0, "memory_ceiling": 100.0},
        "provenance": {"cpu": "a processor", "cores": 2, "gpu": None},
    }
    return Profile(**{**defaults, **fields})
