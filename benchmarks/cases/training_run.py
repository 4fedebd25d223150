"""A ``TrainingRun`` describes one training of a network, in strings and numbers."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.cases.case import Case, InvalidCase, check_value, is_own, short_hash, without
from benchmarks.cases.datasets import DATASETS
from benchmarks.cases.groups import TRIVIAL, group_label, group_named
from benchmarks.cases.meant import unknown
from benchmarks.cases.variants import VARIANTS

# Bump this version when the same run means another training (schedule, network, order of the images): ids depend on it.
RUN_VERSION = 2

NETWORKS = ("resnet", "allcnnc")
BUDGET_UNITS = ("epochs", "seconds", "macs")
# The quantities in which a network can be made equal to another one, by the choice of its width; "maps" are C·|H|.
MATCHES = ("none", "parameters", "macs", "time", "memory", "maps")
DTYPES = ("float32", "bfloat16")
# Random poses of the train images, drawn anew in every step: rotations by any angle, scaling, or both.
AUGMENTATIONS = ("none", "rotations", "scales", "rotations+scales")
# The values of fields that came later; runs with these values keep their ids.
FORMER: Mapping[str, Any] = {
    "augmentation": "none",
    "train_limit": None,
    "epoch_images": None,
    "test_angles": 0,
    "dropout": 1.0,
}


@dataclass(frozen=True)
class Recipe:
    """A schedule of the learning rate, and default values of a run."""

    warm_up: float  # fraction of a run in which the learning rate rises linearly; then it falls by half a cosine to 0
    epochs: int  # passes over the train images
    learning_rates: Mapping[str, float]  # highest learning rate by variant; the key "" stands for all other variants
    weight_decay: float = 1e-4  # weight decay of Adam

    def learning_rate(self, variant: str) -> float:
        """Return the highest learning rate of a variant."""
        return self.learning_rates.get(variant, self.learning_rates[""])

    def factor(self, progress: float) -> float:
        """Return the learning rate at a progress from 0 to 1, as a fraction of the highest."""
        if progress < self.warm_up:
            return progress / self.warm_up
        return (1 + math.cos(math.pi * (progress - self.warm_up) / (1 - self.warm_up))) / 2


RECIPES: Mapping[str, Recipe] = {
    # The published code of Knigge et al.: Adam, a cosine over 300 epochs, batch 64.
    "paper": Recipe(warm_up=0.0, epochs=300, learning_rates={"": 1e-4}),
    # Chosen on the validation images from {1e-3, 3e-3, 1e-2, 3e-2}, for plain also 1e-1. Mean best accuracies of seeds
    # 100 and 101 (which no study uses) after the quick profile's epochs, |H| = 4, in that order: plain 69, 79, 87.4,
    # 87.6, 83 %; full 95, 96, 91, 36 %; separable 92, 92, 62, 26 %. Other variants, not searched, use separable's rate,
    # but averaged, which is plain in training.
    "short": Recipe(warm_up=0.25, epochs=10, learning_rates={"plain": 3e-2, "averaged": 3e-2, "": 3e-3}),
}


@dataclass(frozen=True)
class TrainingRun:
    """One training of one network. The defaults are the paper's recipe, with a small network and small images.

    Args:
        dataset: a key of ``DATASETS``.
        network: "resnet", the paper's ResNet of widths (C, C, 2C); "allcnnc", its All-CNN-C of widths (C, 2C); or a
            user's own, "package.module:factory", of variant "custom".
        variant, group, resolution, scales, kernel_size, device, threads: as in ``Case``. The default network is as
            fast on one thread as on two, and its times vary less on one.
        channels: width C of the network.
        hidden_features: width of the SIRENs that generate the kernels.
        sampled: whether every training step moves the grid on H at random.
        image_size: height and width in pixels; 0 means the common size of the data set's images; "folder" has none.
        batch_size: images in a step, over all processes; the incomplete batch at the end of an epoch is dropped.
        budget_unit, budget: the end of the run: after a number of "epochs", before the step that would exceed a number
            of "macs", or after the step that reaches a number of "seconds" of training. The schedule fills the budget.
        recipe: a key of ``RECIPES``, which gives the shape of the schedule.
        learning_rate: highest learning rate of the schedule.
        weight_decay: weight decay of Adam, added to the gradients.
        matched: the quantity in which the choice of C makes the network equal to another one, or "none".
        seed: seed of the initialisation, the order of the images and the dropout.
        data_seed: seed of the split into parts, and of the poses in generated data sets.
        limit: largest number of images in each part; None for all images.
        dtype: "float32", or "bfloat16" by autocast.
        compile: whether ``torch.compile`` compiles the network.
        channels_last: whether images and plain weights are in channels-last format; maps on the group have their own.
        processes: number of ``torchrun`` processes that share every batch.
        augmentation: one of ``AUGMENTATIONS``, how the train images are posed anew in every step.
        train_limit: largest number of train images; None for as many as ``limit`` allows.
        epoch_images: images in an epoch, which sees each train image several times, or not all of them; None for each
            train image once.
        test_angles: the number of angles, evenly spaced from 0°, by which the test images are turned after training.
        dropout: factor of the network's own probabilities of dropout; 0 turns dropout off.

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
    augmentation: str = FORMER["augmentation"]
    train_limit: int | None = FORMER["train_limit"]
    epoch_images: int | None = FORMER["epoch_images"]
    test_angles: int = FORMER["test_angles"]
    dropout: float = FORMER["dropout"]

    def __post_init__(self) -> None:
        for name, allowed in {
            "dataset": tuple(DATASETS),
            "network": NETWORKS if not is_own(self.network) else (self.network,),
            "budget_unit": BUDGET_UNITS,
            "recipe": tuple(RECIPES),
            "matched": MATCHES,
            "dtype": DTYPES,
            "augmentation": AUGMENTATIONS,
        }.items():
            if getattr(self, name) not in allowed:
                choices = [*allowed, "package.module:factory"] if name == "network" else allowed
                raise InvalidCase(unknown(name, getattr(self, name), choices))
        if not self.image_size:
            own = DATASETS[self.dataset].image_size
            if own is None:
                raise InvalidCase(f"dataset {self.dataset!r} needs an image_size; allowed: integers of at least 1")
            object.__setattr__(self, "image_size", own)
        object.__setattr__(self, "group", group_named(self.group))
        # Each number has one type, so that 10 and 10.0 give the same id.
        object.__setattr__(self, "learning_rate", float(self.learning_rate))
        object.__setattr__(self, "weight_decay", float(self.weight_decay))
        object.__setattr__(self, "dropout", float(self.dropout))
        if is_own(self.network) and self.variant != "custom":
            raise InvalidCase(f"variant {self.variant!r} does not go with network {self.network!r}; allowed: custom")
        self.case()  # checks the axes that a run shares with a case
        self._check_numbers()
        if self.budget == int(self.budget):
            object.__setattr__(self, "budget", int(self.budget))
        if self.sampled and (self.variant == "custom" or not VARIANTS[self.variant].has_layer):
            raise InvalidCase(f"sampled does not go with variant {self.variant!r}, whose grid is fixed")
        if self.variant == "plain" and self.sampled:
            raise InvalidCase("sampled does not go with variant 'plain', which has no group")
        if self.compile and self.processes > 1:
            raise InvalidCase(f"compile does not go with processes {self.processes}; allowed: 1")

    def _check_numbers(self) -> None:
        for name in ("hidden_features", "processes"):
            check_value(name, getattr(self, name))
        for name in ("limit", "train_limit", "epoch_images"):
            if (value := getattr(self, name)) is not None:
                check_value(name, value)
        least = max(2, self.processes)
        for name, holds, allowed in (
            ("batch_size", self.batch_size >= least, f"{least} or more"),
            ("budget", 0 < self.budget < math.inf, "positive numbers"),
            ("learning_rate", 0 < self.learning_rate < math.inf, "positive numbers"),
            ("weight_decay", 0 <= self.weight_decay < math.inf, "0 or more"),
            ("seed", self.seed >= 0, "0 or more"),
            ("data_seed", self.data_seed >= 0, "0 or more"),
            ("test_angles", self.test_angles >= 0, "0 or more"),
            ("dropout", 0 <= self.dropout <= 1, "numbers from 0 to 1"),
        ):
            if not holds:
                raise InvalidCase(f"{name} {getattr(self, name)} is not allowed; allowed: {allowed}")
        if self.budget_unit == "epochs" and self.budget != int(self.budget):
            raise InvalidCase(f"budget {self.budget} is not allowed for epochs; allowed: integers of at least 1")

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits, computed from all fields and ``RUN_VERSION``; the same on every machine."""
        return short_hash({"run_version": RUN_VERSION, **without(FORMER, self.fields())})

    @property
    def own_module(self) -> str:
        """The name of a user's network, "package.module:factory"; empty for one of the suite's."""
        return self.network if is_own(self.network) else ""

    @property
    def label(self) -> str:
        """A short name, for progress bars and listings."""
        name = self.network if self.variant == "custom" else self.variant
        group = "" if self.group == TRIVIAL else f" {group_label(self.group, self.resolution, self.scales)}"
        augmented = "" if self.augmentation == "none" else f" + {self.augmentation}"
        matched = "" if self.matched == "none" else f" matched by {self.matched}"
        width = "" if is_own(self.network) else f" C={self.channels}"  # a user's network may have none
        return f"{self.dataset} {name}{group}{augmented}{width}{matched} seed {self.seed}"

    def fields(self) -> dict[str, str | int | float | bool | None]:
        """Return the fields in the form in which a record stores them."""
        return dataclasses.asdict(self)

    def case(self) -> Case:
        """Return the case of a training step of this network; ten classes where only the files tell their number."""
        shared = ("variant", "group", "resolution", "scales", "channels", "batch_size", "image_size", "kernel_size")
        axes: dict[str, Any] = {axis: getattr(self, axis) for axis in (*shared, "device", "threads", "dtype")}
        own = is_own(self.network)
        axes |= {"layer": "network", "implementation": self.network} if own else {"layer": self.network}
        images = DATASETS[self.dataset]
        return Case(
            direction="forward_backward",
            execution="compiled" if self.compile else "eager",
            in_channels=images.channels,
            num_classes=images.classes or Case.num_classes,
            **axes,
        )

    def learning_rate_at(self, progress: float) -> float:
        """Return the learning rate at a progress of the run from 0 to 1."""
        return self.learning_rate * RECIPES[self.recipe].factor(progress)

    def progress(self, epoch: Mapping[str, Any]) -> float:
        """Return the progress of the run, from 0 to 1, at the end of an epoch, an entry of a record's ``epochs``."""
        spent: float = epoch["epoch" if self.budget_unit == "epochs" else self.budget_unit]
        return min(spent / self.budget, 1.0)
