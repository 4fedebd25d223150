"""A case → the module, its input, and the pass to measure. The only place that knows how to build what is measured."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.cases import Case
from gcnn_impl import (
    SO2,
    Group,
    GroupConv2d,
    GroupResNet,
    GroupResNetConfig,
    LiftingConv2d,
    PlainResNet,
    PlainResNetConfig,
    SeparableGroupConv2d,
)

SEED = 0
CLASSES = 10
GROUP_CONVOLUTIONS = {"full": GroupConv2d, "separable": SeparableGroupConv2d}


@dataclass(frozen=True)
class Workload:
    """Something that can be measured: ``prepare()``, then ``run()``, as often as wanted.

    Args:
        module: in eval for a forward pass, in train for forward and backward.
        x: its input, an image (B, C, H, W) or a map on the group (B, C, |H|, H, W). A layer's input requires a gradient
            in a backward pass, as it would inside of a network; a network's does not.
        cotangent: the gradient of the loss with respect to the output: fixed, random, and of the shape that the output
            must have.
        group: the subgroup that the module is equivariant to; None for a plain one.
        backward: whether a pass is forward and backward, or forward alone.
    """

    module: nn.Module
    x: Tensor
    cotangent: Tensor
    group: Group | None
    backward: bool

    def prepare(self) -> None:
        """Drop the gradients of the last pass. Not part of what is measured."""
        self.module.zero_grad(set_to_none=True)
        self.x.grad = None

    def run(self) -> Tensor:
        """One pass; returns the module's output."""
        if self.backward:
            y = self.module(self.x)
            y.backward(self.cotangent)
            return y
        with torch.inference_mode():
            return self.module(self.x)


def build(case: Case) -> Workload:
    """The workload of a case; parameters and inputs depend on the case alone, and are the same on every device."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        group = group_of(case)
        module = network(case) if case.layer == "resnet" else _layer(case, group)
        image = (case.image_size, case.image_size)
        batch, channels, grid = case.batch_size, case.channels, () if group is None else (case.resolution,)
        if case.layer == "resnet":
            in_shape, out_shape = (batch, 1, *image), (batch, CLASSES)
        else:
            in_shape = (batch, channels, *(() if case.variant == "lifting" else grid), *image)
            out_shape = (batch, channels, *grid, *image)
        x, cotangent = torch.randn(in_shape), torch.randn(out_shape)
    backward = case.direction == "forward_backward"
    module = module.to(case.device).train(backward)
    x = x.to(case.device).requires_grad_(backward and case.layer == "conv")
    return Workload(module, x, cotangent.to(case.device), group, backward)


def group_of(case: Case) -> Group | None:
    """The subgroup H and its grid; None for a plain case."""
    return None if case.variant == "plain" else SO2(case.resolution)


def _layer(case: Case, group: Group | None) -> nn.Module:
    channels, k = case.channels, case.kernel_size
    if group is None:
        return nn.Conv2d(channels, channels, k, padding=k // 2)
    layer = LiftingConv2d if case.variant == "lifting" else GROUP_CONVOLUTIONS[case.variant]
    return layer(channels, channels, k, group, padding=k // 2)


def network(case: Case) -> nn.Module:
    """The network of a case, with parameters drawn from torch's global generator."""
    group, widths = group_of(case), (case.channels, case.channels, 2 * case.channels)
    if group is None:
        return PlainResNet(PlainResNetConfig(1, CLASSES, widths, case.kernel_size))
    config = GroupResNetConfig(1, CLASSES, widths, case.kernel_size, group=group, variant=case.variant)
    return GroupResNet(config)
