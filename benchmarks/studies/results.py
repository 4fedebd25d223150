"""The results of a study: its plan and the records of its runs, as tables. Pure, and without torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.break_even import overtaking_lines, target_lines
from benchmarks.configurations import by_seed, has_diverged
from benchmarks.records import Record
from benchmarks.seeds import Estimate, estimate
from benchmarks.studies.plan import Plan
from benchmarks.studies.study import Contender
from benchmarks.text import columns

TARGETS = (0.90, 0.95, 0.97)


@dataclass(frozen=True)
class Results:
    """What came out of a study.

    Args:
        plan: of the study, with rates.
        records: of its runs that are "ok", by match and contender, in the order of their seeds.
        begun: the same with those that diverged, which never reach a target any more.
    """

    plan: Plan
    records: Mapping[tuple[str, Contender], Sequence[Record]]
    begun: Mapping[tuple[str, Contender], Sequence[Record]]

    @classmethod
    def of(cls, plan: Plan, records: Sequence[Record]) -> "Results":
        """Find the runs of a plan among records; the newest of an id counts."""
        done = {record["id"]: record for record in records if record["status"] == "ok"}
        begun = done | {record["id"]: record for record in records if has_diverged(record)}
        runs = {key: plan.runs(*key) for key in plan.widths}

        def among(found: Mapping[str, Record]) -> dict[tuple[str, Contender], Sequence[Record]]:
            return {key: [found[run.id] for run in each if run.id in found] for key, each in runs.items()}

        return cls(plan, among(done), among(begun))

    @property
    def test_step(self) -> float:
        """The smallest difference that two test accuracies can have."""
        return 1 / self.plan.images["test"]

    def accuracies(self, matched: str, contender: Contender) -> dict[int, float]:
        """Test accuracy by seed."""
        found = by_seed(self.records[matched, contender])
        return {seed: float(record["test_accuracy"]) for seed, record in found.items()}

    def accuracy(self, matched: str, contender: Contender) -> Estimate:
        """Test accuracy over seeds."""
        values = list(self.accuracies(matched, contender).values())
        return estimate(values, step=self.test_step).within(0.0, 1.0)


def accuracy_lines(results: Results, matched: str) -> list[str]:
    """Test accuracy of every contender, with what it costs."""
    plan = results.plan
    rows = [("", "C", "parameters", "of the budget", "step, ms", "test accuracy, % [95 %]", "n")]
    for contender in plan.study.contenders:
        width, records = plan.widths[matched, contender], results.records[matched, contender]
        parameters = f"{records[0]['parameters']:,}" if records else "–"
        milliseconds = 1e3 * plan.step(matched, contender)["median"]
        cells = (str(width.channels), parameters, f"{width.ratio:.2f}×", f"{milliseconds:.1f}")
        found = results.accuracy(matched, contender)
        rows.append((contender.label, *cells, percent(found), f"{found.n} of {plan.study.seeds}"))
    return columns(rows)


def percent(found: Estimate) -> str:
    """An accuracy or a difference of accuracies with its interval, in % and percentage points."""
    if not found.n:
        return "–"
    if found.n == 1:
        return f"{100 * found.mean:.1f} [one seed]"
    return f"{100 * found.mean:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def waiting_lines(results: Results, matched: str) -> list[str]:
    """Epochs, seconds and MACs to the targets, and when a group network overtakes the plain one.

    Seconds are steps times the seconds of a step alone on the machine.
    """
    paced = {
        contender.label: results.plan.at_quiet_pace(matched, contender, results.begun[matched, contender])
        for contender in results.plan.study.contenders
    }
    plain = results.plan.study.contenders[0].label
    return [*target_lines(paced, TARGETS), "", *overtaking_lines(paced, plain)]
