"""The plan of a sweep: the numbers of cases and blocks, the estimated time, and why cases would be skipped.

One layer of each kind is timed briefly. The time of any other case is proportional to its multiply–accumulates.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.cases.blocks import Block
from benchmarks.cases.case import Case
from benchmarks.cases.variants import VARIANTS
from benchmarks.measure.sampling import WARM_UP_SHARE, Sampling
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
# The greatest number of reasons to skip cases that is printed.
REASONS = 10


@dataclass(frozen=True)
class Survey:
    """Which cases of a sweep will run, and how long their passes take; the keys are case ids.

    Args:
        seconds: the estimated seconds of one pass, for each case that will run.
        reasons: the reason, for each case that will be skipped.
    """

    seconds: dict[str, float]
    reasons: dict[str, str]


def survey(cases: Sequence[Case]) -> Survey:
    """Run ``survey_task`` for each device, in a process of its own; raise ``RuntimeError`` if one of them fails."""
    found = Survey({}, {})
    for device in dict.fromkeys(case.device for case in cases):
        mine = tuple(case for case in cases if case.device == device)
        outcome = run_isolated(survey_task, mine, device=device, preload=PROBE_MODULE, timeout=TIMEOUT)
        if outcome.status != "ok":
            raise RuntimeError(f"the survey {outcome.status}: {outcome.message}")
        found.seconds.update(outcome.fields["seconds"])
        found.reasons.update(outcome.fields["reasons"])
    return found


def survey_task(cases: tuple[Case, ...], report: Report) -> dict[str, Any]:
    """Return the fields of a ``Survey``. This function imports torch."""
    from benchmarks.measure.available_memory import available_bytes
    from benchmarks.measure.memory_model import predict_bytes
    from benchmarks.sweep.probe import does_not_fit
    from benchmarks.workloads.build import convolution_macs
    from benchmarks.workloads.peers import why_unavailable

    macs: dict[Case, int] = {}
    calibrated: dict[tuple[str, str, str, int], float] = {}
    seconds, reasons = {}, {}
    for case in cases:
        if reason := why_unavailable(case) or does_not_fit(predict_bytes(case), available_bytes(case.device)):
            reasons[case.id] = reason
            continue
        shape = _shape(case)
        if shape not in macs:
            macs[shape] = convolution_macs(shape)
        seconds[case.id] = _seconds_per_mac(case, calibrated) * macs[shape] * case.batch_size
        report({})  # restarts the timeout
    return {"seconds": seconds, "reasons": reasons}


def _shape(case: Case) -> Case:
    """Return our case of the same shape, with one image; a user's layer counts as "full", a user's network as plain."""
    variant = "plain" if case.group == "trivial" else "full" if case.variant == "custom" else case.variant
    same = ("group", "resolution", "scales", "channels", "image_size", "kernel_size", "in_channels", "num_classes")
    axes: dict[str, Any] = {axis: getattr(case, axis) for axis in same}
    return Case(layer="resnet" if case.layer == "network" else case.layer, variant=variant, batch_size=1, **axes)


def _seconds_per_mac(case: Case, calibrated: dict[tuple[str, str, str, int], float]) -> float:
    """Return the seconds per multiply–accumulate of cases of this kind, from ``calibrated`` or by timing one layer."""
    from benchmarks.measure.clock import synchronised_clock, take_turn
    from benchmarks.workloads.build import build_workload, configure, convolution_macs

    variant = "plain" if case.group == "trivial" else VARIANTS[case.variant].costs_like
    key = variant, case.direction, case.device, case.threads
    if key not in calibrated:
        grid: dict[str, Any] = {"group": "trivial", "resolution": 1} if variant == "plain" else {}
        known = Case(variant=variant, direction=case.direction, device=case.device, threads=case.threads, **grid)
        configure(known)
        workload = build_workload(known)
        clock = synchronised_clock(known.device)
        times = [take_turn(workload.run, clock, 0.0, prepare=workload.prepare)[0] for _ in range(TRIED_PASSES)]
        calibrated[key] = min(times) / (convolution_macs(replace(known, batch_size=1)) * known.batch_size)
    return calibrated[key]


def block_seconds(block: Block, seconds: dict[str, float], sampling: Sampling) -> float:
    """Estimate the seconds that a block takes, with its twin; contenders without an estimate add nothing.

    >>> case = Case()
    >>> block = Block((case,), twin=case, seed=0)
    >>> round(block_seconds(block, {case.id: 1.0}, Sampling(rounds=5, min_samples=10, seconds=1.0)), 2)
    50.75
    """
    known = [case.id for case in block.cases if case.id in seconds]
    total = START_SECONDS[block.device] * (len(known) + sampling.rounds * bool(known))
    total += sum(PROBE_SECONDS + PROBE_PASSES * seconds[each] for each in known)
    for each in (seconds[case.id] for case in (*block.cases, block.twin) if case.id in seconds):
        total += max(sampling.min_samples * each, min(sampling.seconds, sampling.max_samples * each))
        total += max(2 * sampling.rounds * each, WARM_UP_SHARE * sampling.seconds)  # to warm up
        total += sampling.rounds * ROUND_SECONDS
    return total


def plan_lines(cases: int, there: int, plan: Sequence[Block], found: Survey, sampling: Sampling) -> list[str]:
    """Write the plan as lines of text: ``there`` of the ``cases`` have a record, and ``plan`` has the other cases."""
    total = sum(block_seconds(block, found.seconds, sampling) for block in plan)
    reasons = Counter(found.reasons.values())
    to_do, s = sum(len(block.cases) for block in plan), "" if len(plan) == 1 else "s"
    lines = [
        f"{cases} cases, {there} of them already there; {to_do} to do in {len(plan)} block{s} of {sampling.rounds} "
        f"rounds, about {minutes(total)}; {reasons.total()} will be skipped"
    ]
    lines += [f"  {count} × {reason}" for reason, count in reasons.most_common(REASONS)]
    if len(reasons) > REASONS:
        lines.append(f"  and {len(reasons) - REASONS} other reasons")
    return lines


def minutes(seconds: float) -> str:
    """Write a duration in hours and minutes, or in seconds if it is short.

    >>> minutes(7300)
    '2 h 2 min'
    """
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min" if rest else f"{seconds:.0f} s"
