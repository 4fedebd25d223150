"""A module on a device, compared with itself in float64 on the processor: outputs, gradients, quarter turns."""

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.measure.correctness import BFLOAT16_TOLERANCE, EQUIVARIANCE_TOLERANCE, TF32_TOLERANCE
from gcnn_impl import Group, equivariance_error
from gcnn_impl.equivariance import exact_elements

SEED = 1
COMPILED = "_orig_mod."
# A gradient smaller than this share of the largest one is compared on the scale of the largest: a bias before a batch
# norm has a gradient of zero, whose relative error would mean nothing.
SMALLEST_SHARE = 0.01
Errors = dict[str, float]


@dataclass(frozen=True)
class Format:
    """A number format: whether float32 may be computed in TF32, the dtype of autocast, and the allowed error."""

    name: str
    tolerance: float
    tf32: bool = False
    autocast: torch.dtype | None = None

    @contextlib.contextmanager
    def used(self, device: str) -> Iterator[None]:
        """Compute in this format inside the context."""
        before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = self.tf32
        try:
            with torch.autocast(device, self.autocast, enabled=self.autocast is not None):
                yield
        finally:
            torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


FORMATS = (
    Format("float32", EQUIVARIANCE_TOLERANCE),
    Format("tf32", TF32_TOLERANCE, tf32=True),
    Format("bfloat16", BFLOAT16_TOLERANCE, autocast=torch.bfloat16),
)


@dataclass(frozen=True)
class Reference:
    """A module in float64 on the processor, as it was built, and what it computes.

    Args:
        x: the input, with a square plane, so that quarter turns are possible.
        upstream: the gradient of a loss with respect to the output.
        output: the output of a training pass.
        gradients: its gradients, by the names of the parameters, and "input".
        inference: the output in eval mode after the training pass.
        group: the group whose exact elements are tried.
    """

    module: nn.Module
    x: Tensor
    upstream: Tensor
    output: Tensor
    gradients: Mapping[str, Tensor]
    inference: Tensor
    group: Group

    def copied(self, device: str) -> nn.Module:
        """Return a copy of the module in float32 on a device."""
        return copy.deepcopy(self.module).to(device, torch.float32)


def reference(module: nn.Module, shape: tuple[int, ...], group: Group) -> Reference:
    """Return what a float64 module computes from a random input of a shape."""
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        size = copy.deepcopy(module)(x).shape
    upstream = torch.randn(size, generator=generator, dtype=torch.float64)
    used = copy.deepcopy(module)
    output, gradients = outputs(used.train(), x, upstream)
    with torch.no_grad():
        inference = used.eval()(x)
    return Reference(module, x, upstream, output, gradients, inference, group)


def outputs(module: nn.Module, x: Tensor, upstream: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the output of a module and all gradients, by name."""
    module.zero_grad(set_to_none=True)
    x = x.detach().requires_grad_()
    y = module(x)
    y.backward(upstream.to(y))
    assert x.grad is not None
    found = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
    return y.detach(), {"input": x.grad, **found}


def errors(
    known: Reference,
    device: str,
    format_: Format,
    wrap: Callable[[nn.Module], Any] = lambda module: module,
) -> Errors:
    """Return the relative errors of a copy of the module on a device: 2-norms, nan where a value is nan.

    ``output``, ``input`` and ``parameters`` (the worst gradient of one) are those of a training pass, and ``cached``
    is that of inference with cached kernels. ``quarter turns`` is the equivariance error under the group's exact
    elements. ``wrap`` may return another module that computes the same, such as a compiled one.
    """
    module = known.copied(device)
    wrapped = wrap(module)
    x = known.x.to(device, torch.float32)
    with format_.used(device):
        y, gradients = outputs(wrapped.train(), x, known.upstream.to(device))
        wrapped.eval()
        with torch.no_grad():
            wrapped(x)  # fills the cache of the kernels
            cached = wrapped(x)
        found = {
            "output": relative(y, known.output),
            "input": relative(gradients.pop("input"), known.gradients["input"]),
            "parameters": worst_of_parameters(gradients, known),
            "cached": relative(cached, known.inference),
        }
        if len(exact_elements(known.group)):
            found["quarter turns"] = equivariance_error(wrapped, x, known.group)
    return found


def relative(actual: Tensor, expected: Tensor, least: float = 0.0) -> float:
    """Return ‖actual − expected‖ / ‖expected‖ in float64, or / ``least`` if that is larger."""
    a, b = actual.detach().double().cpu(), expected.detach().double().cpu()
    return float((a - b).norm() / max(float(b.norm()), least, torch.finfo(torch.float64).tiny))


def wrong(found: Errors, tolerance: float) -> list[str]:
    """Return the names of the errors that are not below the tolerance; nan never is."""
    return [name for name, error in found.items() if not error <= tolerance]


def worst_of_parameters(actual: Mapping[str, Tensor], known: Reference) -> float:
    """Return the largest relative error of the parameters' gradients; infinity if one is missing.

    ``torch.compile`` puts ``COMPILED`` in front of the names.
    """
    found = {name.removeprefix(COMPILED): gradient for name, gradient in actual.items()}
    expected = {name: gradient for name, gradient in known.gradients.items() if name != "input"}
    if expected.keys() - found.keys():
        return float("inf")
    least = SMALLEST_SHARE * max((float(gradient.norm()) for gradient in expected.values()), default=0.0)
    worst = [relative(found[name], gradient, least) for name, gradient in expected.items()]
    return float(torch.tensor(worst, dtype=torch.float64).amax())  # nan if any is
