"""Changes in the whole history of a suite: every step and drift of each benchmark and of each kind of benchmark.

Times are divided by those of the controls, plain convolutions whose code is torch's, in the same run: a change that the
controls share is the machine's. ``statistics.change_points`` finds the changes; ``suite_steps`` judges the last run.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.answers.suite_series import Series, series_of
from benchmarks.records.known_changes import NOTHING_KNOWN, Ignored, Known
from benchmarks.records.suite_results import Commit
from benchmarks.statistics.change_points import (
    FEWEST,
    Change,
    change_points,
    correlation_of,
    smallest_step,
    without_changes,
)
from benchmarks.statistics.verdicts import AT_LEAST, FINE, NOT_COMPARED, REGRESSED, UNDECIDED

# Changes smaller than this fraction are not reported, unless ``known.toml`` has another threshold.
LEAST_CHANGE = 0.01
# A level has one more run where runs were not repeated, because three disturbed runs in succession occur in some of
# hundreds of series.
FEWEST_UNREPEATED = FEWEST + 1


@dataclass(frozen=True)
class Found:
    """A change of a series, with the changes of single benchmarks in the same direction at the same place."""

    series: Series
    change: Change
    alone: tuple[float, ...] = ()  # ratios of the benchmarks of a kind that changed by themselves, too
    doubtful: bool = False  # the controls changed as well, or there are none
    ignored: Ignored | None = None

    @property
    def before(self) -> str:
        """The hash of the last commit that is surely before a step, or of the last before a drift."""
        return self.series.hashes[self.change.before]

    @property
    def at(self) -> str:
        """The hash of the measured commit with which the new level most likely begins."""
        return self.series.hashes[self.change.at]

    @property
    def after(self) -> str:
        return self.series.hashes[self.change.after]

    @property
    def slower(self) -> bool:
        return self.change.size > 0

    @property
    def regressed(self) -> bool:
        return self.slower and not self.doubtful and self.ignored is None


@dataclass(frozen=True)
class SuiteHistory:
    """The changes of all kinds and benchmarks on one machine."""

    place: str
    commits: tuple[str, ...]  # hashes, oldest first
    series: tuple[Series, ...]  # those that are long enough for a change
    short: tuple[Series, ...]  # those of benchmarks that are not
    needed: int  # the number of values of a series that is long enough
    found: tuple[Found, ...]  # of kinds, and of benchmarks whose kind did not change there
    machine: tuple[Found, ...]  # of the controls
    smallest: Mapping[str, float]  # by subject: the step, as a fraction, that is found in four of five cases

    def word(self, at_least: float = AT_LEAST) -> str:
        """Return "regressed", "undecided" if a change is doubtful or a step of this size may be hidden, or "fine"."""
        if not self.series:
            return NOT_COMPARED
        if any(one.regressed for one in self.found):
            return REGRESSED
        hidden = any(self.smallest[series.subject] > at_least for series in self.main_series)
        return UNDECIDED if hidden or any(one.doubtful for one in self.found) else FINE

    @property
    def main_series(self) -> list[Series]:
        """The series of kinds, and of benchmarks that are alone in their kind."""
        pooled = {name for series in self.series if series.of_a_kind for name in series.benchmarks}
        return [series for series in self.series if series.of_a_kind or series.subject not in pooled]

    def runs_to_find(self, series: Series, step: float) -> int:
        """Return the number of values with which a step of this size would be found in four of five cases."""
        return math.ceil(series.values * (math.log1p(self.smallest[series.subject]) / math.log1p(step)) ** 2)


def suite_histories(
    commits: Sequence[Commit], order: Sequence[str] = (), known: Known = NOTHING_KNOWN
) -> list[SuiteHistory]:
    """Return the history of each machine.

    Args:
        commits: results, oldest first; successive results of one commit are repetitions of a run.
        order: hashes of all commits, oldest first: an ignored commit may lie between two measured ones.
        known: thresholds of benchmarks, and commits with intended changes.
    """
    places = dict.fromkeys(commit.place for commit in commits)
    return [_history(place, [one for one in commits if one.place == place], order, known) for place in places]


def _history(place: str, commits: Sequence[Commit], order: Sequence[str], known: Known) -> SuiteHistory:
    every, of_machine = series_of(commits)
    repeated = any(len(run) > 1 for one in every for run in one.runs)
    fewest = FEWEST if repeated else FEWEST_UNREPEATED
    series = [one for one in every if one.values >= 2 * fewest]
    short = tuple(one for one in every if one not in series and not one.of_a_kind)
    first = [(one, change_points(one.runs, sure=one.sure, fewest=fewest)) for one in series]
    # Repetitions are measured in turns, so neighbours in a series were not neighbours in time.
    histories = [without_changes(one.runs, changes) for one, changes in first if one.is_time]
    correlation = 0.0 if repeated else correlation_of(histories)
    machine = tuple(Found(of_machine, one) for one in change_points(of_machine.runs) if abs(one.size) > LEAST_CHANGE)

    found, smallest = [], {}
    for one, changes in first:
        rho = correlation if one.is_time else 0.0
        smallest[one.subject] = smallest_step(one.runs, sure=one.sure, correlation=rho)
        for change in change_points(one.runs, sure=one.sure, correlation=rho, fewest=fewest) if rho else changes:
            if abs(math.expm1(change.size)) >= _threshold(one, known):
                doubtful = one.is_time and (not of_machine.runs or any(_shared(one, change, each) for each in machine))
                found.append(Found(one, change, (), doubtful, _ignored(one, change, order, known)))
    hashes = tuple(dict.fromkeys(commit.hash for commit in commits))
    gathered = tuple(_gathered(found, hashes))
    return SuiteHistory(place, hashes, tuple(series), short, 2 * fewest, gathered, machine, smallest)


def _threshold(series: Series, known: Known) -> float:
    """Return the least change that is reported; that of a kind is the greatest of its benchmarks."""
    entries = [known.threshold(name) for name in series.benchmarks]
    return max(entry.at_least if entry else LEAST_CHANGE for entry in entries)


def _shared(series: Series, change: Change, control: Found) -> bool:
    """Return whether the controls changed between the same commits, by at least half as much."""
    place = {hash_: n for n, hash_ in enumerate(control.series.hashes)}
    before, after = place.get(series.hashes[change.before], -1), place.get(series.hashes[change.after], math.inf)
    overlap = control.change.before < after and control.change.after > before
    return overlap and abs(control.change.size) >= abs(change.size) / 2


def _ignored(series: Series, change: Change, order: Sequence[str], known: Known) -> Ignored | None:
    """Return the entry by which a change is intended: one whose commit is among those that may have made the change."""
    measured = series.hashes[change.before + 1 : change.after + 1]
    if {series.hashes[change.before], measured[-1]} <= set(order):
        measured = tuple(order[order.index(series.hashes[change.before]) + 1 : order.index(measured[-1]) + 1])
    for commit in measured:
        entries = [known.ignores(commit, name) for name in series.benchmarks]
        if all(entries):
            return entries[0]
    return None


def _gathered(found: Sequence[Found], hashes: Sequence[str]) -> Iterator[Found]:
    """Yield the changes by date: of kinds, with what their benchmarks did alone, and of other benchmarks."""
    place = {hash_: n for n, hash_ in enumerate(hashes)}

    def same(one: Found, other: Found) -> bool:
        overlap = place[one.before] < place[other.after] and place[other.before] < place[one.after]
        return overlap and one.slower == other.slower

    kinds = [one for one in found if one.series.of_a_kind]
    single = [one for one in found if not one.series.of_a_kind]
    gathered = []
    for kind in kinds:
        inside = [one for one in single if one.series.subject in kind.series.benchmarks and same(one, kind)]
        single = [one for one in single if one not in inside]
        ratios = tuple(sorted(one.change.ratio for one in inside))
        gathered.append(Found(kind.series, kind.change, ratios, kind.doubtful, kind.ignored))
    yield from sorted((*gathered, *single), key=lambda one: place[one.at])
