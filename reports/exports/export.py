"""`python -m reports export`: tidy tables as CSV and Parquet; figures as SVG and PDF, each with its data as CSV."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.lines import Line2D

from benchmarks.answers.text_tables import markdown
from benchmarks.records.record import Record, rounds_of
from reports.arithmetic.prepared import Prepared
from reports.exports.files import write
from reports.exports.tidy import as_csv, figure_csv, named, tidy
from reports.figures.draw import Figure
from reports.figures.history import trend
from reports.figures.sections import sections
from reports.figures.svg import NO_METADATA, NO_PDF_METADATA, copies
from reports.frames.frames import frames, machine_name, newest
from reports.frames.selection import opening_order
from reports.style import RC, in_order, look

PARQUET_IS = "pyarrow"


@dataclass(frozen=True)
class Written:
    """What was written: a table or a folder of figures, its number of rows or of figures, and a line about it."""

    path: Path | None
    count: int
    text: str


def export(records: list[Record], commits: pd.DataFrame, directory: Path) -> Iterator[Written]:
    """Write everything below a directory, and yield what was written; a ``path`` of None: what could not be.

    Raises:
        ValueError: when no record can be reported on.
        OSError: when a file cannot be written.
    """
    kept = newest(records)
    data = frames(kept)
    if not data.machines:
        raise ValueError("no record to report on")
    tables = [(name, frame) for name, _, frame in named(data)]
    tables += [("samples", samples(kept)), ("history", commits)]
    parquet = find_spec(PARQUET_IS) is not None
    for name, frame in tables:
        if len(frame):
            flat = tidy(frame)
            write(directory / "data" / f"{name}.csv", as_csv(flat))
            if parquet:
                content = io.BytesIO()
                flat.to_parquet(content, index=False)
                write(directory / "data" / f"{name}.parquet", content.getvalue())
            path = directory / "data" / f"{name}.csv"
            yield Written(path, len(flat), f"{path}{' and .parquet' if parquet else ''}: {len(flat)} rows")
    if not parquet:
        yield Written(None, 0, f"no Parquet: {PARQUET_IS} is not installed; get it with `pip install {PARQUET_IS}`")
    for number, machine in enumerate(opening_order(data), start=1):
        folder = directory / "figures" / (f"machine-{number}" if len(data.machines) > 1 else "")
        with copies() as kept_figures:
            results = Prepared(data.on(machine))
            drawn = [figure for section in sections(results).values() for figure in section]
            drawn += [trend(commits, "history")] if number == 1 else []
        for copy in kept_figures:
            write(folder / f"{copy.key}.svg", copy.svg)
            write(folder / f"{copy.key}.pdf", copy.pdf)
        shown = [figure for figure in drawn if figure.panels]
        for figure in shown:
            write(folder / f"{figure.key}.csv", figure_csv(figure))
        names = in_order(variant for figure in shown for variant in figure.legend)
        legend = legend_files(names, results.looks)
        for kind, drawing in legend.items():
            write(folder / f"legend.{kind}", drawing)
        for figure in shown:
            for kind, drawing in legend_of_parts(figure.keys).items() if figure.keys else ():
                write(folder / f"{figure.key}-legend.{kind}", drawing)
        write(folder / "captions.md", _captions(shown, machine))
        counted = f"{len(kept_figures)} panels of {len(shown)} figures"
        about = f"{folder}: {counted} of {machine}, as SVG and PDF, with their data and captions"
        yield Written(folder, len(shown), about)


def samples(records: list[Record]) -> pd.DataFrame:
    """Return every single time: one row per pass that was timed, in the order of rounds and passes."""
    rows = [
        (machine_name(record), record["id"], record["kind"], number, index, seconds)
        for record in records
        for number, samples in enumerate(rounds_of(record))
        for index, seconds in enumerate(samples)
    ]
    return pd.DataFrame(rows, columns=["machine", "id", "kind", "round", "sample", "seconds"])


def legend_files(variants: list[str], own: Mapping[str, str]) -> dict[str, bytes]:
    """Draw the legend that the page shows above every figure; return it as SVG and PDF, by file ending.

    Args:
        own: the looks of users' layers and networks, see ``style.own_looks``.
    """
    looks = [(found.colour, found.marker) for name in variants for found in [look(own.get(name, name))]]
    return _legend(looks, variants, max(len(variants), 1), 1.1)


def legend_of_parts(keys: Sequence[tuple[str, str]]) -> dict[str, bytes]:
    """Draw the legend of the parts of bars, in two columns."""
    return _legend([(colour, "s") for _, colour in keys], [name for name, _ in keys], 2, 2.6)


def _legend(looks: list[tuple[str, str]], names: list[str], columns: int, width: float) -> dict[str, bytes]:
    files = {}
    with plt.rc_context(RC):
        rows = max(1, -(-len(names) // columns))
        drawing = plt.figure(figsize=(width * columns, 0.12 + 0.18 * rows))
        handles = [Line2D([], [], color=colour, marker=marker, linestyle="none") for colour, marker in looks]
        drawing.legend(handles, names, loc="center", ncols=columns)
        for kind, metadata in (("svg", NO_METADATA), ("pdf", NO_PDF_METADATA)):
            content = io.BytesIO()
            drawing.savefig(content, format=kind, metadata=metadata)
            files[kind] = content.getvalue()
        plt.close(drawing)
    return files


def _captions(shown: list[Figure], machine: str) -> str:
    parts = [f"# Figures of {markdown(machine)}"]
    for figure in shown:
        parts += [f"## {figure.key}: {markdown(figure.title)}", markdown(figure.takeaway), markdown(figure.caption)]
    return "\n\n".join(parts) + "\n"
