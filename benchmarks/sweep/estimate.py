"""What a sweep would do: how many cases and blocks, how long, and what it would skip and why. Nothing is stored.

The time is an estimate. A few layers are timed here for a moment; another case takes as many times longer as it has
more multiply–accumulates than the one of its kind.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.cases.blocks import Block
from benchmarks.cases.case import Case
from benchmarks.cases.variants import VARIANTS
from benchmarks.measure.sampling import WARM_UP_SHARE, Sampling
from benchmarks.records.outcome import Outcome
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.sweep.tasks import PROBE_MODULE

# Passes of a probe: of the gate, the memory, the stages, the operators.
PROBE_PASSES = 15
# Of one contender, whatever its size: a process and its profilers; and its part of a round's process.
PROBE_SECONDS = 0.6
ROUND_SECONDS = 0.05
PASSES = 3
TIMEOUT = 600.0
# Of the reasons to skip cases, so many are printed.
REASONS = 10


@dataclass(frozen=True)
class Survey:
    """What is known of cases before they run, by their ids.

    Args:
        seconds: of a pass, estimated.
        reasons: why it will be skipped, for those that will.
    """

    seconds: dict[str, float]
    reasons: dict[str, str]


def survey(cases: Sequence[Case], device: str) -> Survey:
    """Estimate and look for reasons to skip, in a process of its own.

    Raises:
        RuntimeError: when that process fails.
    """
    found: Outcome = run_isolated(survey_task, tuple(cases), device=device, preload=PROBE_MODULE, timeout=TIMEOUT)
    if found.status != "ok":
        raise RuntimeError(f"the survey {found.status}: {found.message}")
    return Survey(**found.fields)


def survey_task(cases: tuple[Case, ...], report: Report) -> dict[str, Any]:
    """The fields of a ``Survey``; runs where torch is."""
    from benchmarks.measure.available_memory import available_bytes
    from benchmarks.measure.memory_model import predict_bytes
    from benchmarks.sweep.probe import does_not_fit
    from benchmarks.workloads.build import convolution_macs
    from benchmarks.workloads.peers import why_unavailable

    macs: dict[Case, int] = {}
    calibrated: dict[tuple[str, str, str, int], float] = {}
    seconds, reasons = {}, {}
    for case in cases:
        reason = why_unavailable(case)
        reason = reason or does_not_fit(predict_bytes(case), available_bytes(case.device))
        if reason is not None:
            reasons[case.id] = reason
            continue
        shape = _shape(case)
        if shape not in macs:
            macs[shape] = convolution_macs(shape)
        rate = _seconds_per_mac(case, calibrated)
        seconds[case.id] = rate * macs[shape] * case.batch_size
        report({})  # a sign of life
    return {"seconds": seconds, "reasons": reasons}


def _shape(case: Case) -> Case:
    """The case of one image with the same layer of ours."""
    variant = "full" if case.variant == "custom" else case.variant
    shape: dict[str, Any] = {"channels": case.channels, "image_size": case.image_size, "kernel_size": case.kernel_size}
    grid: dict[str, Any] = {"group": case.group, "resolution": case.resolution, "scales": case.scales}
    return Case(
        layer=case.layer, variant="plain" if case.group == "trivial" else variant, batch_size=1, **grid, **shape
    )


def _seconds_per_mac(case: Case, calibrated: dict[tuple[str, str, str, int], float]) -> float:
    from benchmarks.measure.clock import synchronised_clock, take_turn
    from benchmarks.workloads.build import build, configure, convolution_macs

    variant = "plain" if case.group == "trivial" else VARIANTS[case.variant].costs_like
    key = variant, case.direction, case.device, case.threads
    if key not in calibrated:
        grid: dict[str, Any] = {"group": "trivial", "resolution": 1} if variant == "plain" else {}
        known = Case(variant=variant, direction=case.direction, device=case.device, threads=case.threads, **grid)
        configure(known)
        workload = build(known)
        clock = synchronised_clock(known.device)
        times = [take_turn(workload.run, clock, 0.0, prepare=workload.prepare)[0] for _ in range(PASSES)]
        calibrated[key] = min(times) / (convolution_macs(replace(known, batch_size=1)) * known.batch_size)
    return calibrated[key]


def block_seconds(block: Block, seconds: dict[str, float], sampling: Sampling) -> float:
    """How long a block takes, its twin included; contenders without an estimate take no time.

    >>> case = Case()
    >>> block = Block((case,), twin=case, seed=0)
    >>> round(block_seconds(block, {case.id: 1.0}, Sampling(rounds=5, min_samples=10, seconds=1.0)), 2)
    46.1
    """
    probes = [PROBE_SECONDS + PROBE_PASSES * seconds[case.id] for case in block.cases if case.id in seconds]
    entries = [seconds[case.id] for case in (*block.cases, block.twin) if case.id in seconds]
    return sum(probes) + sum(_timing_seconds(each, sampling) for each in entries)


def _timing_seconds(each: float, sampling: Sampling) -> float:
    timed = max(sampling.min_samples * each, min(sampling.seconds, sampling.max_samples * each))
    warm = max(sampling.rounds * each, WARM_UP_SHARE * sampling.seconds)
    return timed + warm + sampling.rounds * ROUND_SECONDS


def plan_lines(cases: int, there: int, plan: Sequence[Block], found: Survey, sampling: Sampling) -> list[str]:
    """The plan, for people.

    Args:
        cases: how many were asked for.
        there: how many of these have a record.
        plan: the blocks of the others.
        found: what is known of them.
        sampling: how often each is repeated.
    """
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
    """A duration for people.

    >>> minutes(7300)
    '2 h 2 min'
    """
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min" if rest else f"{seconds:.0f} s"
