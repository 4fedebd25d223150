"""The results of a study (its decisions and the records of its runs), and their tables. This module needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.answers.break_even import overtaking_lines, target_lines
from benchmarks.answers.text_tables import columns
from benchmarks.records.complete import why_incomplete
from benchmarks.records.configurations import by_seed, has_diverged
from benchmarks.records.record import Record
from benchmarks.statistics.over_seeds import Estimate, estimate
from benchmarks.statistics.written import NOTHING, interval
from benchmarks.studies.contenders import Contender
from benchmarks.studies.decisions import Decisions


@dataclass(frozen=True)
class StudyResults:
    """The results of a study.

    Args:
        decisions: decisions of the study, with learning rates.
        records: records with the status "ok", by match and contender, in the order of their seeds.
        begun: the same, plus diverged runs, which count as never reaching the targets that they had not reached.
    """

    decisions: Decisions
    records: Mapping[tuple[str, Contender], Sequence[Record]]
    begun: Mapping[tuple[str, Contender], Sequence[Record]]

    @classmethod
    def of(cls, decisions: Decisions, records: Sequence[Record]) -> "StudyResults":
        """Select the records of the study's runs; of several records with one id, the newest."""
        trained = [record for record in records if record["kind"] == "training" and not why_incomplete(record)]
        done = {record["id"]: record for record in trained if record["status"] == "ok"}
        begun = done | {record["id"]: record for record in trained if has_diverged(record)}
        runs = {key: decisions.runs(*key) for key in decisions.widths}

        def select(found: Mapping[str, Record]) -> dict[tuple[str, Contender], Sequence[Record]]:
            return {key: [found[run.id] for run in each if run.id in found] for key, each in runs.items()}

        return cls(decisions, select(done), select(begun))

    @property
    def test_step(self) -> float:
        """The smallest difference between two unequal test accuracies."""
        return 1 / self.decisions.images["test"]

    def accuracies(self, matched: str, contender: Contender) -> dict[int, float]:
        """Return the test accuracies by seed."""
        found = by_seed(self.records[matched, contender])
        return {seed: float(record["test_accuracy"]) for seed, record in found.items()}

    def accuracy(self, matched: str, contender: Contender) -> Estimate:
        """Return the mean test accuracy over seeds, with its interval."""
        values = list(self.accuracies(matched, contender).values())
        return estimate(values, step=self.test_step).within(0.0, 1.0)


def accuracy_lines(results: StudyResults, matched: str) -> list[str]:
    """Return the table of the contenders' test accuracies and costs."""
    decisions = results.decisions
    rows = [("", "C", "parameters", "of the budget", "step, ms", "test accuracy, % [95 %]", "n")]
    for contender in decisions.study.contenders:
        width, records = decisions.widths[matched, contender], results.records[matched, contender]
        parameters = f"{records[0]['parameters']:,}" if records else "–"
        milliseconds = 1e3 * decisions.step(matched, contender)["median"]
        cells = (str(width.channels), parameters, f"{width.ratio:.2f}×", f"{milliseconds:.1f}")
        found = results.accuracy(matched, contender)
        rows.append((contender.label, *cells, percent_interval(found), f"{found.n} of {decisions.seeds}"))
    return columns(rows)


def percent_interval(found: Estimate) -> str:
    """Write an accuracy or a difference of accuracies with its interval, in % or percentage points."""
    bounds = interval(100 * found.low, 100 * found.high, ".1f", found.n)
    return f"{100 * found.mean:.1f} {bounds}" if found.n else NOTHING


def waiting_lines(results: StudyResults, matched: str) -> list[str]:
    """Return the tables of the epochs, seconds and MACs needed to reach target accuracies and to overtake plain.

    Seconds are the number of steps times the seconds of a step measured alone on the machine.
    """
    paced = {
        contender.label: results.decisions.at_quiet_pace(matched, contender, results.begun[matched, contender])
        for contender in results.decisions.study.contenders
    }
    plain = results.decisions.study.contenders[0].label
    return [*target_lines(paced), "", *overtaking_lines(paced, plain)]
