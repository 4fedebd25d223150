"""A ``Study``: the contenders that are compared, and their training. This module needs no torch."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from benchmarks.cases.case import InvalidCase, check_value, is_own, short_hash, without
from benchmarks.cases.meant import remedy, unknown
from benchmarks.cases.training_run import AUGMENTATIONS, FORMER, MATCHES, TrainingRun
from benchmarks.studies.contenders import KINDS, Contender, contenders

# Increase this when the same fields come to mean another comparison: widths and rates are then decided again.
STUDY_VERSION = 2
# A study trains at most so many seeds where the spread of its pilot asks for more than the pilot's; see ``pilot``.
MOST_SEEDS = 10
# The value of a field that came later; studies with this value keep their ids.
FORMER_FIELDS = {"dropout": FORMER["dropout"]}
# The fields of a run that are the same for all contenders of a study.
_IMAGES = ("dataset", "image_size", "limit", "train_limit", "epoch_images", "test_angles")
SHARED = (*_IMAGES, "network", "hidden_features", "batch_size", "recipe", "device", "threads", "dropout")

# A contender at a width C.
SizedContender = tuple[Contender, int]
REFERENCE = Contender("separable", "SO2", 8)


@dataclass(frozen=True)
class Study:
    """A comparison of contenders on one data set.

    Args:
        dataset, image_size, network, limit, train_limit, epoch_images, test_angles, kernel_size, hidden_features,
            batch_size, recipe, device, threads, dropout: as in ``TrainingRun``, the same for all contenders.
        epochs: epochs of every run.
        seeds: number of seeds of the pilot; the seeds are 0, 1, …. The study may train more, see ``pilot``.
        kinds, resolutions, augmentation: the contenders, see ``contenders``.
        own_networks: users' networks that compete, too, each "package.module:factory".
        reference, channels: the contender whose budget the others must meet, and its width.
        matches: budgets by which widths are matched, each with a table of its own.
        search_rates, search_epochs, search_seeds: learning rates to try; epochs and seeds of the runs that try them.
    """

    dataset: str
    image_size: int
    network: str = "resnet"
    limit: int | None = None
    train_limit: int | None = None
    epoch_images: int | None = None
    test_angles: int = 0
    kernel_size: int = 5
    hidden_features: int = 32
    batch_size: int = 64
    recipe: str = "short"
    device: str = "cpu"
    threads: int = 1
    epochs: int = 10
    seeds: int = 5
    kinds: tuple[str, ...] = ("plain", "full", "separable", "dseparable", "sim2")
    resolutions: tuple[int, ...] = (1, 4, 8, 16)
    augmentation: str = "rotations"
    own_networks: tuple[str, ...] = ()
    dropout: float = FORMER["dropout"]
    reference: Contender = REFERENCE
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
                raise InvalidCase(unknown("match", match, allowed))
        for kind in self.kinds:
            if kind not in KINDS:
                raise InvalidCase(unknown("kind", kind, KINDS))
        for network in self.own_networks:
            if not is_own(network):
                there = remedy(network, ["package.module:factory"])
                raise InvalidCase(f"network {network!r} is no function; {there}")
        if self.augmentation not in AUGMENTATIONS[1:]:
            raise InvalidCase(unknown("augmentation", self.augmentation, AUGMENTATIONS[1:]))
        if self.own_networks and "maps" in self.matches:
            raise InvalidCase("match 'maps' does not go with a user's network, whose maps nobody knows")
        if not self.matches or not self.search_rates:
            raise InvalidCase("a study needs a budget to match by and a learning rate; allowed: one or more of each")
        if self.reference not in self.contenders:
            raise InvalidCase(
                f"{self.reference.label}, whose cost the others match, is none of the contenders; allowed: kinds with "
                f"{self.reference.variant}, and |H| with {self.reference.resolution}"
            )
        if set(self.search_seeds) & set(range(most := max(self.seeds, MOST_SEEDS))):
            raise InvalidCase(f"search seeds {self.search_seeds} overlap the study's; allowed: {most} or more")
        for contender in self.contenders:
            self.run(contender, self.channels, matched="none")  # checks all other fields

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that depend on every field."""
        return short_hash({"study_version": STUDY_VERSION, **without(FORMER_FIELDS, dataclasses.asdict(self))})

    @property
    def contenders(self) -> list[Contender]:
        """The contenders, the plain one first."""
        own = [Contender("custom", "trivial", network=network) for network in self.own_networks]
        return contenders(self.kinds, self.resolutions, self.augmentation) + own

    def run(self, contender: Contender, channels: int, **fields: Any) -> TrainingRun:
        """Return a run of a contender at a width; ``fields`` replace the study's own."""
        own = {name: getattr(self, name) for name in SHARED} | contender.fields(self.kernel_size)
        values = {**own, "budget_unit": "epochs", "budget": self.epochs, **fields}
        return TrainingRun(channels=channels, **values)
