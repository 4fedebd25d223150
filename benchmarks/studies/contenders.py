"""The contenders of a study: networks of any width, and how they are trained. This module needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.cases.groups import SUBGROUPS

SIM2_SCALES = 2
# Kernels on Sim(2) have twice the usual radius, to hold the kernels of the largest scale. Taps outside a disc are 0: at
# 5 × 5, kernels on SE(2) keep thirteen taps; those on Sim(2) would keep five and nine at the two scales. At 9 × 9 the
# root mean square radius of their energy is 1.3 and 1.9 pixels; on SE(2), at 5 × 5, it is 1.4.
SIM2_REACH = 2
# The sign of a kind whose train images are augmented.
AUGMENTED = "+"


@dataclass(frozen=True)
class Contender:
    """A network of any width: fields of ``TrainingRun``, and its kernels' radius, relative to the usual one.

    ``network`` is a user's network, "package.module:factory"; empty for the study's own.
    """

    variant: str
    group: str = "trivial"
    resolution: int = 1
    scales: int = 1
    reach: int = 1
    augmentation: str = "none"
    network: str = ""

    @property
    def label(self) -> str:
        """A short name for people."""
        name = self.network or self.variant
        if self.group != "trivial":
            name += f" {SUBGROUPS[self.group].full_group} |H|={self.resolution}"
        return name if self.augmentation == "none" else f"{name} + {self.augmentation}"

    def fields(self, kernel_size: int) -> dict[str, Any]:
        """Return the contender's fields of a run; ``kernel_size`` is that of kernels of reach 1, in pixels."""
        names = ("variant", "group", "resolution", "scales", "augmentation")
        own = {"network": self.network} if self.network else {}
        return {
            **{name: getattr(self, name) for name in names},
            **own,
            "kernel_size": self.reach * (kernel_size - 1) + 1,
        }


def _sim2(resolution: int) -> Contender:
    """Return separable on Sim(2), with larger kernels; an even |H| has two scales and half as many rotations."""
    scales = SIM2_SCALES if resolution % SIM2_SCALES == 0 else 1
    return Contender("separable", "SO2xRPlus", resolution, scales, SIM2_REACH)


# The kinds of contenders: at a resolution |H|, or (plain) without one; and the same with augmented train images.
_BASIC = {
    "plain": lambda resolution: Contender("plain"),
    "averaged": lambda resolution: Contender("averaged", "SO2", resolution),
    "canonical": lambda resolution: Contender("canonical", "SO2", resolution),
    "full": lambda resolution: Contender("full", "SO2", resolution),
    "separable": lambda resolution: Contender("separable", "SO2", resolution),
    "dseparable": lambda resolution: Contender("dseparable", "SO2", resolution),
    "sim2": _sim2,
}
KINDS = tuple(f"{kind}{sign}" for kind in _BASIC for sign in ("", AUGMENTED))


def contenders(kinds: Sequence[str], resolutions: Sequence[int], augmentation: str) -> list[Contender]:
    """Return the contenders of some kinds, each once: plain first, plain with augmentation next, then others by |H|.

    Args:
        kinds: keys of ``KINDS``; those with a "+" are augmented.
        resolutions: values of |H|.
        augmentation: the augmentation of the kinds with a "+".
    """
    found = []
    for resolution in resolutions:
        for kind in kinds:
            contender = _BASIC[kind.removesuffix(AUGMENTED)](resolution)
            augmented = kind.endswith(AUGMENTED)
            found.append(replace(contender, augmentation=augmentation) if augmented else contender)
    return sorted(dict.fromkeys(found), key=_order)


def _order(contender: Contender) -> tuple[bool, bool]:
    grouped = contender.group != "trivial"
    return grouped, not grouped and contender.augmentation != "none"
