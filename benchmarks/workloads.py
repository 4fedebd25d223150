"""A case → the module, its input, and the pass to measure. The only place that knows how to build what is measured."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.cases import OURS, Case
from gcnn_impl import (
    CONVOLUTIONS,
    O2,
    SO2,
    Group,
    GroupResNet,
    GroupResNetConfig,
    LiftingConv2d,
    PlainResNet,
    PlainResNetConfig,
    RPlus,
    SO2xRPlus,
    module_macs,
)

SEED = 0
CLASSES = 10
# Of Adam: small, so that a thousand steps in one direction leave the parameters what they are.
LEARNING_RATE = 1e-6
# Group elements, channels and pixels do not change the dtype of an output; one image is enough to see it.
ONE_IMAGE = 1


@dataclass(frozen=True)
class Workload:
    """Something that can be measured: ``prepare()``, then ``run()``, as often as wanted.

    ``run`` is ``forward``, then ``backpropagate`` and ``step`` where the workload has them.

    Args:
        module: in eval for a forward pass, in train for forward and backward.
        x: its input, an image (B, C, H, W) or a map on the group (B, C, |H|, H, W). A layer's input requires a gradient
            in a backward pass, as it would inside of a network; a network's does not.
        cotangent: the gradient of the loss with respect to the output: fixed, random, and of the shape and dtype that
            the output must have.
        group: the subgroup that the module is equivariant to; None for one that is not.
        backward: whether a pass is forward and backward, or forward alone.
        optimiser: takes a step in every pass, where there is one.
        call: what runs: the compiled module, say; the module itself unless told otherwise.
        autocast: the dtype that the pass is autocast to, None for none.
        forget: called by ``prepare``: drops kernels that the last pass cached.
    """

    module: nn.Module
    x: Tensor
    cotangent: Tensor
    group: Group | None
    backward: bool
    optimiser: torch.optim.Optimizer | None = None
    call: Callable[[Tensor], Tensor] | None = None
    autocast: torch.dtype | None = None
    forget: Callable[[], object] = lambda: None

    def prepare(self) -> None:
        """Drop what the last pass left: gradients, and kernels that are to be generated anew. Never timed."""
        self.module.zero_grad(set_to_none=True)
        self.x.grad = None
        self.forget()

    def run(self) -> Tensor:
        """One pass; returns the module's output."""
        y = self.forward()
        if self.backward:
            self.backpropagate(y)
        if self.optimiser is not None:
            self.step()
        return y

    def forward(self) -> Tensor:
        """The module's output; in inference mode unless the pass has a backward."""
        call = self.module if self.call is None else self.call
        with contextlib.nullcontext() if self.backward else torch.inference_mode(), self._autocast():
            return call(self.x)

    def backpropagate(self, y: Tensor) -> None:
        """The gradients of the parameters and, where it requires one, of the input."""
        y.backward(self.cotangent)

    def step(self) -> None:
        """The optimiser's."""
        assert self.optimiser is not None
        self.optimiser.step()

    def _autocast(self) -> contextlib.AbstractContextManager[object]:
        return contextlib.nullcontext() if self.autocast is None else torch.autocast(self.x.device.type, self.autocast)


def configure(case: Case) -> None:
    """Set what a case says about the whole process: torch's threads, and whether float32 may be computed in tf32."""
    torch.set_num_threads(case.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = case.dtype == "tf32"


def build(case: Case) -> Workload:
    """The workload of a case; parameters and inputs depend on the case alone, and are the same on every device.

    Raises:
        PeerUnavailable: when the case is a peer's and that is not installed, or has no such layer.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        module = _module(case)
        in_shape, out_shape = shapes(case)
        x, cotangent = torch.randn(in_shape), torch.randn(out_shape)
    module, x = module.to(case.device).eval(), x.to(case.device)
    autocast = torch.bfloat16 if case.dtype == "bfloat16" else None
    if autocast is not None:
        probe = Workload(module, x[:ONE_IMAGE], cotangent, None, backward=False, autocast=autocast)
        cotangent = cotangent.to(probe.forward().dtype)
    backward = case.direction != "forward"
    return Workload(
        module.train(backward),
        x.requires_grad_(backward and case.layer == "conv"),
        cotangent.to(case.device),
        None if case.fixed_weights else group_of(case),
        backward,
        torch.optim.Adam(module.parameters(), LEARNING_RATE) if case.direction == "training_step" else None,
        torch.compile(module) if case.execution == "compiled" else None,
        autocast,
        # A layer of ours that is told its mode drops its cache.
        module.eval if case.kernels == "generated" and not backward else lambda: None,
    )


def forward_macs(case: Case) -> int:
    """Multiply–accumulates of one forward of a case of ours, kernels not counted; nothing is computed."""
    module = _module(case).to("meta")
    return module_macs(module, torch.empty(shapes(case)[0], device="meta"))


def shapes(case: Case) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shapes of the input and of the output."""
    batch, channels, image = case.batch_size, case.channels, (case.image_size, case.image_size)
    if case.layer == "resnet":
        return (batch, 1, *image), (batch, CLASSES)
    grid = () if case.group == "trivial" else (case.resolution,)
    return (batch, channels, *(() if case.variant == "lifting" else grid), *image), (batch, channels, *grid, *image)


def group_of(case: Case) -> Group | None:
    """The subgroup H and its grid; None for a plain case."""
    match case.group:
        case "SO2":
            return SO2(case.rotations)
        case "O2":
            return O2(case.rotations)
        case "RPlus":
            return RPlus(case.scales)
        case "SO2xRPlus":
            return SO2xRPlus(case.rotations, case.scales)
    return None


def _module(case: Case) -> nn.Module:
    if case.own_layer:
        from benchmarks.own_layer import build_own_layer  # late: only a user's case needs it

        return build_own_layer(case)
    if case.implementation != OURS:
        from benchmarks.peers import build_peer  # late: it looks for packages that are optional

        return build_peer(case)
    return network(case) if case.layer == "resnet" else _layer(case)


def _layer(case: Case) -> nn.Module:
    channels, k, group = case.channels, case.kernel_size, group_of(case)
    if group is None:
        return nn.Conv2d(channels, channels, k, padding=k // 2)
    layer = LiftingConv2d if case.variant == "lifting" else CONVOLUTIONS[case.variant]
    return layer(channels, channels, k, group, padding=k // 2)


def network(case: Case) -> nn.Module:
    """The network of a case, with parameters drawn from torch's global generator."""
    group, widths = group_of(case), (case.channels, case.channels, 2 * case.channels)
    if group is None:
        return PlainResNet(PlainResNetConfig(1, CLASSES, widths, case.kernel_size))
    config = GroupResNetConfig(1, CLASSES, widths, case.kernel_size, group=group, variant=case.variant)
    return GroupResNet(config)
