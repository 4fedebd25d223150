"""The decisions of a study before it trains: widths, learning rates and seconds per step. They are kept in a file.

Times differ from day to day, and so would widths that are matched by time: a resumed study reads its decisions instead
of measuring again.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.answers.break_even import at_pace
from benchmarks.answers.text_tables import columns
from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.durable import write_whole
from benchmarks.records.record import Record
from benchmarks.statistics.comparison import Rounds
from benchmarks.statistics.summary import summarise_rounds
from benchmarks.statistics.written import interval, number
from benchmarks.studies.contenders import Contender
from benchmarks.studies.study import SizedContender, Study

# Only ``estimated_seconds`` uses these: the time of a forward as a fraction of a step's, and seconds to start a run.
FORWARD_SHARE, RUN_SECONDS = 0.25, 2.0


@dataclass(frozen=True)
class Width:
    """The width whose cost is nearest to a budget.

    Args:
        channels: C.
        target, achieved: costs of the reference and of this width: numbers of parameters or MACs, bytes of memory, or
            times as multiples of the reference's time.
    """

    channels: int
    target: float
    achieved: float

    @property
    def ratio(self) -> float:
        """The contender's cost as a multiple of the reference's."""
        return self.achieved / self.target


@dataclass(frozen=True)
class Decisions:
    """The decisions of a study.

    Args:
        images: numbers of train, validation and test images; and of channels and classes, which old files lack.
        widths: widths by match and contender.
        steps: seconds of a training step by network: rounds of samples, measured while nothing else ran.
        provenance: where and when the steps were measured.
        rates: learning rates; empty until they are chosen.
        seeds: number of seeds to train, see ``pilot``; 0 stands for the pilot's, ``study.seeds``.
    """

    study: Study
    images: Mapping[str, int]
    widths: Mapping[tuple[str, Contender], Width] = field(default_factory=dict)
    steps: Mapping[SizedContender, Rounds] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    rates: Mapping[SizedContender, float] = field(default_factory=dict)
    seeds: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", self.seeds or self.study.seeds)

    @property
    def networks(self) -> list[SizedContender]:
        """The networks, each once: two matches may lead to the same network."""
        return list(dict.fromkeys(self.network(matched, contender) for matched, contender in self.widths))

    def network(self, matched: str, contender: Contender) -> SizedContender:
        """Return a contender at the width of a match."""
        return contender, self.widths[matched, contender].channels

    @property
    def steps_per_epoch(self) -> int:
        """The training steps of an epoch."""
        return (self.study.epoch_images or self.images["train"]) // self.study.batch_size

    def runs(self, matched: str, contender: Contender) -> list[TrainingRun]:
        """Return the runs of a contender in one match, seed by seed."""
        network = self.network(matched, contender)
        one = self.study.run(*network, matched=matched, learning_rate=self.rates[network])
        return [dataclasses.replace(one, seed=seed) for seed in range(self.seeds)]

    def all_runs(self) -> list[TrainingRun]:
        """Return all runs of the study; all contenders with one seed come before the next seed."""
        found = [self.runs(matched, contender) for matched, contender in self.widths]
        return [runs[seed] for seed in range(self.seeds) for runs in found]

    def step(self, matched: str, contender: Contender) -> dict[str, Any]:
        """Return the median seconds of a training step with a 95 % interval, in the format of ``summarise_rounds``."""
        return summarise_rounds(self.rounds(matched, contender))

    def rounds(self, matched: str, contender: Contender) -> Rounds:
        """Return the samples that ``step`` summarises."""
        return self.steps[self.network(matched, contender)]

    def at_quiet_pace(self, matched: str, contender: Contender, records: Sequence[Record]) -> list[Record]:
        """Return the records with the seconds of steps measured alone: in training, runs may share the machine."""
        seconds = self.step(matched, contender)["median"] * self.steps_per_epoch
        return [at_pace(record, seconds) for record in records]

    def estimated_seconds(self, jobs: int) -> tuple[float, float]:
        """Estimate the seconds of the search and of the training, if ``jobs`` runs at once do not slow each other."""
        study, tries = self.study, len(self.study.search_rates) * len(self.study.search_seeds)

        def run_seconds(network: SizedContender, epochs: int, angles: int) -> float:
            step: float = summarise_rounds(self.steps[network])["median"]
            copies = network[0].resolution if network[0].variant == "averaged" else 1
            evaluated = epochs * self.images["validation"] + (1 + angles) * self.images["test"]
            evaluation = FORWARD_SHARE * step / study.batch_size * copies * evaluated
            return RUN_SECONDS + epochs * step * self.steps_per_epoch + evaluation

        search = sum(tries * run_seconds(network, study.search_epochs, 0) for network in self.networks)
        keys = map(self.network, *zip(*self.widths, strict=True))
        training = sum(self.seeds * run_seconds(key, study.epochs, study.test_angles) for key in keys)
        return search / jobs, training / jobs

    def lines(self) -> list[str]:
        """Return the table of widths, steps and learning rates."""
        rows: list[tuple[str, ...]] = [("", "C", "of the budget", "step, ms [95 %]", "learning rate")]
        for matched in self.study.matches:
            rows.append((f"matched by {matched}", "", "", "", ""))
            for contender in self.study.contenders:
                width, step = self.widths[matched, contender], self.step(matched, contender)
                low, median, high = (1e3 * step[name] for name in ("ci_low", "median", "ci_high"))
                rate = self.rates.get(self.network(matched, contender))
                timed = f"{number(median, '.1f')} {interval(low, high, '.1f', step.get('n'))}"
                cells = (str(width.channels), f"{width.ratio:.2f}×", timed, f"{rate:g}" if rate else "to be found")
                rows.append((f"  {contender.label}", *cells))
        return columns(rows)


def decisions_path(directory: Path, name: str, study: Study) -> Path:
    """Return the path of the file that keeps a study's decisions in the folder of its results."""
    return directory / f"study-{name}-{study.id}.json"


def save_decisions(decisions: Decisions, path: Path) -> None:
    """Write decisions to a file, completely or not at all."""
    content = {
        "study": dataclasses.asdict(decisions.study),
        "images": dict(decisions.images),
        "widths": [
            {"matched": matched, "contender": dataclasses.asdict(contender), **dataclasses.asdict(width)}
            for (matched, contender), width in decisions.widths.items()
        ],
        "steps": [
            {"contender": dataclasses.asdict(contender), "channels": channels, "rounds": rounds}
            for (contender, channels), rounds in decisions.steps.items()
        ],
        "provenance": dict(decisions.provenance),
        "rates": [
            {"contender": dataclasses.asdict(contender), "channels": channels, "learning_rate": rate}
            for (contender, channels), rate in decisions.rates.items()
        ],
        "seeds": decisions.seeds,
    }
    write_whole(path, f"{json.dumps(content, indent=1, allow_nan=False)}\n".encode())


def load_decisions(path: Path, study: Study) -> Decisions | None:
    """Return the decisions in a file; None where there is no file.

    Raises:
        ValueError: for a file that does not hold the decisions of a study.
    """
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Decisions(
            study,
            content["images"],
            {(each.pop("matched"), Contender(**each.pop("contender"))): Width(**each) for each in content["widths"]},
            {(Contender(**each["contender"]), each["channels"]): each["rounds"] for each in content["steps"]},
            content["provenance"],
            {(Contender(**each["contender"]), each["channels"]): each["learning_rate"] for each in content["rates"]},
            content.get("seeds", 0),  # files from before studies had a pilot lack it
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no decisions of a study ({error}); remove it to decide anew") from None
