"""How wide a network must be to cost as much as another: by parameters, MACs, memory or time of a training step.

Widths are (C, C, 2C) with an integer C, so a budget is met as nearly as integers allow. The ratio that is reached is
always stored beside the width.
"""

import dataclasses
import functools
import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import torch

from benchmarks.cases.training_run import DATASETS, TrainingRun
from benchmarks.measure.clock import counterbalanced, synchronised_clock, take_turn
from benchmarks.measure.memory import peak_memory
from benchmarks.records.provenance import moment, provenance
from benchmarks.running.isolated import Report
from benchmarks.training.networks import build_network, network_config
from benchmarks.workloads.build import LEARNING_RATE, configure
from benchmarks.workloads.workload import Workload
from gcnn_impl import generation_macs
from gcnn_impl.models import build, count_macs, count_parameters

# "folder" learns from its files how many classes there are; this is a guess, of one layer.
CLASSES = 10
MOST_CHANNELS = 1024
# Of a measurement: turns that two networks take, and the passes of a turn after a first one that nobody counts, which
# finds the caches full of the other network.
TURNS, PASSES = 3, 3


def match_task(task: tuple[str, TrainingRun, TrainingRun], report: Report) -> dict[str, Any]:
    """The width at which a contender's cost comes nearest to the reference's.

    Args:
        task: by which budget, the reference, and the contender, at any width.

    Returns:
        ``channels``; ``target`` and ``achieved``, the costs of both.
    """
    budget, reference, contender = task
    torch.set_num_threads(reference.threads)
    if budget == "time":
        cost, target = functools.cache(lambda run: relative_step_seconds(reference, run)), 1.0
    else:
        cost = functools.cache(COSTS[budget])
        target = cost(reference)
    at_width = lambda channels: cost(dataclasses.replace(contender, channels=channels))  # noqa: E731
    channels = nearest_width(at_width, target)
    return {"channels": channels, "target": target, "achieved": at_width(channels)}


def nearest_width(cost: Callable[[int], float], target: float, most: int = MOST_CHANNELS) -> int:
    """The integer from 1 to ``most`` whose cost has the ratio to the target that is nearest to 1.

    Args:
        cost: grows with its argument. It is asked a few times only: doubling, then bisection.

    >>> nearest_width(lambda channels: channels**2, 26)
    5
    """
    low, high = 1, 1
    while high < most and cost(high) < target:
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if cost(middle) < target else (low, middle)
    return min((low, high), key=lambda channels: abs(math.log(cost(channels) / target)))


def parameters(run: TrainingRun) -> float:
    """Learnable numbers."""
    return count_parameters(_config(run))


def macs(run: TrainingRun) -> float:
    """Multiply–accumulates of one image's forward in training: its part of generating the kernels included.

    Kernels are generated once a step, so an image has one over the batch of that. Backward is twice the forward for
    every contender.
    """
    generation = generation_macs(build(_config(run), device="meta"))
    return count_macs(_config(run), run.image_size) + generation / run.batch_size


def step_bytes(run: TrainingRun) -> float:
    """Peak memory of one training step above what is there before it, measured."""
    workload = step_workload(run)
    workload.prepare()
    workload.run()  # makes the optimiser's state
    return float(peak_memory(workload.run, run.device, prepare=workload.prepare)["peak_bytes"])


COSTS: dict[str, Callable[[TrainingRun], float]] = {"parameters": parameters, "macs": macs, "memory": step_bytes}


def relative_step_seconds(reference: TrainingRun, contender: TrainingRun) -> float:
    """Time of the contender's training step over the reference's, both measured here in turns."""
    times = interleaved_steps([reference, contender], TURNS, PASSES)
    return statistics.median(times[1]) / statistics.median(times[0])


def interleaved_steps(runs: Sequence[TrainingRun], turns: int, passes: int) -> list[list[float]]:
    """Seconds of training steps of each run, which take turns of ``passes`` steps, after one that nobody counts."""
    workloads = [step_workload(run) for run in runs]
    clock = synchronised_clock(runs[0].device)
    times: list[list[float]] = [[] for _ in runs]
    for i in itertools.islice(counterbalanced(len(runs), 0), turns * len(runs)):
        seconds = take_turn(workloads[i].run, clock, math.inf, prepare=workloads[i].prepare, most=passes + 1)
        times[i] += seconds[1:]
    return times


def pace_task(task: tuple[tuple[TrainingRun, ...], int], report: Report) -> dict[str, Any]:
    """A round: seconds of ``PASSES`` training steps of each run, in this process; odd rounds go backwards.

    Returns:
        ``seconds``, a list for each run; and the ``provenance`` of where they were measured.
    """
    runs, number = task
    before = moment()
    torch.set_num_threads(runs[0].threads)
    order = range(len(runs)) if number % 2 == 0 else reversed(range(len(runs)))
    times: list[list[float]] = [[] for _ in runs]
    for i in order:  # built one at a time, as in training: a network finds the memory to itself
        (seconds,) = interleaved_steps([runs[i]], 1, 1 + PASSES)
        times[i] = seconds[1:]  # the second step still makes room
        report({"measured": i})
    where = provenance(device=runs[0].device, threads=runs[0].threads, before=before)
    return {"seconds": times, "provenance": where}


def step_workload(run: TrainingRun) -> Workload:
    """Training steps of a run on made-up images: forward, backward and Adam."""
    configure(run.case())
    in_channels, classes = _shape(run)
    module = build_network(run, in_channels, classes, run.device).train()
    x = torch.randn(run.batch_size, in_channels, run.image_size, run.image_size, device=run.device)
    cotangent = torch.randn(run.batch_size, classes, device=run.device) / run.batch_size
    autocast = torch.bfloat16 if run.dtype == "bfloat16" else None
    if autocast is not None:
        cotangent = cotangent.to(autocast)
    optimiser = torch.optim.Adam(module.parameters(), LEARNING_RATE, fused=True)
    call = torch.compile(module) if run.compile else None
    return Workload(module, x, cotangent, None, True, optimiser=optimiser, call=call, autocast=autocast)


def _config(run: TrainingRun) -> Any:
    return network_config(run, *_shape(run))


def _shape(run: TrainingRun) -> tuple[int, int]:
    images = DATASETS[run.dataset]
    return images.channels, images.classes or CLASSES
