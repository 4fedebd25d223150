"""`python -m reports diff OLD NEW`: what changed between two sets of results, and whether the change is significant.

Times are judged by `benchmarks.answers.differences`, accuracies by `benchmarks.statistics.over_seeds`. Counts are
compared without a test, because they are the same in every run.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.answers import differences
from benchmarks.records.configurations import Configuration, by_configuration, by_seed, network_names
from benchmarks.records.outcome import FAILURES
from benchmarks.records.printable import printable
from benchmarks.records.record import Machine, Record, machine_of
from benchmarks.statistics.over_seeds import paired_tests
from benchmarks.statistics.verdicts import FINE, REGRESSED, STATUS, UNDECIDED, gravest
from reports.words import numbers

# Peaks of memory are measured once. They are the same in every run, except for buffers that libraries keep.
PEAK_MARGIN = 0.01
# Smaller changes of an accuracy do not matter: on 300 test images, one point is three images.
ACCURACY_MARGIN = 0.01
# The verdict that follows from the word on an accuracy.
ACCURACY_VERDICTS = {"better": FINE, "same": FINE, "worse": REGRESSED, "ambiguous": UNDECIDED}

# The machine of all records when results are compared across machines.
ANY_MACHINE: Machine = ("", "", "")


@dataclass(frozen=True)
class AccuracyChange:
    """A network at A and at B: mean test accuracies over shared seeds, the interval of B − A, and the verdict on B."""

    label: str
    a: float
    b: float
    n: int
    low: float
    high: float
    word: str


@dataclass(frozen=True)
class CountChange:
    """A count that differs between A and B, or a peak of memory that differs by more than `PEAK_MARGIN`."""

    label: str
    what: str
    a: float
    b: float
    show: Callable[[float], str]


@dataclass(frozen=True)
class Difference:
    """The changes of times, accuracies and counts; `broken` lists training runs that fail at B, but not at A."""

    times: differences.Differences
    accuracies: Sequence[AccuracyChange]
    counts: Sequence[CountChange]
    broken: Sequence[str]
    lost: Sequence[str]
    new: Sequence[str]

    @property
    def verdict(self) -> str:
        """The verdict on times, accuracies and training runs together, a word of `benchmarks.statistics.verdicts`."""
        verdicts = [self.times.verdict, *(ACCURACY_VERDICTS[row.word] for row in self.accuracies)]
        return gravest([*verdicts, *[REGRESSED] * len(self.broken)])

    @property
    def status(self) -> int:
        """The exit status of the verdict: 0 fine, 1 regressed, 2 could not compare, 3 undecided."""
        return STATUS[self.verdict]

    def value(self) -> dict[str, Any]:
        """Return the verdict and the changes for programs; accuracies are fractions."""
        counts = [{"label": row.label, "what": row.what, "a": row.a, "b": row.b} for row in self.counts]
        names = ("accuracies", "broken", "lost", "new")
        same = {name: getattr(self, name) for name in names}
        return {"verdict": self.verdict, "times": self.times.value(), "counts": counts, **same}


def difference(
    before: Sequence[Record], after: Sequence[Record], floor: float, across_machines: bool = False
) -> Difference:
    """Compare two sets of results.

    Raises:
        ValueError: when the two sets come from different machines, unless `across_machines`.
    """
    times = differences.compare_results(before, after, floor, across_machines)
    a, b = (_configurations(records, across_machines) for records in (before, after))
    ends = differences.endings(before, after, across_machines)
    labels = configuration_labels([*a, *b], ends)
    lost, new = ([labels[key] for key in one if key not in other] for one, other in ((a, b), (b, a)))
    return Difference(
        times,
        _accuracies([(labels[key], a[key], b[key]) for key in a if key in b]),
        list(_counts(before, after, across_machines, ends)),
        _broken(before, after, across_machines),
        [*times.lost, *lost],
        [*times.new, *new],
    )


def configuration_labels(found: Collection[Configuration], ends: Mapping[Machine, str]) -> dict[Configuration, str]:
    names = network_names(found)
    return {key: printable(f"{key.label(names[key])}{ends.get(key.machine, '')}", 200) for key in found}


def _configurations(records: Iterable[Record], across_machines: bool) -> dict[Configuration, list[Record]]:
    found = by_configuration(records)
    return {replace(key, machine=ANY_MACHINE): runs for key, runs in found.items()} if across_machines else found


def _accuracies(pairs: Sequence[tuple[str, list[Record], list[Record]]]) -> list[AccuracyChange]:
    """Compare every network at A and at B, seed by seed; the tests are corrected for the number of networks (Holm)."""
    paired = []
    for name, before, after in pairs:
        by_a, by_b = (
            {seed: record for seed, record in by_seed(runs).items() if record.get("test_accuracy") is not None}
            for runs in (before, after)
        )
        # The same record on both sides says nothing; another run of the same code may have the same accuracy.
        seeds = [seed for seed in sorted(set(by_a) & set(by_b)) if by_a[seed] != by_b[seed]]
        if seeds:
            a, b = ([runs[seed]["test_accuracy"] for seed in seeds] for runs in (by_a, by_b))
            paired.append((name, a, b, _images(before[0])))
    step = 1 / max((images for *_, images in paired), default=1)
    tests = paired_tests([(b, a) for _, a, b, _ in paired], step=step)
    rows = []
    for (name, a_, b_, _), test in zip(paired, tests, strict=True):
        within = test.difference.low >= -ACCURACY_MARGIN and test.difference.high <= ACCURACY_MARGIN
        word = {"supports": "better", "contradicts": "worse"}.get(test.word, "same" if within else "ambiguous")
        a, b = (sum(values) / len(values) for values in (a_, b_))
        rows.append(AccuracyChange(name, a, b, len(a_), test.difference.low, test.difference.high, word))
    return rows


def _images(record: Record) -> int:
    """Return the number of test images; a million where the record does not state it."""
    return int((record.get("data") or {}).get("test") or 10**6)


def _counts(
    before: Iterable[Record], after: Iterable[Record], across_machines: bool, ends: Mapping[Machine, str]
) -> Iterable[CountChange]:
    a, b = ({_key(r, across_machines): r for r in records if _is_ok(r, "cost")} for records in (before, after))
    quantities: Sequence[tuple[str, Callable[[Record], Any], float, Callable[[float], str]]] = (
        ("MACs, convolution", lambda r: _inside(r, "macs").get("convolution"), 0, numbers.count),
        ("MACs, kernels", lambda r: _inside(r, "macs").get("kernel_generation"), 0, numbers.count),
        ("parameters", lambda r: r.get("parameters"), 0, numbers.count),
        ("peak memory", lambda r: _inside(r, "memory").get("peak_bytes"), PEAK_MARGIN, numbers.memory),
    )
    for key in a:
        for what, of, margin, show in quantities:
            old, new = of(a[key]), of(b.get(key, {}))
            if old is not None and new is not None and abs(new - old) > margin * old:
                yield CountChange(differences.record_label(a[key], ends), what, old, new, show)


def _key(record: Record, across_machines: bool) -> tuple[Machine, str]:
    return ANY_MACHINE if across_machines else machine_of(record), record["id"]


def _is_ok(record: Record, kind: str) -> bool:
    return bool(record["kind"] == kind and record["status"] == "ok")


def _inside(record: Record, name: str) -> Mapping[str, Any]:
    return record.get(name) or {}


def _broken(before: Iterable[Record], after: Iterable[Record], across_machines: bool) -> list[str]:
    """Return the training runs that were ok at A and fail at B."""
    fine = {_key(r, across_machines) for r in before if _is_ok(r, "training")}
    return [
        printable(f"training run {r['id']}: {r['status']}: {r.get('message') or ''}", 200)
        for r in after
        if r["kind"] == "training" and r["status"] in FAILURES and _key(r, across_machines) in fine
    ]
