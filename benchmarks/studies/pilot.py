"""How many seeds a study trains: those of its pilot, or more where one point needs more.

The pilot is the study's first seeds, which count in the results, too (an internal pilot: Wittes, Brittain 1990). The
rule looks at the spread of the differences alone, not at their mean, so it cannot favour a verdict. A spread that is
small by chance ends the study early, so tests at 5 % find a difference that is none in up to 6 of 100 studies.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.answers.text_tables import columns
from benchmarks.statistics.over_seeds import BOOTSTRAP_SEEDS, DECIDING_SEEDS
from benchmarks.statistics.power import seeds_to_find
from benchmarks.studies.pairs import Pair, claimed_pairs
from benchmarks.studies.results import StudyResults
from benchmarks.studies.study import MOST_SEEDS
from benchmarks.studies.verdict import MARGIN, POWER, mean_accuracies, power_cells


@dataclass(frozen=True)
class Spread:
    """The spread of the difference of accuracy that a claim is about, at one budget.

    Args:
        name: the contenders.
        matched: the budget.
        deviation: standard deviation over the pilot's seeds of the mean difference over the pairs, a fraction.
    """

    name: str
    matched: str
    deviation: float

    @property
    def needed(self) -> int | None:
        """The seeds that find a difference of the margin in 80 of 100 studies; None for 1,000 or more."""
        return seeds_to_find(MARGIN, self.deviation)


def spreads(results: StudyResults) -> list[Spread]:
    """Return the spreads of the claims' differences over the pilot's seeds; claims with too few seeds are left out."""
    pilot, study = pilot_of(results), results.decisions.study
    found = []
    for matched in study.matches:
        for pairs in claimed_pairs(study):
            a, b = mean_accuracies(pilot, matched, pairs)
            if len(a) >= DECIDING_SEEDS:
                deviation = statistics.stdev(x - y for x, y in zip(a, b, strict=True))
                found.append(Spread(_name(pairs), matched, deviation))
    return found


def seeds_to_train(results: StudyResults) -> int:
    """Return the number of seeds that the study trains.

    It is the largest number that a claim needs to find one point and that is at most ``MOST_SEEDS``, and never below
    the pilot's. A pilot of fewer than five seeds tells too little of the spread; the study stays with it.
    """
    pilot = results.decisions.study.seeds
    if pilot < BOOTSTRAP_SEEDS:
        return pilot
    needed = [spread.needed for spread in spreads(results)]
    return max([pilot, *(each for each in needed if each is not None and each <= MOST_SEEDS)])


def pilot_of(results: StudyResults) -> StudyResults:
    """Return the results of the pilot's seeds alone."""
    seeds = results.decisions.study.seeds
    kept = {key: [each for each in found if each["run"]["seed"] < seeds] for key, found in results.records.items()}
    return replace(results, records=kept)


def pilot_lines(results: StudyResults) -> list[str]:
    """Return the table of the spreads, of the seeds that they ask for, and of those that the study trains."""
    found = spreads(results)
    if not found:
        return []
    decisions = results.decisions
    pilot = decisions.study.seeds
    rows = [("a − b", "matched by", "spread, points", *POWER)]
    for spread in found:
        deviation = f"{100 * spread.deviation:.2f}"
        rows.append((spread.name, spread.matched, deviation, *power_cells(spread.deviation, pilot)))
    note = (
        f"Spread: standard deviation, over the pilot's {pilot} seeds, of the difference of test accuracy that a claim "
        "is about (the mean over its pairs). Found in 80 %: the difference that a test with the pilot's seeds would "
        f"find in 80 of 100 studies. A study trains as many seeds as find one point, if these are at most "
        f"{MOST_SEEDS}; this one trains {decisions.seeds}."
    )
    return [*columns(rows), note]


def _name(pairs: Sequence[Pair]) -> str:
    first, second = pairs[0]
    name = f"{first.label} − {second.label}"
    return name if len(pairs) == 1 else f"{name} and {len(pairs) - 1} more"
