"""One set of results, prepared once: the chosen rows and the derived tables that words, tables and figures share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from benchmarks.statistics.choosing import Accuracies, Choice, choose
from reports.arithmetic import layers, to_target, training
from reports.arithmetic.first_answers import first_answers, with_answers
from reports.arithmetic.operators import operators, with_executed
from reports.arithmetic.pairs import Pair, asked_pairs, pairs
from reports.frames import selection
from reports.frames.frames import Frames
from reports.style import own_looks

# The most studies that get figures; the table of records has the runs of all studies.
MOST_STUDIES = 3


@dataclass(frozen=True, eq=False)
class StudyRuns:
    """The finished runs of one study, their epochs, and our measured cases, from which the networks' costs are taken.

    `suffix` ends the names of the study's sections and figures, so that names differ; for the first study it is empty.
    `looks` are those of users' networks, by their factories.
    """

    runs: pd.DataFrame
    epochs: pd.DataFrame
    cases: pd.DataFrame
    suffix: str = ""
    looks: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def networks(self) -> pd.DataFrame:
        """Every network with its accuracy and its costs."""
        return training.with_memory_of_steps(training.trained_networks(self.cases, self.runs), self.epochs)

    @cached_property
    def accuracies(self) -> Accuracies:
        """What the seeds show about the test accuracies of `networks`, in the order of their rows."""
        return training.accuracies(self.runs, self.networks, asked_pairs(self.networks))

    @cached_property
    def price(self) -> str:
        """The column of the cost by which a network is chosen: the first of ``PRICES`` that every network has."""
        return next((name for name in training.PRICES if self.networks[name].notna().all()), training.PRICES[0])

    @cached_property
    def choice(self) -> Choice | None:
        """The network to take where there is no limit; None without a network."""
        return choose(self.accuracies, self.networks[self.price].tolist())

    @cached_property
    def fronted(self) -> list[str]:
        """The costs of ``PRICES`` that have a front: two networks or more have them."""
        return [name for name in training.PRICES if self.networks[name].notna().sum() > 1]

    @cached_property
    def beaten(self) -> dict[str, list[list[int]]]:
        """For each cost, the rivals (row numbers of `networks`) that clearly beat each network."""
        return {name: training.beaten_by(self.networks, self.accuracies, name) for name in training.PRICES}

    @cached_property
    def rivalled(self) -> dict[str, list[list[int]]]:
        """For each cost, the clearly cheaper rivals than which each network is not shown to be more accurate."""
        return {name: training.rivalled_by(self.networks, self.accuracies, name) for name in training.PRICES}

    def places(self, shown: pd.DataFrame) -> list[int]:
        """Return the row numbers in `networks` of other rows about networks of the study, in the order of these."""
        numbered = self.networks[selection.NETWORK].assign(place=range(len(self.networks)))
        return [int(place) for place in shown[selection.NETWORK].merge(numbered, how="left")["place"]]

    @cached_property
    def pairs(self) -> list[Pair]:
        """The pairs of `networks` that readers compare directly."""
        return pairs(self.runs, self.networks, self.accuracies)

    @cached_property
    def target(self) -> float:
        """The validation accuracy that every network reaches on average over its seeds; NaN where none was measured."""
        return to_target.common_target(self.epochs)

    @cached_property
    def spent(self) -> pd.DataFrame:
        """What every network had spent when it reached the target; empty without a target."""
        epochs = self.epochs if math.isfinite(self.target) else self.epochs.iloc[:0]
        return to_target.spent_to_target(epochs, self.target)


@dataclass(frozen=True, eq=False)
class Prepared:
    """The results of one machine, or of one commit on it; every property is computed at its first use.

    Raises:
        ValueError: for results of several machines, or of a processor and a GPU, which must never be compared.
    """

    data: Frames

    def __post_init__(self) -> None:
        if len(self.data.machines) > 1:
            raise ValueError(f"results of {'; and of '.join(self.data.machines)}; allowed: those of one device")

    @cached_property
    def looks(self) -> dict[str, str]:
        """The looks of users' layers and networks, by their factories, the same in all figures and tables."""
        costs, runs = self.data.costs, self.data.runs
        return own_looks(
            [
                *costs.loc[costs["variant"] == "custom", "implementation"],
                *runs.loc[runs["variant"] == "custom", "network"],
            ]
        )

    @cached_property
    def measured(self) -> pd.DataFrame:
        """The newest ok record of every case, peers and all settings included."""
        return selection.latest(selection.ok(self.data.costs))

    @cached_property
    def ours(self) -> pd.DataFrame:
        """Our layers as they are used by default, on any number of threads."""
        return selection.ours_by_default(self.measured)

    @cached_property
    def own_layers(self) -> pd.DataFrame:
        """Users' layers as they are used by default, on any number of threads."""
        return selection.own_layers_by_default(self.measured)

    @cached_property
    def costs(self) -> pd.DataFrame:
        """The comparable passes of `ours`: inference and training, on the usual number of threads."""
        return selection.usual_threads(self.ours)

    @cached_property
    def all_steps(self) -> pd.DataFrame:
        """The passes in `ours`, and the training steps, on any number of threads."""
        return selection.ours_by_default(self.measured, (*selection.PASSES, selection.STEP))

    @cached_property
    def steps(self) -> pd.DataFrame:
        """The passes in `costs`, and the training steps; with what their operators say of the MACs that run."""
        return with_executed(selection.usual_threads(self.all_steps))

    @cached_property
    def base(self) -> dict[str, object]:
        """The base point of one layer."""
        return selection.layer_base(self.costs)

    @cached_property
    def against_plain(self) -> pd.DataFrame:
        """One layer of each variant at the base point, as multiples of plain."""
        return layers.against_plain(self.costs)

    @cached_property
    def against_equal_maps(self) -> pd.DataFrame:
        """Layers at the base point compared with the plain convolution of as many maps."""
        return layers.against_equal_maps(self.costs)

    @cached_property
    def separable_against_full(self) -> pd.DataFrame:
        """Separable compared with full, wherever both were measured."""
        return layers.separable_against_full(self.costs, self.data.twins)

    @cached_property
    def against_peers(self) -> pd.DataFrame:
        """Every layer that is not ours compared with ours."""
        return layers.against_peers(self.measured, self.data.twins)

    @cached_property
    def growths(self) -> pd.DataFrame:
        """The exponents of time and memory along every axis."""
        return layers.growths(self.costs)

    @cached_property
    def operators(self) -> pd.DataFrame:
        """The operators of the passes at the base point."""
        return operators(self.costs)

    @cached_property
    def first_answers(self) -> pd.DataFrame:
        """How long the layers at the base point, and the networks that take longest, take until their first answer."""
        return first_answers(self.costs, self.own_layers)

    @cached_property
    def all_first_answers(self) -> pd.DataFrame:
        """How long every module takes until its first answer, peers left out, on any number of threads."""
        return with_answers(pd.concat([self.ours, self.own_layers]))

    @cached_property
    def studies(self) -> list[StudyRuns]:
        """The sets of finished runs that may be compared, as `selection.studies` orders them."""
        found = selection.studies(selection.ok(self.data.runs))
        return [self._study(runs, f"-{number}" if number > 1 else "") for number, runs in enumerate(found, start=1)]

    @cached_property
    def shown_studies(self) -> list[StudyRuns]:
        """The studies that get figures: the first ones, or one study without runs if there are none."""
        return self.studies[:MOST_STUDIES] or [self._study(selection.first_study(selection.ok(self.data.runs)))]

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The runs of the first study."""
        return self.shown_studies[0].runs

    def runs_with(self, column: str) -> pd.DataFrame:
        """The runs of the first study that has values in a column of tuples; those of the first if none has."""
        found = (study.runs for study in self.studies if study.runs[column].map(len).any())
        return next(found, self.runs)

    @cached_property
    def best_networks(self) -> pd.DataFrame:
        """For each variant and augmentation of the first study: its network at the base point, or the best one."""
        return training.networks_at(self.runs, self.base)

    def _study(self, runs: pd.DataFrame, suffix: str = "") -> StudyRuns:
        epochs = self.data.epochs
        return StudyRuns(runs, epochs[epochs["id"].isin(runs["id"])], self.ours, suffix, self.looks)
