"""Estimates how long the cases of a sweep take, how much memory they need, and why they would be skipped.

One layer of each kind is timed briefly. The time of any other case is proportional to its multiply–accumulates.
"""

import functools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.cases.blocks import Block
from benchmarks.cases.case import Case
from benchmarks.cases.variants import VARIANTS
from benchmarks.measure.sampling import WARM_UP_SHARE, Sampling
from benchmarks.records.provenance import gpu_name
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.sweep.processes import PROBE_MODULE

# Passes that a probe runs: for the checks, memory, stages and operators.
PROBE_PASSES = 10
# Seconds that every contender adds: for the process and the profilers of its probe, and for its part in a round.
PROBE_SECONDS = 0.25
ROUND_SECONDS = 0.05
# Seconds that every process on a device adds: to open CUDA, its libraries and their kernels takes about two seconds (an
# assumption, not yet measured). Processes on the CPU are forked within milliseconds.
START_SECONDS = {"cpu": 0.0, "cuda": 2.0}
# The number of passes for which each layer is timed here; the estimate uses the fastest pass.
TRIED_PASSES = 3
TIMEOUT = 600.0
# The variant whose costs stand for a case's, its direction, device and threads.
Kind = tuple[str, str, str, int]


@dataclass(frozen=True)
class Survey:
    """Which cases of a sweep will run, and how long their passes take; the keys are case ids.

    Args:
        seconds: the estimated seconds of one pass, for each case that will run and whose time is known.
        reasons: the reason, for each case that will be skipped.
        needs: the predicted bytes of each case.
    """

    seconds: dict[str, float]
    reasons: dict[str, str]
    needs: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """Seconds of a pass of some cases, on the machine of a plan; empty to measure on this machine."""

    seconds: Mapping[Case, float] = field(default_factory=dict)

    @property
    def devices(self) -> set[str]:
        return {case.device for case in self.seconds}


NOTHING_KNOWN = Known()


def survey(cases: Sequence[Case], known: Known = NOTHING_KNOWN) -> Survey:
    """Run ``survey_task`` for each device, in a process of its own; raise ``RuntimeError`` if one of them fails.

    Without a GPU, cases for a GPU get a time only from ``known``, and are not compared with its memory.
    """
    found = Survey({}, {}, {})
    for device in dict.fromkeys(case.device for case in cases):
        mine = tuple(case for case in cases if case.device == device)
        elsewhere = device in known.devices or (device == "cuda" and gpu_name() is None)
        times = {case: seconds for case, seconds in known.seconds.items() if case.device == device}
        on = "cpu" if elsewhere else device
        argument = mine, elsewhere, times
        outcome = run_isolated(survey_task, argument, device=on, preload=PROBE_MODULE, timeout=TIMEOUT)
        if outcome.status != "ok":
            raise RuntimeError(f"the survey {outcome.status}: {outcome.message}")
        for name, values in outcome.fields.items():
            getattr(found, name).update(values)
    return found


def survey_task(task: tuple[tuple[Case, ...], bool, dict[Case, float]], report: Report) -> dict[str, Any]:
    """Return the fields of a ``Survey``; this function imports torch.

    ``task`` has the cases, whether another machine would run them, and seconds of passes that are known of it.
    """
    from benchmarks.measure.available_memory import available_bytes
    from benchmarks.measure.memory_model import predict_bytes
    from benchmarks.sweep.probe import does_not_fit
    from benchmarks.workloads.peers import why_unavailable

    cases, elsewhere, known = task
    calibrated = _rates(known)
    seconds, reasons, needs = {}, {}, {}
    for case in cases:
        needs[case.id] = predict_bytes(case)
        fits = None if elsewhere else does_not_fit(needs[case.id], available_bytes(case.device))
        if reason := why_unavailable(case) or fits:
            reasons[case.id] = reason
        elif case in known:
            seconds[case.id] = known[case]
        elif (key := _kind(case)) in calibrated or not elsewhere:
            if key not in calibrated:
                calibrated[key] = _timed_rate(case)
            seconds[case.id] = calibrated[key] * _macs(case)
        report({})  # restarts the timeout
    return {"seconds": seconds, "reasons": reasons, "needs": needs}


def _rates(known: Mapping[Case, float]) -> dict[Kind, float]:
    """Return the median seconds per multiply–accumulate of each kind of cases."""
    rates: dict[Kind, list[float]] = {}
    for case, seconds in known.items():
        rates.setdefault(_kind(case), []).append(seconds / _macs(case))
    return {kind: statistics.median(values) for kind, values in rates.items()}


def _kind(case: Case) -> Kind:
    """Return what cases share whose time is proportional to their multiply–accumulates."""
    variant = "plain" if case.group == "trivial" else VARIANTS[case.variant].costs_like
    return variant, case.direction, case.device, case.threads


def _macs(case: Case) -> int:
    """Return the multiply–accumulates of a forward of our case of the same shape."""
    return _macs_of_an_image(_shape(case)) * case.batch_size


@functools.cache
def _macs_of_an_image(shape: Case) -> int:
    from benchmarks.workloads.build import convolution_macs

    return convolution_macs(shape)


def _shape(case: Case) -> Case:
    """Return our case of the same shape, with one image; a user's layer counts as "full", a user's network as plain."""
    variant = "plain" if case.group == "trivial" else "full" if case.variant == "custom" else case.variant
    same = ("group", "resolution", "scales", "channels", "image_size", "kernel_size", "in_channels", "num_classes")
    axes: dict[str, Any] = {axis: getattr(case, axis) for axis in same}
    return Case(layer="resnet" if case.layer == "network" else case.layer, variant=variant, batch_size=1, **axes)


def _timed_rate(case: Case) -> float:
    """Return the seconds per multiply–accumulate of cases of this kind, by timing one layer."""
    from benchmarks.measure.clock import synchronised_clock, take_turn
    from benchmarks.workloads.build import build_workload, configure

    variant, *_ = _kind(case)
    grid: dict[str, Any] = {"group": "trivial", "resolution": 1} if variant == "plain" else {}
    known = Case(variant=variant, direction=case.direction, device=case.device, threads=case.threads, **grid)
    configure(known)
    workload = build_workload(known)
    clock = synchronised_clock(known.device)
    times = [take_turn(workload.run, clock, 0.0, prepare=workload.prepare)[0] for _ in range(TRIED_PASSES)]
    return min(times) / _macs(known)


def block_seconds(block: Block, seconds: Mapping[str, float], sampling: Sampling) -> float:
    """Estimate the seconds that a block takes, with its twin; contenders without an estimate add nothing.

    >>> case = Case()
    >>> block = Block((case,), twin=case, seed=0)
    >>> round(block_seconds(block, {case.id: 1.0}, Sampling(rounds=5, min_samples=10, seconds=1.0)), 2)
    50.75
    """
    return sum(seconds_by_case(block, seconds, sampling).values())


def seconds_by_case(block: Block, seconds: Mapping[str, float], sampling: Sampling) -> dict[Case, float]:
    """Estimate the seconds that each contender of a block takes; the twin counts with the contender that it repeats."""
    known = [case for case in block.cases if case.id in seconds]
    starts = START_SECONDS[block.device] * (1 + sampling.rounds / len(known)) if known else 0.0
    found = {}
    for case in known:
        each = seconds[case.id]
        timed = max(sampling.min_samples * each, min(sampling.seconds, sampling.max_samples * each))
        timed += max(2 * sampling.rounds * each, WARM_UP_SHARE * sampling.seconds)  # to warm up
        timed += sampling.rounds * ROUND_SECONDS
        times = 2 if case == block.twin else 1
        found[case] = starts + PROBE_SECONDS + PROBE_PASSES * each + times * timed
    return found


def minutes(seconds: float) -> str:
    """Write a duration in hours and minutes, or in seconds if it is short.

    >>> minutes(7300), minutes(89)
    ('2 h 2 min', '89 s')
    """
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"
