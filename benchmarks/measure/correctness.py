"""Checks that a module's output is right before anything is measured: the cost of a wrong output means nothing."""

import dataclasses
import math

import torch

from benchmarks.measure.diagnosis import diagnose
from benchmarks.records.outcome import InvalidResult
from benchmarks.workloads.workload import Workload, set_mode
from gcnn_impl import SO2
from gcnn_impl.equivariance import equivariance_error, exact_elements

# Errors are 1e-7 to 1e-6 in float32, and up to 3e-3 in bfloat16 (whose numbers have 8 binary digits; tf32's have 11).
# With a wrong rotation or a permuted group axis, the error is larger than 1e-1.
EQUIVARIANCE_TOLERANCE = 1e-4
TF32_TOLERANCE = 1e-2
BFLOAT16_TOLERANCE = 5e-2
# The error is computed from several passes. Two images show the error as well as a large batch does.
EQUIVARIANCE_SAMPLES = 2


@torch.no_grad()
def check_output(workload: Workload) -> float | None:
    """Check the output and return its equivariance error; None if no group element permutes the pixels exactly.

    A user's network claims no equivariance; the error returned is that under quarter turns, whatever its size, and None
    where its logits are all zero.

    The module runs with the workload's autocast and never compiled, because the compilation is timed elsewhere.

    Raises:
        InvalidResult: when the output is no ordinary tensor, has a wrong shape, dtype, device or layout, is not finite,
            or is not equivariant.
    """
    module, group = workload.module, workload.group
    training = module.training
    if training:  # in eval mode, some layers of a module may be in train mode to generate their kernels
        set_mode(module, training=False)
    try:
        with workload.autocasting():
            y = module(workload.x)
            _check_kind(y, workload)
            if not y.isfinite().all():
                raise InvalidResult("output has values that are not finite")
            if workload.claims_nothing:
                error = equivariance_error(module, workload.x[:EQUIVARIANCE_SAMPLES], SO2(4))
                return error if math.isfinite(error) else None  # logits that are all zero
            if group is None or len(exact_elements(group)) == 0:
                return None
            error = equivariance_error(module, workload.x[:EQUIVARIANCE_SAMPLES], group)
    finally:
        if training:
            set_mode(module, training=True)
    tolerance = _tolerance(workload)
    if not error <= tolerance:  # also for nan
        with workload.autocasting():
            why = diagnose(module, workload.x[:EQUIVARIANCE_SAMPLES], group, tolerance)
        raise InvalidResult(f"equivariance error {error:.3g}, allowed: {tolerance:.0e}; {why}")
    return error


def _check_kind(y: object, workload: Workload) -> None:
    """Raise ``InvalidResult`` unless an output is an ordinary tensor like the one that is expected.

    A layer that is autocast may return the format of autocast, as convolutions do, or that of its input, as sums do.
    """
    if not isinstance(y, torch.Tensor):
        raise InvalidResult(f"output is a {type(y).__name__}, expected a tensor")
    x = workload.x
    dtypes = [x.dtype] if workload.autocast is None else [workload.autocast, x.dtype]
    expectations = (
        ("shape", tuple(y.shape), [tuple(workload.cotangent.shape)]),
        ("layout", y.layout, [torch.strided]),
        ("dtype", y.dtype, dtypes),
        ("device", y.device, [x.device]),
        ("type", type(y), [torch.Tensor]),
    )
    for name, value, allowed in expectations:
        if value not in allowed:
            turned = name == "shape" and sorted(y.shape) == sorted(workload.cotangent.shape)
            hint = ", the same sizes in another order" if turned else ""
            raise InvalidResult(f"output has {name} {value}, expected {' or '.join(map(str, allowed))}{hint}")


def check_gradients(workload: Workload) -> None:
    """Check the output of a forward in train mode, and the gradients that its backward leaves.

    The pass is not compiled, and no optimiser steps. Nothing is checked if a pass has no backward, or if it is
    captured: its parameters must not meet another stream before that, and its gradients are compared afterwards.

    Raises:
        InvalidResult: when the output is of the wrong kind (see ``check_output``) or requires no gradient, and when the
            gradient of the input is absent or a gradient is not finite.
    """
    if not workload.backward or workload.graph is not None:
        return
    usual = dataclasses.replace(workload, call=None)
    usual.prepare()
    y = usual.forward()
    _check_kind(y, workload)
    if not y.requires_grad:
        raise InvalidResult("output requires no gradient in training, expected one")
    usual.backpropagate(y)
    if usual.x.requires_grad and usual.x.grad is None:
        raise InvalidResult("the backward leaves no gradient of the input")
    if not all(gradient.isfinite().all() for gradient in usual.gradients()):
        raise InvalidResult("a gradient has values that are not finite")
    usual.prepare()


def check_replay(workload: Workload) -> None:
    """Check that a captured pass gives the output and the gradients of the same pass run as usual.

    Both passes of a training step start from the same parameters. Nothing is checked if the pass is not captured.

    Raises:
        InvalidResult: when they differ.
    """
    if workload.graph is None:
        return
    parameters = [] if workload.optimiser is None else list(workload.module.parameters())
    before = [parameter.detach().clone() for parameter in parameters]
    replayed = [tensor.clone() for tensor in (workload.run(), *workload.graph.gradients)]
    with torch.no_grad():
        for parameter, value in zip(parameters, before, strict=True):
            parameter.copy_(value)
    usual = dataclasses.replace(workload, graph=None)
    usual.prepare()
    expected = [usual.run(), *usual.gradients()]
    usual.prepare()
    names = ("output", *["gradient"] * (len(expected) - 1))
    tolerance = _tolerance(workload)
    for name, ours, theirs in zip(names, replayed, expected, strict=True):
        error = relative_error(ours, theirs)
        if not error <= tolerance:  # also for nan
            raise InvalidResult(
                f"relative error {error:.3g} in the {name} of the captured pass, allowed: {tolerance:.0e}"
            )


def relative_error(x: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the Euclidean norm of the difference divided by the norm of what was expected; 0 if both are zero."""
    x, expected = x.detach().double(), expected.detach().double()
    difference, size = float((x - expected).norm()), float(expected.norm())
    return difference / size if size else difference


def _tolerance(workload: Workload) -> float:
    if workload.autocast is not None:
        return BFLOAT16_TOLERANCE
    rounded = workload.x.is_cuda and torch.backends.cudnn.allow_tf32
    return TF32_TOLERANCE if rounded else EQUIVARIANCE_TOLERANCE
