"""A ``Study``: the contenders that are compared, and the studies by name and scale. This module needs no torch."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cases.case import InvalidCase, check_value, short_hash
from benchmarks.cases.groups import SUBGROUPS
from benchmarks.cases.training_run import MATCHES, TrainingRun

# Increase this when the same fields come to mean another comparison: widths and rates are then decided again.
STUDY_VERSION = 1
SIM2_SCALES = 2
# Kernels on Sim(2) have twice the usual radius, to hold the kernels of the largest scale. Taps outside a disc are 0: at
# 5 × 5, kernels on SE(2) keep thirteen taps; those on Sim(2) would keep five and nine at the two scales. At 9 × 9 the
# root mean square radius of their energy is 1.3 and 1.9 pixels; on SE(2), at 5 × 5, it is 1.4.
SIM2_REACH = 2


@dataclass(frozen=True)
class Contender:
    """A network of any width: fields of ``TrainingRun``, and its kernels' radius, relative to the usual one."""

    variant: str
    group: str = "trivial"
    resolution: int = 1
    scales: int = 1
    reach: int = 1

    @property
    def label(self) -> str:
        """A short name for people."""
        if self.variant == "plain":
            return "plain"
        return f"{self.variant} {SUBGROUPS[self.group].full_group} |H|={self.resolution}"

    def fields(self, kernel_size: int) -> dict[str, Any]:
        """Return the contender's fields of a run; ``kernel_size`` is that of kernels of reach 1, in pixels."""
        names = ("variant", "group", "resolution", "scales")
        return {**{name: getattr(self, name) for name in names}, "kernel_size": self.reach * (kernel_size - 1) + 1}


# A contender at a width C.
SizedContender = tuple[Contender, int]


def contenders(resolutions: Sequence[int]) -> list[Contender]:
    """Return the plain contender, and four for every |H|: three variants on SE(2), and separable on Sim(2).

    The one on Sim(2) has larger kernels; where |H| is even it has two scales and half as many rotations.
    """
    found = [Contender("plain")]
    for resolution in resolutions:
        found += [Contender(variant, "SO2", resolution) for variant in ("full", "separable", "dseparable")]
        scales = SIM2_SCALES if resolution % SIM2_SCALES == 0 else 1
        found.append(Contender("separable", "SO2xRPlus", resolution, scales, SIM2_REACH))
    return found


@dataclass(frozen=True)
class Study:
    """A comparison of contenders on one data set.

    Args:
        dataset, image_size, limit, kernel_size, hidden_features, batch_size, recipe, device, threads: as in
            ``TrainingRun``, the same for all contenders.
        epochs: epochs of every run.
        seeds: number of seeds; the seeds are 0, 1, ….
        resolutions: values of |H|.
        reference, channels: the contender whose budget the others must meet, and its width.
        matches: budgets by which widths are matched, each with a table of its own.
        search_rates, search_epochs, search_seeds: learning rates to try; epochs and seeds of the runs that try them.
    """

    dataset: str
    image_size: int
    limit: int | None = None
    kernel_size: int = 5
    hidden_features: int = 32
    batch_size: int = 64
    recipe: str = "short"
    device: str = "cpu"
    threads: int = 1
    epochs: int = 10
    seeds: int = 5
    resolutions: tuple[int, ...] = (1, 4, 8, 16)
    reference: Contender = Contender("separable", "SO2", 8)
    channels: int = 5
    matches: tuple[str, ...] = ("parameters", "time")
    search_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    search_epochs: int = 4
    search_seeds: tuple[int, ...] = (100,)

    def __post_init__(self) -> None:
        for name in ("epochs", "seeds", "search_epochs"):
            check_value(name, getattr(self, name))
        for resolution in self.resolutions:
            check_value("resolution", resolution)
        allowed = [match for match in MATCHES if match != "none"]
        for match in self.matches:
            if match not in allowed:
                raise InvalidCase(f"unknown match {match!r}; allowed: {', '.join(allowed)}")
        if not self.matches or not self.search_rates:
            raise InvalidCase("a study needs a budget to match by and a learning rate; allowed: one or more of each")
        if self.reference not in self.contenders:
            raise InvalidCase(f"reference {self.reference.label} is not allowed; allowed: a contender of the study")
        if set(self.search_seeds) & set(range(self.seeds)):
            raise InvalidCase(f"search seeds {self.search_seeds} overlap the study's; allowed: {self.seeds} or more")
        self.run(self.reference, self.channels, matched="none")  # checks all other fields

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that depend on every field."""
        return short_hash({"study_version": STUDY_VERSION, **dataclasses.asdict(self)})

    @property
    def contenders(self) -> list[Contender]:
        """The contenders, the plain one first."""
        return contenders(self.resolutions)

    def run(self, contender: Contender, channels: int, **fields: Any) -> TrainingRun:
        """Return a run of a contender at a width; ``fields`` replace the study's own."""
        shared = ("dataset", "image_size", "limit", "hidden_features", "batch_size", "recipe", "device", "threads")
        own = {name: getattr(self, name) for name in shared} | contender.fields(self.kernel_size)
        values = {**own, "budget_unit": "epochs", "budget": self.epochs, **fields}
        return TrainingRun(channels=channels, **values)


# The reference has the smallest width at which networks with |H| = 16 and an integer C come within a third of its time.
_DIGITS = Study("rotated-digits", image_size=14)
# With fewer than 8,000 images and fewer than 500 steps, nearly all networks stay below 95 % accuracy.
_MNIST = Study("rotated-mnist", image_size=14, limit=8000, epochs=4, search_epochs=1)
# The paper's network, images and number of epochs; these studies need a GPU.
_PAPER: dict[str, Any] = {
    "kernel_size": 7,
    "hidden_features": 64,
    "channels": 32,
    "resolutions": (4, 8, 16),
    "search_epochs": 30,
    "device": "cuda",
    "limit": None,
}
_QUICK: dict[str, Any] = {"resolutions": (2, 4), "reference": Contender("separable", "SO2", 4), "seeds": 3}
STUDIES = {
    "rotated-digits": {
        "quick": dataclasses.replace(_DIGITS, **_QUICK, epochs=6, search_epochs=3),
        "standard": _DIGITS,
        "paper": dataclasses.replace(_DIGITS, **_PAPER, image_size=16, epochs=100),
    },
    "rotated-mnist": {
        "quick": dataclasses.replace(_MNIST, **_QUICK, limit=2500, epochs=3, search_epochs=2),
        "standard": _MNIST,
        "paper": dataclasses.replace(_MNIST, **_PAPER, image_size=28, epochs=300, recipe="paper"),
    },
}
