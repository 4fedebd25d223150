"""Checks users' layers and networks before anything is measured: what is wrong with them is said within seconds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.cases.case import Case, InvalidCase
from benchmarks.records.outcome import Located
from benchmarks.running.environment import set_measuring_environment
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.sweep.processes import PROBE_MODULE

# The check of one case, on two small images, takes less than a second.
TIMEOUT = 60.0
SMALL = {"batch_size": 2, "image_size": 16}


def check_own(cases: Sequence[Case]) -> frozenset[str]:
    """Check the output and the gradients of every user's module in ``cases``, at small sizes, each in its own process.

    A module may exist for some groups only: it is refused where it is wrong, or where it can be built for no group.

    Returns:
        The names of the users' networks that have no width, because their factories take no ``channels``.

    Raises:
        InvalidCase: for the first module that is refused; the message names its case and says what is wrong.
    """
    set_measuring_environment()  # the process server that starts here also starts the processes that measure
    without_width = set()
    for implementation in dict.fromkeys(case.implementation for case in cases if case.own):
        small = dict.fromkeys(_small(case) for case in cases if case.implementation == implementation)
        unbuilt = []
        for case in small:
            outcome = run_isolated(check_task, case, device=case.device, preload=PROBE_MODULE, timeout=TIMEOUT)
            if outcome.status == "ok":
                if not outcome.fields["has_width"]:
                    without_width.add(implementation)
                continue
            if outcome.status == "failed" and outcome.message.startswith("InvalidModule: "):
                unbuilt.append(outcome.message)
            else:
                raise InvalidCase(f"{case.label}: {outcome.status}: {outcome.message}; nothing was measured")
        if len(unbuilt) == len(small):
            raise InvalidCase(f"{unbuilt[0].removeprefix('InvalidModule: ')}; nothing was measured")
    return frozenset(without_width)


def check_task(case: Case, report: Report) -> dict[str, Any]:
    """Check one case; raise what ``check_output`` and ``check_gradients`` raise. This function imports torch.

    Raises:
        Located: when an error passes through the user's file or may be one of sizes; the message says where.
    """
    from benchmarks.measure.correctness import check_gradients, check_output
    from benchmarks.workloads.build import build_workload, configure
    from benchmarks.workloads.own import own_network_takes_width, place_in

    configure(case)
    workload = build_workload(case)
    try:
        found = check_output(workload)
        check_gradients(workload)
    except Exception as error:
        if where := place_in(error, case.implementation) + _if_of_sizes(case, error):
            raise Located(f"{type(error).__name__}: {error}{where}") from error
        raise
    has_width = case.layer != "network" or own_network_takes_width(case.implementation)
    return {"equivariance_error": found, "has_width": has_width}


def _small(case: Case) -> Case:
    """Return a small case of the same module, group, pass and kernel, on one thread and in the usual number format."""
    sizes = {name: min(size, getattr(case, name)) for name, size in SMALL.items()}
    if case.layer == "network":  # it may need images of this size
        sizes.pop("image_size")
    return replace(case, execution="eager", dtype="float32", threads=1, **sizes)


def _if_of_sizes(case: Case, error: Exception) -> str:
    """Return the sizes of the check, and how to choose others, for an error that sizes may cause; else nothing.

    All commands that take a user's layer have ``--no-check``, and all that take a network have ``--image-size``.
    """
    if not isinstance(error, AssertionError | IndexError | RuntimeError | ValueError):
        return ""
    others = "--image-size gives others" if case.layer == "network" else "--no-check measures without"
    return f" (checked on {case.batch_size} images of {case.image_size} × {case.image_size}; {others})"
