"""`python -m reports summary`: the short answer as Markdown, for a comment on a pull request or a job summary."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class Machine:
    """The short answer about one machine: sentences, tables, the noise, and the cases without times."""

    machine: str
    device: str
    answers: Sequence[str]
    table: Table
    peers: Table
    noise: str
    not_measured: Table


@dataclass(frozen=True)
class Summary:
    """The short answer about each machine, and what the results consist of."""

    measured: str
    counts: str
    remarks: Sequence[str]
    machines: Sequence[Machine]

    def value(self) -> dict[str, Any]:
        """Return the summary for programs; a row of a table is an object of its texts by heading."""
        machines = [
            {**vars(each), **{name: _rows(getattr(each, name)) for name in ("table", "peers", "not_measured")}}
            for each in self.machines
        ]
        return {**vars(self), "machines": machines}


def _rows(table: Table) -> list[dict[str, str]]:
    return [{name: cell.text for name, cell in zip(table.headings, row.cells, strict=True)} for row in table.rows]


def summary(records: Iterable[Record]) -> Summary:
    """Return the summary: for every machine the answers, their table, the noise and the failures.

    Raises:
        ValueError: when no record can be reported on.
    """
    data = anchored(frames(newest(records)))
    if not data.machines:
        raise ValueError("no record to report on")
    remarks = [*overview.remarks(data), *[overview.OPENING] * (len(data.machines) > 1)]
    machines = [_machine(machine, data.on(machine)) for machine in opening_order(data)]
    return Summary(overview.period(data), overview.counts(data), remarks, machines)


def _machine(name: str, data: Frames) -> Machine:
    results = Prepared(data)
    sentences = [sentence.text for sentence in headline(results)]
    missing = of_trust.not_measured(data.costs, data.runs)
    said = noise(data.costs, data.twins)
    tables = of_layers.headline(results), of_layers.peers(results.against_peers)
    return Machine(name, overview.device(data), sentences, *tables, said, missing)


def summary_lines(found: Summary) -> list[str]:
    """Write the summary as Markdown."""
    lines = [f"## {overview.TITLE}", "", markdown(f"Measured {found.measured}. {found.counts}"), ""]
    lines += _items(found.remarks)
    for machine in found.machines:
        lines += [f"### {markdown(machine.machine)}", "", markdown(machine.device), "", *_machine_lines(machine)]
    return lines[:-1]


def _machine_lines(found: Machine) -> list[str]:
    lines = _items(found.answers)
    if not found.answers:
        lines = ["No plain convolution and no training run was measured here, so there is no short answer.", ""]
    if found.table.rows:
        lines += [*table_lines(found.table), ""]
    if found.peers.rows:
        lines += [f"{found.peers.caption}:", "", *table_lines(found.peers), ""]
    lines += [f"Noise: {markdown(found.noise)}", ""]
    missing = found.not_measured
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
