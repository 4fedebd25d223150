"""`python -m reports diff A B`: what changed between two sets of results, and whether it means anything.

Times are judged by `benchmarks.answers.differences`, accuracies by `benchmarks.statistics.over_seeds`; what is counted needs no judge.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.answers import differences
from benchmarks.answers.differences import (
    NO_REGRESSION,
    NOTHING_COMPARED,
    REGRESSION,
    Report,
    check_machines,
    compare_results,
)
from benchmarks.answers.text_tables import left_columns, markdown_table
from benchmarks.answers.text_tables import markdown as escaped
from benchmarks.records.configurations import Configuration, by_configuration, by_seed
from benchmarks.records.outcome import FAILURES
from benchmarks.records.printable import printable
from benchmarks.records.record import Machine, Record, machine_of
from benchmarks.statistics.over_seeds import CONFIDENCE, DECIDING_SEEDS, paired_tests
from reports import wording

# Peaks are measured once. Allocations are the same from run to run, but for what a library keeps to itself.
PEAK_MARGIN = 0.01
# Nobody needs to care about less: on 300 test images a point is three of them.
ACCURACY_MARGIN = 0.01
ELSEWHERE: Machine = ("", "", "")  # every machine, where machines do not matter


@dataclass(frozen=True)
class Accuracy:
    """A network at A and at B: mean test accuracies over the seeds that both have, and the word about B."""

    label: str
    a: float
    b: float
    n: int
    low: float
    high: float
    word: str


@dataclass(frozen=True)
class Count:
    """What is counted or allocated, the same every time: so any change is one."""

    label: str
    what: str
    a: float
    b: float
    show: Callable[[float], str]


@dataclass(frozen=True)
class Difference:
    """`times` of cost records, and what else is known; `broken` are training runs that fail at B alone."""

    times: Report
    accuracies: Sequence[Accuracy]
    counts: Sequence[Count]
    broken: Sequence[str]
    lost: Sequence[str]
    new: Sequence[str]

    @property
    def status(self) -> int:
        """The exit status: 1 when something is slower, less accurate or broken; 2 when nothing could be compared."""
        worse = any(row.word == "worse" for row in self.accuracies)
        if self.times.status == REGRESSION or worse or self.broken:
            return REGRESSION
        judged = any(row.word for row in self.accuracies)
        return NO_REGRESSION if self.times.status == NO_REGRESSION or judged else NOTHING_COMPARED


def difference(
    before: Sequence[Record], after: Sequence[Record], floor: float, across_machines: bool = False
) -> Difference:
    """Compare two sets of results.

    Raises:
        ValueError: when they come from different machines, unless `across_machines`.
    """
    check_machines(before, after, across_machines)
    times = compare_results(before, after, floor, across_machines)
    a, b = (_configurations(records, across_machines) for records in (before, after))
    lost, new = ([label(key) for key in one if key not in other] for one, other in ((a, b), (b, a)))
    return Difference(
        times,
        _accuracies([(label(key), a[key], b[key]) for key in a if key in b]),
        list(_counts(before, after, across_machines)),
        _broken(before, after, across_machines),
        [*times.lost, *lost],
        [*times.new, *new],
    )


def label(configuration: Configuration) -> str:
    return printable(configuration.label, 200)


def _configurations(records: Iterable[Record], across_machines: bool) -> dict[Configuration, list[Record]]:
    found = by_configuration(records)
    return {replace(key, machine=ELSEWHERE): runs for key, runs in found.items()} if across_machines else found


def _accuracies(pairs: Sequence[tuple[str, list[Record], list[Record]]]) -> list[Accuracy]:
    """Every network beside itself, in pairs of equal seeds; the word is corrected for their number (Holm)."""
    paired = []
    for name, before, after in pairs:
        by_a, by_b = (
            {seed: r["test_accuracy"] for seed, r in by_seed(runs).items() if r.get("test_accuracy") is not None}
            for runs in (before, after)
        )
        seeds = sorted(set(by_a) & set(by_b))
        if seeds:
            paired.append((name, [by_a[seed] for seed in seeds], [by_b[seed] for seed in seeds], _images(before[0])))
    step = 1 / max((images for *_, images in paired), default=1)
    tests = paired_tests([(b, a) for _, a, b, _ in paired], step=step)
    rows = []
    for (name, a_, b_, _), test in zip(paired, tests, strict=True):
        within = test.difference.low >= -ACCURACY_MARGIN and test.difference.high <= ACCURACY_MARGIN
        word = {"supports": "better", "contradicts": "worse"}.get(test.word, "same" if within else "ambiguous")
        a, b = (sum(values) / len(values) for values in (a_, b_))
        rows.append(Accuracy(name, a, b, len(a_), test.difference.low, test.difference.high, word))
    return rows


def _images(record: Record) -> int:
    """Test images; many where the record does not say."""
    return int((record.get("data") or {}).get("test") or 10**6)


def _counts(before: Iterable[Record], after: Iterable[Record], across_machines: bool) -> Iterable[Count]:
    a, b = (
        {(None if across_machines else machine_of(r), r["id"]): r for r in records if _counted(r)}
        for records in (before, after)
    )
    quantities: Sequence[tuple[str, Callable[[Record], Any], float, Callable[[float], str]]] = (
        ("MACs, convolution", lambda r: _inside(r, "macs").get("convolution"), 0, wording.count),
        ("MACs, kernels", lambda r: _inside(r, "macs").get("kernel_generation"), 0, wording.count),
        ("parameters", lambda r: r.get("parameters"), 0, wording.count),
        ("peak memory", lambda r: _inside(r, "memory").get("peak_bytes"), PEAK_MARGIN, wording.memory),
    )
    for key in a:
        for what, of, margin, show in quantities:
            old, new = of(a[key]), of(b.get(key, {}))
            if old is not None and new is not None and abs(new - old) > margin * old:
                yield Count(differences.label(a[key]), what, old, new, show)


def _counted(record: Record) -> bool:
    return record["kind"] == "cost" and record["status"] == "ok"


def _inside(record: Record, name: str) -> Mapping[str, Any]:
    return record.get(name) or {}


def _broken(before: Iterable[Record], after: Iterable[Record], across_machines: bool) -> list[str]:
    """Training runs that were ok at A and fail at B."""
    fine = {
        (None if across_machines else machine_of(r), r["id"])
        for r in before
        if r["kind"] == "training" and r["status"] == "ok"
    }
    return [
        printable(f"training run {r['id']}: {r['status']}: {r.get('message') or ''}", 200)
        for r in after
        if r["kind"] == "training"
        and r["status"] in FAILURES
        and (None if across_machines else machine_of(r), r["id"]) in fine
    ]


ACCURACY_HEADING = ("B is", "B − A, points", f"{CONFIDENCE:.0%} interval", "A, %", "B, %", "seeds", "network")
COUNT_HEADING = ("B / A", "A", "B", "what", "case")


def text(found: Difference, everything: bool = False) -> list[str]:
    """Aligned tables under headings; of times only what changed, unless `everything` is asked for."""
    return _said(found, everything, str.upper, left_columns, lambda line: line)


def markdown(found: Difference, everything: bool = False) -> list[str]:
    """The same for a job summary or a comment on a pull request."""
    return _said(found, everything, lambda title: f"### {title}", markdown_table, lambda line: f"- {escaped(line)}")


def _said(
    found: Difference,
    everything: bool,
    heading: Callable[[str], str],
    table: Callable[[Sequence[Sequence[str]]], list[str]],
    item: Callable[[str], str],
) -> list[str]:
    changed = [
        row
        for row in found.times.rows
        if row.broken or (row.comparison and row.comparison.word in ("faster", "slower"))
    ]
    rows = differences.cells(found.times.rows if everything else changed)
    lines = [heading("Times"), ""]
    lines += [*table([differences.HEADING, *rows]), ""] if rows else []
    lines += [*map(item, differences.explained(found.times)), ""]
    if found.accuracies:
        lines += [heading("Test accuracy"), "", *table([ACCURACY_HEADING, *map(_accuracy_cells, found.accuracies)]), ""]
        few = f"fewer than {DECIDING_SEEDS} seeds decide nothing"
        lines += [item(f"pairs of equal seeds, words corrected for {len(found.accuracies)} networks (Holm); {few}"), ""]
    if found.counts:
        lines += [heading("What is counted"), "", *table([COUNT_HEADING, *map(_count_cells, found.counts)]), ""]
    for title, names in (
        ("Training that fails at B alone", found.broken),
        ("In A alone", found.lost),
        ("In B alone", found.new),
    ):
        if names:
            lines += [heading(title), "", *map(item, names), ""]
    return lines[:-1]


def _accuracy_cells(row: Accuracy) -> tuple[str, ...]:
    points = [f"{100 * value:+.1f}" for value in (row.b - row.a, row.low, row.high)]
    return (
        row.word,
        points[0],
        f"[{points[1]}, {points[2]}]",
        f"{100 * row.a:.1f}",
        f"{100 * row.b:.1f}",
        f"{row.n}",
        row.label,
    )


def _count_cells(row: Count) -> tuple[str, ...]:
    ratio = wording.digits(row.b / row.a, 4) if row.a else wording.NOTHING
    return ratio, row.show(row.a), row.show(row.b), row.what, row.label
