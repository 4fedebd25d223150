"""The tables about trust: undecided comparisons, noisy and missing records, regressions, machines and versions."""

from collections.abc import Hashable, Sequence
from typing import Any

import pandas as pd

from benchmarks.statistics.intervals import Interval
from reports.frames.columns import OURS
from reports.frames.history import regressions as regressed
from reports.tables.cells import Cell, Row, Table, cell, minute, number_cell
from reports.words import numbers
from reports.words.names import LAYER_WORDS, direction_name, group_name, setting, spaced
from reports.words.of_trust import why_missing


def undecided(pairs: pd.DataFrame, peers: pd.DataFrame) -> Table:
    """Show the comparisons that could not be decided."""
    rows = []
    # The frame has full's time over separable's; the table shows the inverse.
    turned = pairs.assign(ratio=1 / pairs["time_ratio"], low=1 / pairs["time_high"], high=1 / pairs["time_low"])
    for subject, rival, frame in (("separable", "full", turned), ("", "ours", peers)):
        for row in frame[frame["word"] == "ambiguous"].to_dict("records"):
            ratio = Interval(row["ratio"], row["low"], row["high"])
            what = subject or ", ".join(filter(None, [f"{row['implementation']} {row['variant']}", setting(row)]))
            where = f"{group_name(row['group'])}, |H| = {row['resolution']:.0f}, width {row['channels']:.0f}"
            where += f", batch {row['batch_size']:.0f}"
            shape = f"{row['image_size']:.0f} pixels, kernel {row['kernel_size']:.0f}"
            cells = [cell(f"{what} compared with {rival}", str), cell(LAYER_WORDS.get(row["layer"], row["layer"]), str)]
            cells += [cell(direction_name(row["direction"]), str), cell(f"{where}, {shape}", str)]
            rows.append(Row((*cells, number_cell(numbers.multiple(ratio), ratio.value))))
    headings = ("what", "of", "pass", "where", "time, as a multiple")
    return Table("What could not be decided", headings, tuple(rows))


def findings(costs: pd.DataFrame) -> Table:
    """Show why records are noisy: the number of records for each reason, the first example, and what would help."""
    rows: dict[str, list[tuple[str, str, str]]] = {}
    for each, anchor in zip(costs["findings"], costs["anchor"], strict=True):
        for kind, detail, remedy in each:
            rows.setdefault(kind, []).append((detail, remedy, anchor))
    body = []
    for kind, found in sorted(rows.items(), key=lambda item: -len(item[1])):
        detail, remedy, anchor = found[0]
        cells = [cell(spaced(kind), str), number_cell(str(len(found)), len(found))]
        body.append(Row((*cells, Cell(detail, detail, link=f"#{anchor}"), cell(remedy, str))))
    headings = ("finding", f"records, of {(costs['noise'] != '').sum()}", "for example", "remedy")
    return Table("Why records are called noisy, and what would help", headings, tuple(body))


def not_measured(costs: pd.DataFrame, runs: pd.DataFrame) -> Table:
    """Show what is missing and why: failures, skipped cases, and instruments without a value."""
    found: dict[tuple[str, str], list[dict[Hashable, Any]]] = {}
    for record in [*_missed(costs), *_missed(runs)]:
        if record["status"] != "ok":
            found.setdefault((spaced(record["status"]), why_missing(record["message"], record)), []).append(record)
        for name, reason in record.get("missing", ()):
            found.setdefault((f"no {spaced(name)}", why_missing(reason, record)), []).append(record)
    rows = []
    for (what, reason), records in found.items():
        names = dict.fromkeys(
            f"{'' if r.get('implementation', OURS) == OURS else r['implementation'] + ' '}{r['variant']}"
            for r in records
        )
        link = f"#{records[0]['anchor']}"
        cells = (cell(what, str), Cell(reason, reason), Cell(", ".join(names), "", link=link))
        failed = any(record["status"] not in ("ok", "skipped") for record in records)
        rows.append(Row((*cells, number_cell(str(len(records)), len(records))), failed=failed))
    rows.sort(key=lambda row: not row.failed)
    return Table("What was not measured, and why", ("what", "reason", "of", "records"), tuple(rows))


def _missed(frame: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return the records of a frame that lack something, with the columns that say what and why."""
    columns = ["status", "message", "missing", "implementation", "variant", "commit", "anchor"]
    lacks = (frame["status"] != "ok") | (frame["missing"].map(bool) if "missing" in frame else False)
    return frame.loc[lacks, [column for column in columns if column in frame]].to_dict("records")


def regressions(commits: pd.DataFrame) -> Table:
    """Show the regressed benchmarks of asv and pytest-benchmark, the worst first."""
    rows = []
    for row in regressed(commits).to_dict("records"):
        cells = [cell(row[name], str) for name in ("suite", "machine")]
        cells += [Cell(row["commit"][:8], row["commit"]), Cell(row["date"][:10], row["date"])]
        cells += [cell(row["benchmark"], str), number_cell(f"× {row['ratio']:.2f}", row["ratio"])]
        rows.append(Row(tuple(cells)))
    headings = ("suite", "machine", "commit", "date", "benchmark", "compared with earlier runs")
    return Table("What became slower or larger, and where", headings, tuple(rows))


def environments(frames: Sequence[pd.DataFrame]) -> Table:
    """Show the machines, versions and commits of the records, a row for each distinct combination."""
    versions = ["machine", "platform", "commit", "dirty", "python", "torch", "gcnn_impl", "fvcore"]
    columns = [*versions, "threads", "load_before", "load_after", "measured_at"]
    frame = pd.concat([frame[columns] for frame in frames])
    frame["load"] = frame[["load_before", "load_after"]].max(axis=1)
    rows = []
    for _, group in frame.groupby(versions, sort=True):
        named = {name: str(group[name].iloc[0]) for name in versions}
        named["commit"] = f"{named['commit'][:10] or 'unknown'}{' + changes' if named.pop('dirty') == 'True' else ''}"
        cells = [cell(value or numbers.NOTHING, str) for value in named.values()]
        loads = f"{group['load'].min():.1f} to {group['load'].max():.1f}" if group["load"].notna().any() else "–"
        when = f"{minute(group['measured_at'].min())} to {minute(group['measured_at'].max())}"
        cells += [cell(text, str) for text in (numbers.span(group["threads"]), loads, when)]
        cells.append(number_cell(str(len(group)), len(group)))
        rows.append(Row(tuple(cells)))
    headings = ("machine", "platform", "commit", "Python", "torch", "gcnn_impl", "fvcore")
    more = ("threads", "load", "measured (UTC)", "records")
    return Table("Machines, versions and commits", (*headings, *more), tuple(rows))
