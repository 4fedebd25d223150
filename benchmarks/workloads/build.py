"""Builds the ``Workload`` of a case: the module, the input and the pass to measure."""

import time

import torch
from torch import Tensor, nn

import gcnn_impl
from benchmarks.cases.case import Case
from benchmarks.records.outcome import Skipped
from benchmarks.workloads.cuda_graph import CapturedPass
from benchmarks.workloads.networks import build_network
from benchmarks.workloads.own import build_own_layer
from benchmarks.workloads.peers import PeerUnavailable, build_peer
from benchmarks.workloads.shapes import group_of, shapes
from benchmarks.workloads.workload import Workload, generates_kernels, set_mode
from gcnn_impl import Group

SEED = 0
# Adam's learning rate: so small that a thousand steps in one direction hardly change the parameters.
LEARNING_RATE = 1e-6
# Drawing a large batch would take longer than a pass over it, in every process, and no time depends on the values.
DISTINCT = 8


def configure(case: Case) -> None:
    """Set the process-wide options of a case: torch's threads, and whether float32 may be computed in tf32.

    CUDA is initialised here, if the case needs it: this sets environment variables, for which no case is to blame.
    """
    if case.device == "cuda":
        torch.cuda.init()
    torch.set_num_threads(case.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = case.dtype == "tf32"


def build_workload(case: Case) -> Workload:
    """Build the workload of a case; parameters and inputs depend on the case alone, and are the same on every device.

    Raises:
        PeerUnavailable: when the peer of the case is not installed, or has no such layer.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        begun = time.perf_counter()
        module = build_module(case).to(case.device)
        construction_seconds = time.perf_counter() - begun
        x, cotangent = map(_batch, shapes(case))
    module, x = set_mode(module, training=False), x.to(case.device)
    autocast = torch.bfloat16 if case.dtype == "bfloat16" else None
    if autocast is not None:  # one image shows the dtype of the output
        y = Workload(module, x[:1], cotangent, None, False, autocast=autocast).forward()
        cotangent = cotangent.to(getattr(y, "dtype", autocast))  # a wrong output is found by ``measure.correctness``
    backward, graphed = case.direction != "forward", case.execution == "graphed"
    begun = time.perf_counter()
    if case.kernels == "cached" and not backward and hasattr(gcnn_impl, "freeze"):  # older commits keep all kernels
        gcnn_impl.freeze(module)
    freezing_seconds = time.perf_counter() - begun
    set_mode(module, training=backward)
    if case.kernels == "generated":
        for layer in filter(generates_kernels, module.modules()):
            layer.training = True  # in eval mode a layer keeps its kernels, and copies of the parameters behind them
    return Workload(
        module,
        x.requires_grad_(backward and not case.is_network),
        cotangent.to(case.device),
        equivariant_group(case),
        backward,
        # A capturable optimiser counts its steps on the device.
        torch.optim.Adam(module.parameters(), LEARNING_RATE, capturable=graphed)
        if case.direction == "training_step"
        else None,
        torch.compile(module) if case.execution == "compiled" else None,
        autocast,
        CapturedPass() if graphed else None,
        claims_nothing=case.layer == "network",
        construction_seconds=construction_seconds,
        freezing_seconds=freezing_seconds,
    )


def build_or_skip(case: Case) -> Workload:
    """Build the workload of a case; raise ``Skipped`` if a peer's layer is not available here."""
    try:
        return build_workload(case)
    except PeerUnavailable as reason:
        raise Skipped(reason) from reason


def _batch(shape: tuple[int, ...]) -> Tensor:
    """Return a random batch with ``DISTINCT`` different samples, which repeat where the batch is larger."""
    samples = torch.randn(min(shape[0], DISTINCT), *shape[1:])
    return samples[torch.arange(shape[0]) % DISTINCT]


def convolution_macs(case: Case) -> int:
    """Return the MACs of a forward of our layer or network, without kernel generation; nothing is computed."""
    return gcnn_impl.module_macs(build_module(case).to("meta"), torch.empty(shapes(case)[0], device="meta"))


def equivariant_group(case: Case) -> Group | None:
    """Return the group that the module of a case must be equivariant to, in evaluation; None for no group."""
    peer = case.foreign and not case.own
    return None if peer and case.fixed_weights else group_of(case)


def build_module(case: Case) -> nn.Module:
    """Build the layer or the network of a case on the CPU, with parameters drawn from torch's global generator."""
    if case.is_network:
        return build_network(case)
    if case.own:
        return build_own_layer(case)
    if case.foreign:
        return build_peer(case)
    return _layer(case)


def _layer(case: Case) -> nn.Module:
    c, k, group = case.channels, case.kernel_size, group_of(case)
    if group is None:
        return nn.Conv2d(c, c, k, padding=k // 2)
    layer = gcnn_impl.LiftingConv2d if case.variant == "lifting" else gcnn_impl.CONVOLUTIONS[case.variant]
    return layer(c, c, k, group, padding=k // 2)
