"""A ``TrainingRun``, which is one network to train, and the recipes that it may name.

A run consists of strings and numbers. The ``id`` of a run makes a study resumable.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.cases.case import Case, InvalidCase, check_value, short_hash
from benchmarks.cases.datasets import DATASETS
from benchmarks.cases.groups import group_label

# Bump when a run means another training than before (schedule, network, order of the images): ids change with it.
RUN_VERSION = 2

NETWORKS = ("resnet", "allcnnc")
BUDGET_UNITS = ("epochs", "seconds", "macs")
# By which budget the width of a network was chosen to equal another's.
MATCHES = ("none", "parameters", "macs", "time", "memory")
DTYPES = ("float32", "bfloat16")


@dataclass(frozen=True)
class Recipe:
    """How the learning rate runs, and what a run has unless it says otherwise.

    Args:
        warm_up: the part of a run in which the learning rate rises linearly; then it falls by half a cosine to 0.
        epochs: passes over the train images.
        learning_rates: the highest, by variant; "" is that of all others.
        weight_decay: of Adam.
    """

    warm_up: float
    epochs: int
    learning_rates: Mapping[str, float]
    weight_decay: float = 1e-4

    def learning_rate(self, variant: str) -> float:
        """The highest of a variant."""
        return self.learning_rates.get(variant, self.learning_rates[""])

    def factor(self, progress: float) -> float:
        """The learning rate as a fraction of the highest, at a progress from 0 to 1."""
        if progress < self.warm_up:
            return progress / self.warm_up
        return (1 + math.cos(math.pi * (progress - self.warm_up) / (1 - self.warm_up))) / 2


RECIPES: Mapping[str, Recipe] = {
    # Of Knigge et al.'s published code: Adam, a cosine over 300 epochs, batch 64.
    "paper": Recipe(warm_up=0.0, epochs=300, learning_rates={"": 1e-4}),
    # Chosen on the validation images from {1e-3, 3e-3, 1e-2, 3e-2}, for plain also 1e-1: mean best accuracy of seeds
    # 100 and 101 (no seeds of a study) after the quick profile's epochs, |H| = 4, in that order: plain 69, 79, 87.4,
    # 87.6, 83 %; full 95, 96, 91, 36 %; separable 92, 92, 62, 26 %. The other variants have separable's, unsearched.
    "short": Recipe(warm_up=0.25, epochs=10, learning_rates={"plain": 3e-2, "": 3e-3}),
}


@dataclass(frozen=True)
class TrainingRun:
    """One network trained once. The defaults are the paper's recipe, on a small network and small images.

    Args:
        dataset: a key of ``DATASETS``.
        network: "resnet", the paper's, of widths (C, C, 2C); or "allcnnc", its All-CNN-C, of widths (C, 2C).
        variant: "plain", or a key of ``gcnn_impl.CONVOLUTIONS``.
        group: the subgroup H; "trivial" for plain, and for nothing else.
        resolution: |H|, the number of group elements; 1 for plain.
        scales: of RPlus (all of |H|) and SO2xRPlus (a divisor of |H|); 1 for any other group.
        channels: C.
        kernel_size: odd, pixels.
        hidden_features: width of the SIRENs that kernels come from.
        sampled: train on a grid of H that every step moves at random, instead of the fixed one.
        image_size: pixels; 0 becomes the images' own, which "folder" has not.
        batch_size: images in a step, of all processes together; what is left at the end of an epoch is dropped.
        budget_unit, budget: when the run ends: after so many "epochs", before a step that would exceed so many "macs",
            or after the step that reached so many "seconds" of training. The schedule is stretched over it.
        recipe: a key of ``RECIPES``: the schedule. The values below are this run's own.
        learning_rate: the highest of the schedule.
        weight_decay: of Adam, added to the gradients.
        matched: by which budget C was chosen to equal another network's, "none" for none.
        seed: of initialisation, order and dropout.
        data_seed: of the split, and of the poses of generated sets.
        limit: at most so many images in each part; None is all.
        device, threads: where it runs, and torch's intra-op pool. One thread is as fast as two for networks as small
            as these, and its seconds are steadier.
        dtype: "float32", or "bfloat16" by autocast.
        compile: the network, by ``torch.compile``.
        channels_last: images and plain weights in that memory format; maps on the group have their own.
        processes: that share every batch, of ``torchrun``.

    Raises:
        InvalidCase: for a value that is not allowed.
    """

    dataset: str = "rotated-digits"
    network: str = "resnet"
    variant: str = "separable"
    group: str = "SO2"
    resolution: int = 8
    scales: int = 1
    channels: int = 8
    kernel_size: int = 5
    hidden_features: int = 64
    sampled: bool = False
    image_size: int = 0
    batch_size: int = 64
    budget_unit: str = "epochs"
    budget: float = RECIPES["paper"].epochs
    recipe: str = "paper"
    learning_rate: float = RECIPES["paper"].learning_rates[""]
    weight_decay: float = RECIPES["paper"].weight_decay
    matched: str = "none"
    seed: int = 0
    data_seed: int = 0
    limit: int | None = None
    device: str = "cpu"
    threads: int = 1
    dtype: str = "float32"
    compile: bool = False
    channels_last: bool = False
    processes: int = 1

    def __post_init__(self) -> None:
        for name, allowed in {
            "dataset": tuple(DATASETS),
            "network": NETWORKS,
            "budget_unit": BUDGET_UNITS,
            "recipe": tuple(RECIPES),
            "matched": MATCHES,
            "dtype": DTYPES,
        }.items():
            if getattr(self, name) not in allowed:
                raise InvalidCase(f"unknown {name} {getattr(self, name)!r}; allowed: {', '.join(allowed)}")
        if not self.image_size:
            own = DATASETS[self.dataset].image_size
            if own is None:
                raise InvalidCase(f"dataset {self.dataset!r} needs an image_size; allowed: integers of at least 1")
            object.__setattr__(self, "image_size", own)
        # One spelling of each number, so that 10 and 10.0 are one run.
        object.__setattr__(self, "learning_rate", float(self.learning_rate))
        object.__setattr__(self, "weight_decay", float(self.weight_decay))
        self.case()  # checks what a run shares with a case
        self._check_numbers()
        if self.budget == int(self.budget):
            object.__setattr__(self, "budget", int(self.budget))
        if self.variant == "plain" and self.sampled:
            raise InvalidCase("sampled does not go with variant 'plain', which has no group")
        if self.compile and self.processes > 1:
            raise InvalidCase(f"compile does not go with processes {self.processes}; allowed: 1")

    def _check_numbers(self) -> None:
        for name in ("hidden_features", "processes"):
            check_value(name, getattr(self, name))
        if self.limit is not None:
            check_value("limit", self.limit)
        if self.batch_size < max(2, self.processes):
            raise InvalidCase(f"batch_size {self.batch_size} is not allowed; allowed: {max(2, self.processes)} or more")
        if not 0 < self.budget < math.inf:
            raise InvalidCase(f"budget {self.budget} is not allowed; allowed: positive numbers")
        if self.budget_unit == "epochs" and self.budget != int(self.budget):
            raise InvalidCase(f"budget {self.budget} is not allowed for epochs; allowed: integers of at least 1")
        if not 0 < self.learning_rate < math.inf:
            raise InvalidCase(f"learning_rate {self.learning_rate} is not allowed; allowed: positive numbers")
        if not 0 <= self.weight_decay < math.inf:
            raise InvalidCase(f"weight_decay {self.weight_decay} is not allowed; allowed: 0 or more")
        for name in ("seed", "data_seed"):
            if getattr(self, name) < 0:
                raise InvalidCase(f"{name} {getattr(self, name)} is not allowed; allowed: 0 or more")

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that depend on every field and on ``RUN_VERSION``, on any machine the same."""
        return short_hash({"run_version": RUN_VERSION, **self.fields()})

    @property
    def label(self) -> str:
        """A short name for people."""
        group = "" if self.variant == "plain" else f" {group_label(self.group, self.resolution, self.scales)}"
        matched = "" if self.matched == "none" else f" matched by {self.matched}"
        return f"{self.dataset} {self.variant}{group} C={self.channels}{matched} seed {self.seed}"

    def fields(self) -> dict[str, str | int | float | bool | None]:
        """The fields as they are stored in a record."""
        return dataclasses.asdict(self)

    def case(self) -> Case:
        """The case that measures the cost of one step, for the ResNet and images of one channel and ten classes."""
        shared = ("variant", "group", "resolution", "scales", "channels", "batch_size", "image_size", "kernel_size")
        axes: dict[str, Any] = {axis: getattr(self, axis) for axis in (*shared, "device", "threads", "dtype")}
        execution = "compiled" if self.compile else "eager"
        return Case(layer="resnet", direction="forward_backward", execution=execution, **axes)

    def learning_rate_at(self, progress: float) -> float:
        """The learning rate when so much of the run, from 0 to 1, is done."""
        return self.learning_rate * RECIPES[self.recipe].factor(progress)

    def progress(self, epoch: Mapping[str, Any]) -> float:
        """How much of the run is done, from 0 to 1, at the end of an entry of a record's ``epochs``."""
        spent = {"epochs": "epoch", "seconds": "seconds", "macs": "macs"}[self.budget_unit]
        return min(epoch[spent] / self.budget, 1.0)
