"""The network of a config, its cost, and widths that give networks of equal cost."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import torch
from torch import nn

from gcnn_impl.checks import check_integer, check_real
from gcnn_impl.macs import module_macs
from gcnn_impl.models.allcnnc import AllCNNC, GroupAllCNNC
from gcnn_impl.models.configs import (
    AllCNNCConfig,
    AveragedConfig,
    CanonicalConfig,
    GroupAllCNNCConfig,
    GroupResNetConfig,
    PlainResNetConfig,
)
from gcnn_impl.models.resnet import GroupResNet, PlainResNet
from gcnn_impl.models.turned import AveragedNetwork, CanonicalNetwork

# Configs with widths of their own, which can be scaled; and all configs.
Scalable = TypeVar("Scalable", PlainResNetConfig, AllCNNCConfig, GroupResNetConfig, GroupAllCNNCConfig)
Config = PlainResNetConfig | AllCNNCConfig | GroupResNetConfig | GroupAllCNNCConfig | AveragedConfig | CanonicalConfig

NETWORK_CLASSES: dict[type, Callable[..., nn.Module]] = {
    PlainResNetConfig: PlainResNet,
    AllCNNCConfig: AllCNNC,
    GroupResNetConfig: GroupResNet,
    GroupAllCNNCConfig: GroupAllCNNC,
    AveragedConfig: AveragedNetwork,
    CanonicalConfig: CanonicalNetwork,
}


def build(config: Config, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> nn.Module:
    """Return the network of a config, with parameters drawn from torch's global generator.

    Raises:
        ValueError: for anything but a config, or a dtype that is not a floating-point one.
    """
    _check_config(config)
    return NETWORK_CLASSES[type(config)](config, device=device, dtype=dtype)


def _check_config(config: object) -> None:
    if type(config) not in NETWORK_CLASSES:
        names = ", ".join(kind.__name__ for kind in NETWORK_CLASSES)
        raise ValueError(f"config must be one of {names}, not {config!r}")


def count_parameters(config: Config) -> int:
    """Return the number of parameters of a config's network.

    >>> from gcnn_impl import SO2
    >>> count_parameters(GroupResNetConfig(group=SO2(8), variant="separable"))
    755370
    """
    return sum(p.numel() for p in build(config, device="meta").parameters())


def count_macs(config: Config, image_size: int) -> int:
    """Return the MACs of a config's network for one square image in eval mode, without those that generate kernels."""
    network, size = build(config, device="meta"), check_integer("image_size", image_size, 1)
    return module_macs(network, torch.empty(1, config.in_channels, size, size, device="meta"))


def width_for_parameters(config: Scalable, target: int) -> Scalable:
    """Return the config with widths scaled so that the number of parameters comes nearest to ``target``.

    >>> group_net = GroupResNetConfig()
    >>> twin = width_for_parameters(group_net.plain_twin(), count_parameters(group_net))
    >>> twin.widths, count_parameters(twin)
    ((50, 50, 101), 744303)

    Raises:
        ValueError: for a target below 1, or a config without widths of its own.
    """
    return _nearest(config, target, count_parameters)


def width_for_macs(config: Scalable, target: int, image_size: int) -> Scalable:
    """Return the config with widths scaled so that the MACs for one image (``count_macs``) come nearest to ``target``.

    Raises:
        ValueError: for a target below 1, or a config without widths of its own.
    """
    return _nearest(config, target, lambda scaled: count_macs(scaled, image_size))


def _nearest(config: Scalable, target: float, cost: Callable[[Scalable], int]) -> Scalable:
    """Return the scaled config of the nearest cost, by bisection over the largest width, with which the cost grows."""
    _check_config(config)
    if not hasattr(config, "widths"):
        raise ValueError(f"{type(config).__name__} has no widths of its own; scale its network")
    target = check_real("target", target, "at least 1", 1)
    largest = max(config.widths)

    def scaled(width: int) -> Scalable:
        return replace(config, widths=tuple(max(1, round(w * width / largest)) for w in config.widths))

    limit = 1
    while cost(scaled(limit)) < target:
        limit *= 2
    widths = range(1, limit + 1)
    above = bisect_left(widths, target, key=lambda width: cost(scaled(width)))
    candidates = [scaled(width) for width in widths[max(above - 1, 0) : above + 1]]
    return min(candidates, key=lambda candidate: abs(cost(candidate) - target))
