"""The difference of two sets of results as lines of text, or as Markdown."""

from collections.abc import Callable, Sequence

from benchmarks.answers.differences import HEADING, cells, explained
from benchmarks.answers.text_tables import left_columns, markdown, markdown_table
from benchmarks.statistics.over_seeds import CONFIDENCE, DECIDING_SEEDS
from benchmarks.statistics.verdicts import REGRESSED, UNDECIDED
from benchmarks.statistics.written import interval
from reports.exports.difference import AccuracyChange, CountChange, Difference
from reports.words import numbers

ACCURACY_HEADING = ("B is", "B − A, points", f"{CONFIDENCE:.0%} interval", "A, %", "B, %", "seeds", "network")
COUNT_HEADING = ("B / A", "A", "B", "what", "case")


def as_text(found: Difference, everything: bool = False) -> list[str]:
    """Write aligned tables under headings; times that are fine and not faster are left out, unless `everything`."""
    return _lines(found, everything, str.upper, left_columns, lambda line: line)


def as_markdown(found: Difference, everything: bool = False) -> list[str]:
    """Write the lines of `as_text` as Markdown, for a job summary or a comment on a pull request."""
    return _lines(found, everything, lambda title: f"### {title}", markdown_table, lambda line: f"- {markdown(line)}")


def _lines(
    found: Difference,
    everything: bool,
    heading: Callable[[str], str],
    table: Callable[[Sequence[Sequence[str]]], list[str]],
    item: Callable[[str], str],
) -> list[str]:
    changed = [
        row
        for row in found.times.rows
        if row.verdict in (REGRESSED, UNDECIDED) or (row.comparison and row.comparison.word == "faster")
    ]
    rows = cells(found.times.rows if everything else changed)
    lines = [heading("Times"), ""]
    lines += [*table([HEADING, *rows]), ""] if rows else []
    lines += [*map(item, explained(found.times)), ""]
    if found.accuracies:
        lines += [heading("Test accuracy"), "", *table([ACCURACY_HEADING, *map(_accuracy_cells, found.accuracies)]), ""]
        few = f"fewer than {DECIDING_SEEDS} seeds decide nothing"
        lines += [item(f"pairs of equal seeds, words corrected for {len(found.accuracies)} networks (Holm); {few}"), ""]
    if found.counts:
        lines += [heading("What is counted"), "", *table([COUNT_HEADING, *map(_count_cells, found.counts)]), ""]
        lines += [item("counts are the same in every run of the same code; they do not affect the verdict"), ""]
    for title, names in (
        ("Training that fails at B alone", found.broken),
        ("In A alone", found.lost),
        ("In B alone", found.new),
    ):
        if names:
            lines += [heading(title), "", *map(item, names), ""]
    return [*lines, heading("Verdict"), "", item(found.verdict)]


def _accuracy_cells(row: AccuracyChange) -> tuple[str, ...]:
    change, a, b = f"{100 * (row.b - row.a):+.1f}", f"{100 * row.a:.1f}", f"{100 * row.b:.1f}"
    return row.word, change, interval(100 * row.low, 100 * row.high, "+.1f", row.n), a, b, f"{row.n}", row.label


def _count_cells(row: CountChange) -> tuple[str, ...]:
    ratio = numbers.digits(row.b / row.a, 4) if row.a else numbers.NOTHING
    return ratio, row.show(row.a), row.show(row.b), row.what, row.label
