"""Where the time of a pass goes: forward, backward and optimiser, and inside of forward.

===================  =================================================================================================
stage                what it is
===================  =================================================================================================
kernel generation    ``layer.kernels``: from the parameters, or out of the cache
group mixing         ``functional.group_mix``, ``channel_mix`` and depthwise convolutions over H alone
spatial convolution  all else that a layer does with its kernels, the copies into another layout included: all of it in
                     variants that convolve over the group and the plane at once; a plain ``nn.Conv2d``
other                all else: norms, activations, pooling, the classifier
===================  =================================================================================================

The layers are watched while the stages are taken and never while anything else is timed. Whoever measures another
quantity that only grows (multiply–accumulates, say) gives another clock.
"""

import contextlib
import statistics
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.measure.clock import Clock
from benchmarks.workloads.workload import Workload
from gcnn_impl import functional

INSIDE_FORWARD = ("kernel_generation", "group_mixing", "spatial_convolution", "other")
PHASES = ("forward", "backward", "optimiser")
# What acts over H or the channels alone, when its kernel has a single tap (or none to speak of).
_MIXING = ("group_mix", "channel_mix", "depthwise_group_conv2d")


class StageClock:
    """Charges what passes on a clock to the innermost stage that is open.

    >>> ticks = iter([0, 2, 5, 6])
    >>> clock = StageClock(lambda: next(ticks))
    >>> with clock.stage("outer"):
    ...     with clock.stage("inner"):
    ...         pass
    >>> clock.total()
    {'outer': 3, 'inner': 3}
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: list[str] = []
        self._since = 0.0
        self._total: dict[str, float] = {}

    def total(self) -> dict[str, float]:
        """What was charged to each stage that was opened."""
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
        """Watch the layers of a module, and charge what is none of their stages to "other"."""
        with contextlib.ExitStack() as stack:
            for layer in module.modules():
                if hasattr(layer, "kernels") and hasattr(layer, "convolve"):
                    self._watch(stack, layer, "kernels", "kernel_generation")
                    self._watch(stack, layer, "convolve", "spatial_convolution")
                elif isinstance(layer, nn.Conv2d):
                    self._watch(stack, layer, "forward", "spatial_convolution")
            for name in _MIXING:
                self._watch(stack, functional, name, "group_mixing", when=_has_one_tap)
            stack.enter_context(self.stage("other"))
            yield

    def _watch(
        self,
        stack: contextlib.ExitStack,
        owner: Any,
        name: str,
        stage: str,
        *,
        when: Callable[..., bool] = lambda *arguments: True,
    ) -> None:
        """Open the stage in every call of a function of a layer or a module, until the stack is closed."""
        function = getattr(owner, name)
        own = name in vars(owner)

        @wraps(function)
        def watched(*arguments: Any, **options: Any) -> Any:
            with self.stage(stage) if when(*arguments) else contextlib.nullcontext():
                return function(*arguments, **options)

        setattr(owner, name, watched)
        stack.callback(setattr, owner, name, function) if own else stack.callback(delattr, owner, name)


def _has_one_tap(x: Tensor, kernel: Tensor) -> bool:
    return kernel.dim() <= 4 or kernel.shape[-2:] == (1, 1)


def stage_seconds(workload: Workload, clock: Clock, *, passes: int) -> dict[str, float | None]:
    """Medians of the stages over passes of their own.

    A pass is taken three times in turn, so that a machine that drifts bends all alike: by phases with nothing watched,
    its forward alone with the layers watched, and the generation of its kernels alone with its backward.

    Args:
        workload: a layer or a network; of a compiled one only the phases can be told apart.
        clock: seconds, synchronised with the device.
        passes: at least 1; one more goes to warming up.

    Returns:
        Seconds by the names in ``INSIDE_FORWARD`` and ``PHASES``, None for what does not occur; and
        ``kernel_generation_share``, what generating the kernels and its backward take of a whole pass (phases added
        up): None where there is no kernel to generate or its cost is hidden in a compiled module.
    """
    times: dict[str, list[float]] = {}
    shares: list[float] = []
    for is_timed in [False] + [True] * passes:
        phases = _phases(workload, clock)
        inside = {} if workload.call is not None else _inside_forward(workload, clock)
        if is_timed:
            for stage, seconds in (phases | inside).items():
                times.setdefault(stage, []).append(seconds)
        generation = _generation(workload, clock) if "kernel_generation" in inside else None
        if is_timed and generation is not None:
            shares.append(generation / sum(phases.values()))
    workload.prepare()
    medians = {
        stage: statistics.median(times[stage]) if stage in times else None for stage in (*INSIDE_FORWARD, *PHASES)
    }
    return medians | {"kernel_generation_share": statistics.median(shares) if shares else None}


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
    """Seconds of all layers' ``kernels`` and, in a pass with a backward, of their gradients from fixed cotangents."""
    workload.prepare()
    layers = [layer for layer in workload.module.modules() if hasattr(layer, "kernels") and hasattr(layer, "convolve")]
    seconds = 0.0
    for layer in layers:
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
