"""The stages of a pass: the times of forward, backward and optimiser, and of the parts of forward.

- Kernel generation: ``layer.kernels``, from the parameters or from the cache.
- Group mixing: ``functional.group_mix``, ``channel_mix`` and depthwise convolutions over H alone.
- Spatial convolution: the rest of a layer's work with its kernels, including copies into another layout; everything in
  variants that convolve over the group and the plane at once, and in a plain ``nn.Conv2d``.
- Other: norms, activations, pooling, the classifier.

The layers are watched (their functions are wrapped) while the stages are measured, never while anything else is timed.
To split another growing quantity, such as multiply–accumulates, into the stages, give a clock that returns it.
"""

import contextlib
import statistics
from collections.abc import Iterator
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.measure.clock import Clock
from benchmarks.measure.replaced import replaced
from benchmarks.workloads.workload import Workload, generates_kernels
from gcnn_impl import functional

INSIDE_FORWARD = ("kernel_generation", "group_mixing", "spatial_convolution", "other")
PHASES = ("forward", "backward", "optimiser")
# The functions that mix over H or the channels alone if their kernel has a single tap in the plane.
_MIXING = ("group_mix", "fourier_group_mix", "channel_mix", "depthwise_group_conv2d")


class StageClock:
    """Adds the time that passes on a clock to the innermost open stage.

    >>> ticks = iter([0, 2, 5, 6])
    >>> clock = StageClock(lambda: next(ticks))
    >>> with clock.stage("outer"):
    ...     with clock.stage("inner"):
    ...         pass
    >>> clock.total()
    {'outer': 3.0, 'inner': 3.0}
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: list[str] = []
        self._since = 0.0
        self._total: dict[str, float] = {}

    def total(self) -> dict[str, float]:
        """Return the time of each stage."""
        return self._total

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._charge()
        self._open.append(name)
        try:
            yield
        finally:
            self._charge()
            self._open.pop()

    def _charge(self) -> None:
        now = self._clock()
        if self._open:
            self._total[self._open[-1]] = self._total.get(self._open[-1], 0.0) + now - self._since
        self._since = now

    @contextlib.contextmanager
    def inside(self, module: nn.Module) -> Iterator[None]:
        """Watch the layers of a module, and count the time outside their stages as "other"."""
        with contextlib.ExitStack() as stack:
            for layer in module.modules():
                if generates_kernels(layer):
                    self._watch(stack, layer, "kernels", "kernel_generation")
                    self._watch(stack, layer, "convolve", "spatial_convolution")
                elif isinstance(layer, nn.Conv2d):
                    self._watch(stack, layer, "forward", "spatial_convolution")
            for name in _MIXING:
                self._watch(stack, functional, name, "group_mixing")
            stack.enter_context(self.stage("other"))
            yield

    def _watch(self, stack: contextlib.ExitStack, owner: Any, name: str, stage: str) -> None:
        """Wrap a function of a layer or a module, until the stack is closed, so that every call opens the stage."""

        def wrap(function: Any) -> Any:
            @wraps(function)
            def watched(*arguments: Any, **options: Any) -> Any:
                counts = stage != "group_mixing" or _has_one_tap(*arguments)
                with self.stage(stage) if counts else contextlib.nullcontext():
                    return function(*arguments, **options)

            return watched

        stack.enter_context(replaced(owner, name, wrap))


def _has_one_tap(x: Tensor, kernel: Tensor, *others: object) -> bool:
    return kernel.dim() <= 4 or kernel.shape[-2:] == (1, 1)


def stage_seconds(workload: Workload, clock: Clock, *, passes: int) -> dict[str, float | None]:
    """Measure the median time of each stage, in passes that are used for nothing else.

    Three measurements take turns, so that a drift of the machine affects them alike: the phases of a pass without
    watching, the forward with the layers watched, and the generation of the kernels with its backward.

    Args:
        workload: a layer or a network; of a compiled one only the phases are measured.
        clock: clock in seconds, synchronised with the device.
        passes: number of measured passes, at least 1; if there are several, one more warms up.

    Returns:
        Seconds by the names in ``INSIDE_FORWARD`` and ``PHASES``, None for stages that do not occur; and
        ``kernel_generation_share``, the share of a whole pass (the sum of the phases) that generating the kernels, with
        its backward, takes; None where no kernels are generated or the module is compiled.
    """
    found: dict[str, list[float]] = {}
    for is_timed in [False] * (passes > 1) + [True] * passes:
        phases = _phases(workload, clock)
        inside = {} if workload.call is not None else _inside_forward(workload, clock)
        if "kernel_generation" in inside:
            inside["kernel_generation_share"] = _generation(workload, clock) / sum(phases.values())
        if is_timed:
            for name, value in (phases | inside).items():
                found.setdefault(name, []).append(value)
    workload.prepare()
    names = (*INSIDE_FORWARD, *PHASES, "kernel_generation_share")
    return {name: statistics.median(found[name]) if name in found else None for name in names}


def _phases(workload: Workload, clock: Clock) -> dict[str, float]:
    workload.prepare()
    stages = StageClock(clock)
    with stages.stage("forward"):
        y = workload.forward()
    if workload.backward:
        with stages.stage("backward"):
            workload.backpropagate(y)
    if workload.optimiser is not None:
        with stages.stage("optimiser"):
            workload.step()
    return stages.total()


def _inside_forward(workload: Workload, clock: Clock) -> dict[str, float]:
    workload.prepare()
    stages = StageClock(clock)
    with stages.inside(workload.module):
        workload.forward()
    return stages.total()


def _generation(workload: Workload, clock: Clock) -> float:
    """Return the seconds of all layers' ``kernels`` and, if the pass has a backward, of the kernels' gradients."""
    workload.prepare()
    seconds = 0.0
    for layer in filter(generates_kernels, workload.module.modules()):
        with contextlib.nullcontext() if workload.backward else torch.inference_mode():
            start = clock()
            kernels: tuple[Tensor, ...] = layer.kernels()  # type: ignore[operator]
            seconds += clock() - start
        if not workload.backward:
            continue
        kernels = tuple(kernel for kernel in kernels if kernel.requires_grad)
        parameters = [parameter for parameter in layer.parameters() if parameter.requires_grad]
        cotangents = [torch.ones_like(kernel) for kernel in kernels]
        start = clock()
        torch.autograd.grad(kernels, parameters, cotangents, allow_unused=True)
        seconds += clock() - start
    return seconds
