"""The width at which a network costs as much as another: in parameters, MACs, memory, maps or time of a training step.

Widths are (C, C, 2C) with an integer C, so a budget is met only approximately; the achieved cost is stored as well.
"""

import dataclasses
import functools
import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.cases.case import InvalidCase, is_own
from benchmarks.cases.training_run import TrainingRun
from benchmarks.cases.variants import TURNED
from benchmarks.measure.clock import counterbalanced, synchronised_clock, take_turn
from benchmarks.measure.macs import trace_macs
from benchmarks.measure.memory import peak_memory
from benchmarks.records.provenance import moment, provenance
from benchmarks.running.isolated import Report
from benchmarks.training.augmentation import Augmentation
from benchmarks.training.networks import build_network, kernel_options
from benchmarks.workloads import networks
from benchmarks.workloads.build import LEARNING_RATE, configure
from benchmarks.workloads.own import own_network_takes_width
from benchmarks.workloads.workload import Workload, set_mode
from gcnn_impl import generation_macs, module_macs

MOST_CHANNELS = 1024
# When two networks are compared: the number of turns of each, and of timed passes in a turn. Each turn begins with a
# pass that is not timed, because the caches then hold the other network's data.
TURNS, PASSES = 3, 3


def match_widths(task: tuple[str, TrainingRun, TrainingRun], report: Report) -> dict[str, Any]:
    """Find the width ``channels`` whose cost ``achieved`` is nearest to ``target``, the reference's cost.

    A user's network that takes no width has the cost that it has.

    Args:
        task: the budget, the reference, and the contender at any width.
    """
    budget, reference, contender = task
    torch.set_num_threads(reference.threads)
    cost = (lambda run: relative_step_seconds(reference, run)) if budget == "time" else COSTS[budget]

    @functools.cache
    def at_width(channels: int) -> float:
        return cost(dataclasses.replace(contender, channels=channels))

    target = 1.0 if budget == "time" else cost(reference)
    channels = nearest_width(at_width, target) if _takes_width(contender) else contender.channels
    return {"channels": channels, "target": target, "achieved": at_width(channels)}


def _takes_width(run: TrainingRun) -> bool:
    return not is_own(run.network) or own_network_takes_width(run.network)


def nearest_width(cost: Callable[[int], float], target: float, most: int = MOST_CHANNELS) -> int:
    """Return the integer from 1 to ``most`` whose cost, divided by the target, is nearest to 1.

    Args:
        cost: function that grows with its argument, nearly: times do not grow with every width. The search doubles and
            then bisects, so that it makes few calls, and returns the nearest of all widths that it tried.

    >>> nearest_width(lambda channels: channels**2, 26)
    5
    """
    tried: dict[int, float] = {}

    def at(channels: int) -> float:
        tried[channels] = cost(channels)
        return tried[channels]

    low, high = 1, 1
    while at(high) < target and high < most:
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at(middle) < target else (low, middle)
    return min(tried, key=lambda channels: abs(math.log(tried[channels] / target)))


def parameters(run: TrainingRun) -> float:
    """Return the number of parameters."""
    return sum(parameter.numel() for parameter in _on_meta(run).parameters())


def macs(run: TrainingRun) -> float:
    """Return the multiply–accumulates of one image's forward pass in training, with its share of kernel generation.

    Kernels are generated once a step, so the share is one over the batch size. The backward pass is left out: it takes
    twice the forward pass for every contender.
    """
    if is_own(run.network):
        return _own_macs(run)
    network, (channels, _) = _on_meta(run), _shape(run)
    network = getattr(network, "network", network) if run.variant == "averaged" else network  # one copy in training
    image = torch.empty(1, channels, run.image_size, run.image_size, device="meta")
    return module_macs(network, image) + generation_macs(network) / run.batch_size


def _own_macs(run: TrainingRun) -> float:
    network, (channels, classes) = run.network, _shape(run)
    image = torch.zeros(1, channels, run.image_size, run.image_size)
    counted = trace_macs(build_network(run, channels, classes, "cpu"), image)
    if counted["convolution"] is None:
        raise InvalidCase(f"the MACs of {network} cannot be counted ({counted['not_counted']}); allowed: other matches")
    return float(counted["convolution"])


def step_bytes(run: TrainingRun) -> float:
    """Measure the peak memory of one training step above the memory in use before the step."""
    workload = step_workload(run)
    workload.prepare()
    workload.run()  # creates the optimiser's state
    return float(peak_memory(workload.run, run.device, prepare=workload.prepare)["peak_bytes"])


def maps(run: TrainingRun) -> float:
    """Return C·|H|, the number of maps of the first layers in training."""
    return run.channels * (1 if run.variant in TURNED else run.resolution)


COSTS: dict[str, Callable[[TrainingRun], float]] = {
    "parameters": parameters,
    "macs": macs,
    "memory": step_bytes,
    "maps": maps,
}


def relative_step_seconds(reference: TrainingRun, contender: TrainingRun) -> float:
    """Measure training steps in turns; return the contender's median time divided by the reference's."""
    times = interleaved_steps([reference, contender], TURNS, PASSES)
    return statistics.median(times[1]) / statistics.median(times[0])


def interleaved_steps(runs: Sequence[TrainingRun], turns: int, passes: int) -> list[list[float]]:
    """Measure the seconds of each run's training steps, in turns of one untimed step and ``passes`` timed steps."""
    workloads = [step_workload(run) for run in runs]
    clock = synchronised_clock(runs[0].device)
    times: list[list[float]] = [[] for _ in runs]
    for i in itertools.islice(counterbalanced(len(runs), 0), turns * len(runs)):
        seconds = take_turn(workloads[i].run, clock, math.inf, prepare=workloads[i].prepare, most=passes + 1)
        times[i] += seconds[1:]
    return times


def measure_pace(task: tuple[tuple[TrainingRun, ...], int], report: Report) -> dict[str, Any]:
    """Measure a round: the ``seconds`` of ``PASSES`` training steps of each run, and the ``provenance``.

    Odd rounds measure the runs in reverse order.
    """
    runs, number = task
    before = moment()
    torch.set_num_threads(runs[0].threads)
    times: list[list[float]] = [[] for _ in runs]
    # Networks are built one at a time: as in training, each has the memory to itself.
    for i in sorted(range(len(runs)), reverse=number % 2 == 1):
        (seconds,) = interleaved_steps([runs[i]], 1, 1 + PASSES)
        times[i] = seconds[1:]  # the second step still allocates memory
        report({"measured": i})
    return {"seconds": times, "provenance": provenance(device=runs[0].device, threads=runs[0].threads, before=before)}


def step_workload(run: TrainingRun) -> Workload:
    """Return the training step of a run on random images: forward, backward and Adam."""
    configure(run.case())
    in_channels, classes = _shape(run)
    module = set_mode(build_network(run, in_channels, classes, run.device), training=True)
    x = torch.randn(run.batch_size, in_channels, run.image_size, run.image_size, device=run.device)
    autocast = torch.bfloat16 if run.dtype == "bfloat16" else None
    cotangent = (torch.randn(run.batch_size, classes, device=run.device) / run.batch_size).to(autocast or x.dtype)
    optimiser = torch.optim.Adam(module.parameters(), LEARNING_RATE, fused=True)
    network = torch.compile(module) if run.compile else module
    augmentation = Augmentation.of(run, (0.0,) * in_channels, (1.0,) * in_channels)

    def call(images: Tensor) -> Tensor:
        logits: Tensor = network(augmentation(images))
        return logits

    return Workload(module, x, cotangent, None, True, optimiser=optimiser, call=call, autocast=autocast)


def _on_meta(run: TrainingRun) -> nn.Module:
    """Return the network without values."""
    return networks.build_network(run.case(), meta=True, **kernel_options(run))


def _shape(run: TrainingRun) -> tuple[int, int]:
    case = run.case()
    return case.in_channels, case.num_classes
