"""`python -m reports summary`: the short answer as Markdown, for a comment on a pull request or a job summary."""

from collections.abc import Iterable, Sequence

from benchmarks.answers.text_tables import markdown, markdown_table
from benchmarks.records.record import Record
from reports import overview, tables, wording
from reports.frames import Frames, frames, newest
from reports.page import anchored, headline
from reports.tables import Table

# A comment may hold 65,536 characters, and nobody reads as many.
MOST_ROWS = 20


def summary(records: Iterable[Record]) -> list[str]:
    """The lines of the summary: for every machine the answers, their table, failures and noise.

    Raises:
        ValueError: when there is nothing to report on.
    """
    data = anchored(frames(newest(records)))
    if not data.machines:
        raise ValueError("no record to report on")
    lines = [f"## {overview.TITLE}", "", markdown(f"Measured {overview.period(data)}. {overview.counts(data)}"), ""]
    lines += _items(overview.remarks(data))
    for machine in data.machines:
        lines += [f"### {markdown(machine)}", "", *_machine(data.on(machine))]
    return lines[:-1]


def _machine(data: Frames) -> list[str]:
    sentences, table = headline(data)
    lines = _items([sentence.text for sentence in sentences])
    if not sentences:
        lines = ["No plain convolution and no training run was measured here, so there is no short answer.", ""]
    if table.rows:
        lines += [*_table(table), ""]
    lines += [f"Noise: {markdown(wording.noise(data.costs, data.twins))}", ""]
    missing = tables.not_measured(data.costs, data.runs)
    if missing.rows:
        lines += [f"<details><summary>{missing.caption}: {len(missing.rows)}</summary>", "", *_table(missing), ""]
        lines += ["</details>", ""]
    return lines


def _items(texts: Sequence[str]) -> list[str]:
    return [*(f"- {markdown(text)}" for text in texts), ""] if texts else []


def _table(table: Table) -> list[str]:
    rows = [[f"{cell.text} ({cell.note})" if cell.note else cell.text for cell in row.cells] for row in table.rows]
    lines = markdown_table([table.headings, *rows[:MOST_ROWS]])
    more = len(rows) - MOST_ROWS
    return [*lines, "", f"… and {more} more."] if more > 0 else lines
