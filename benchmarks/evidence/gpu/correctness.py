"""The part "correctness": layers and a network on the device, compared with float64 on the processor.

The layers in float64 are compared with explicit sums in the tests. Here the question is whether another device, another
format, an operator in Triton, a compiler or a CUDA graph computes the same.
"""

import functools
import importlib.util
import itertools
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.evidence.equivariance_table import variants_of
from benchmarks.evidence.gpu.against_float64 import (
    FORMATS,
    Errors,
    Format,
    Reference,
    errors,
    outputs,
    reference,
    relative,
    worst_of_parameters,
    wrong,
)
from benchmarks.evidence.gpu.job import Job
from benchmarks.records.outcome import outcome_of
from benchmarks.records.provenance import gpu_name, hardware, software
from benchmarks.workloads.cuda_graph import CapturedPass
from benchmarks.workloads.workload import Workload
from gcnn_impl import O2, SO2, Group, GroupResNet, GroupResNetConfig, LiftingConv2d, RPlus, SO2xRPlus, build
from gcnn_impl import gpu as operators
from gcnn_impl.models import CONVOLUTIONS

GROUPS: tuple[Group, ...] = (SO2(8), SO2(4), O2(4), RPlus(3, 2.0), SO2xRPlus(4, 2, 2.0))
# Factors on the tolerance: blocks and networks add up the errors of their layers, and a batch norm divides by small
# deviations, the most in the classifier, where it sees one value per image.
FACTORS = {"block": 4.0, "network": 10.0}
NETWORK, NETWORK_SHAPE = {"widths": (8, 8, 16), "kernel_size": 5, "dropout": 0.0}, (8, 1, 16, 16)
BLOCK_SHAPE = (4, 8, 8, 13, 13)  # images, channels, |H| and plane of the input of the network's last block
# A network's gradients are noted and not judged: where two values of a maximum differ by rounding alone, the gradient
# goes to another element. Its blocks have no maximum.
JUDGED = {"network": ("output", "cached", "quarter turns")}


@dataclass(frozen=True)
class Sizes:
    """Sizes of a layer and its input: odd, so that no size is a multiple of an operator's block."""

    in_channels: int = 3
    out_channels: int = 5
    kernel_size: int = 5
    images: int = 2
    side: int = 13


TINY = Sizes(2, 3, 3, 1, 5)  # Triton's interpreter is thousands of times slower


@dataclass(frozen=True)
class Check:
    """A comparison of one module.

    Args:
        kind: "layer", "block" (a residual block of the network), "network", "compiled" or "graphed" (a layer).
        variant, group: of the layer, or of the layers of the network.
        format: the number format.
        triton: whether the operators in Triton are in use.
    """

    kind: str
    variant: str
    group: Group
    format: Format
    triton: bool = False
    sizes: Sizes = Sizes()

    def settings(self) -> dict[str, Any]:
        """Return the settings as a finding stores them."""
        names = {"variant": self.variant, "group": str(self.group), "format": self.format.name}
        return {"check": self.kind, **names, "triton": self.triton}

    def tolerance(self) -> float:
        """Return the largest error that is allowed."""
        return self.format.tolerance * FACTORS.get(self.kind, 1.0)

    def wrong(self, found: Errors) -> list[str]:
        """Return the names of the errors that are judged and above the tolerance."""
        return wrong(self.judged(found), self.tolerance())

    def judged(self, found: Errors) -> Errors:
        """Return the errors that may be wrong."""
        return {name: error for name, error in found.items() if name in JUDGED.get(self.kind, found)}


def run(job: Job) -> None:
    """Compare everything, the most valuable first, and note each comparison; stop when the time is over.

    Raises:
        RuntimeError: at the end, when a comparison found something wrong.
    """
    has_triton = importlib.util.find_spec("triton") is not None
    versions = {name: software()[name] for name in ("torch", "commit", "dirty")}
    job.note(machine=gpu_name() or hardware()["cpu"], python=platform.python_version(), **versions, triton=has_triton)
    bad = 0
    try:
        job.note(operators_in_triton=operators_run(job.device) if has_triton else [])
    except Exception as error:  # an operator that cannot run at all; the comparisons name each layer that needs it
        bad += 1
        job.note(operators_in_triton=[], raised=outcome_of(error).message)
    if job.device == "cpu":
        job.note(left_out="tf32 and CUDA graphs", reason="they need CUDA")
    for check in checks(job.device, job.scale, has_triton):
        if job.left() < 1:
            job.note(left_out="the remaining comparisons", reason="no time left")
            break
        try:
            found = measured(check, job.device)
            names = check.wrong(found)
            judged = check.judged(found)
            others = {name: error for name, error in found.items() if name not in judged}
            job.note(**check.settings(), errors=judged, not_judged=others, wrong=names)
        except Exception as error:  # the other comparisons are worth more than this one's end
            names = ["raised"]
            job.note(**check.settings(), wrong=names, raised=outcome_of(error).message)
        bad += bool(names)
    if bad:
        raise RuntimeError(f"{bad} comparisons are wrong")


def checks(device: str, scale: str, has_triton: bool) -> Iterator[Check]:
    """Yield the comparisons of a device, in the order of their value."""
    cuda = device == "cuda"
    ways = (False, True) if has_triton and cuda else (False,)
    formats = [chosen for chosen in FORMATS if cuda or not chosen.tf32]
    groups = GROUPS if scale == "full" else GROUPS[1:2]
    if has_triton and not cuda:  # in the interpreter
        yield Check("layer", "separable", SO2(2), FORMATS[0], True, TINY)
    for chosen, triton in itertools.product(formats, ways):
        for group in groups:
            for variant in variants_of(group):
                yield Check("layer", variant, group, chosen, triton)
        for kind in ("block", "network"):
            yield Check(kind, "separable", SO2(8), chosen, triton)
        if chosen == formats[0] and triton == ways[-1]:
            for kind in ("compiled", *(["graphed"] if cuda else [])):
                yield from (Check(kind, "separable", SO2(8), chosen, way) for way in ways)


def measured(check: Check, device: str) -> Errors:
    """Return the errors of a comparison."""
    known = _reference(
        check.kind if check.kind in ("block", "network") else "layer", check.variant, check.group, check.sizes
    )
    with operators.turned(check.triton):
        if check.kind == "graphed":
            return graphed_errors(known, device, check.format)
        if check.kind == "compiled":
            torch._dynamo.reset()
            return errors(known, device, check.format, torch.compile)
        return errors(known, device, check.format)


def graphed_errors(known: Reference, device: str, chosen: Format) -> Errors:
    """Return the errors of a layer's training pass and of its inference, replayed from a CUDA graph on new input."""
    with chosen.used(device):
        output, trained = _replayed(known, device, backward=True)
        inference, _ = _replayed(known, device, backward=False)
    gradients = {name: p.grad for name, p in trained.module.named_parameters() if p.grad is not None}
    assert trained.x.grad is not None
    return {
        "output": relative(output, known.output),
        "input": relative(trained.x.grad, known.gradients["input"]),
        "parameters": worst_of_parameters(gradients, known),
        "cached": relative(inference, known.inference),
    }


def _replayed(known: Reference, device: str, *, backward: bool) -> tuple[Tensor, Workload]:
    """Capture a pass on zeros, then replay it on the reference's input, which the graph must read anew."""
    module = known.copied(device).train(backward)
    x = torch.zeros(known.x.shape, device=device).requires_grad_(backward)
    cotangent = known.upstream.to(device, torch.float32)
    workload = Workload(module, x, cotangent, None, backward, graph=CapturedPass())
    workload.prepare()
    workload.run()
    with torch.no_grad():
        x.copy_(known.x)
    workload.prepare()
    return workload.run(), workload


def operators_run(device: str) -> list[str]:
    """Return the names of the operators of ours that a tiny network runs only if Triton is in use."""
    ran = []
    for on in (False, True):
        watched = _Names()
        config = GroupResNetConfig(group=SO2(2), widths=(2, 2), kernel_size=3, last_kernel_size=1)
        x = torch.zeros(2, 1, 4, 4, device=device)
        with operators.turned(on), watched:
            outputs(build(config, device=device), x, torch.ones(2, 10, device=device))
        ran.append(watched.names)
    return sorted(ran[1] - ran[0])


class _Names(TorchDispatchMode):
    """Collects the names of the operators of ``gcnn_impl``."""

    def __init__(self) -> None:
        TorchDispatchMode.__init__(self)
        self.names: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func.namespace == "gcnn_impl":
            self.names.add(func.name().removeprefix("gcnn_impl::"))
        return func(*args, **(kwargs or {}))


@functools.cache
def _reference(kind: str, variant: str, group: Group, sizes: Sizes) -> Reference:
    torch.manual_seed(0)
    if kind == "layer":
        grid = () if variant == "lifting" else (group.resolution,)
        shape = (sizes.images, sizes.in_channels, *grid, sizes.side, sizes.side)
        return reference(_layer(variant, group, sizes), shape, group)
    config = GroupResNetConfig(group=group, variant=variant, **NETWORK)  # type: ignore[arg-type]
    network = build(config, dtype=torch.float64)
    if kind == "network":
        return reference(network, NETWORK_SHAPE, group)
    assert isinstance(network, GroupResNet)
    return reference(network.blocks[-1], BLOCK_SHAPE, group)


def _layer(variant: str, group: Group, sizes: Sizes) -> nn.Module:
    kind = LiftingConv2d if variant == "lifting" else CONVOLUTIONS[variant]
    k = sizes.kernel_size
    return kind(sizes.in_channels, sizes.out_channels, k, group, padding=k // 2, dtype=torch.float64)
