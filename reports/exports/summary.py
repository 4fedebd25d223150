"""`python -m reports summary`: the short answer as Markdown, for a comment on a pull request or a job summary."""

from collections.abc import Iterable, Sequence

from benchmarks.answers.text_tables import markdown, markdown_table
from benchmarks.records.record import Record
from reports.arithmetic.prepared import Prepared
from reports.frames.frames import Frames, anchored, frames, newest
from reports.frames.selection import opening_order
from reports.tables import of_layers, of_trust
from reports.tables.cells import Table
from reports.words import overview
from reports.words.headline import headline
from reports.words.of_trust import noise

# The most rows of a table: a comment on GitHub may hold only 65,536 characters.
MOST_ROWS = 20


def summary(records: Iterable[Record]) -> list[str]:
    """Return the lines of the summary: for every device the answers, their table, the noise and the failures.

    Raises:
        ValueError: when no record can be reported on.
    """
    data = anchored(frames(newest(records)))
    if not data.machines:
        raise ValueError("no record to report on")
    lines = [f"## {overview.TITLE}", "", markdown(f"Measured {overview.period(data)}. {overview.counts(data)}"), ""]
    lines += _items([*overview.remarks(data), *[overview.OPENING] * (len(data.machines) > 1)])
    for machine in opening_order(data):
        here = data.on(machine)
        lines += [f"### {markdown(machine)}", "", markdown(overview.device(here)), "", *_machine(here)]
    return lines[:-1]


def _machine(data: Frames) -> list[str]:
    results = Prepared(data)
    sentences, table = headline(results), of_layers.headline(results)
    lines = _items([sentence.text for sentence in sentences])
    if not sentences:
        lines = ["No plain convolution and no training run was measured here, so there is no short answer.", ""]
    if table.rows:
        lines += [*table_lines(table), ""]
    peers = of_layers.peers(results.against_peers)
    if peers.rows:
        lines += [f"{peers.caption}:", "", *table_lines(peers), ""]
    lines += [f"Noise: {markdown(noise(data.costs, data.twins))}", ""]
    missing = of_trust.not_measured(data.costs, data.runs)
    if missing.rows:
        lines += [f"<details><summary>{missing.caption}: {len(missing.rows)}</summary>", "", *table_lines(missing), ""]
        lines += ["</details>", ""]
    return lines


def _items(texts: Sequence[str]) -> list[str]:
    return [*(f"- {markdown(text)}" for text in texts), ""] if texts else []


def table_lines(table: Table) -> list[str]:
    """Return a table as lines of Markdown, at most ``MOST_ROWS`` rows."""
    rows = [[f"{cell.text} ({cell.note})" if cell.note else cell.text for cell in row.cells] for row in table.rows]
    lines = markdown_table([table.headings, *rows[:MOST_ROWS]])
    more = len(rows) - MOST_ROWS
    return [*lines, "", f"… and {more} more."] if more > 0 else lines
