"""Frames → the cells of the page's tables: what is shown, and what is sorted by."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports import analysis, wording
from reports.analysis import Interval
from reports.style import in_order


@dataclass(frozen=True)
class Cell:
    """`text` is shown, `key` is sorted by; numbers sort as numbers, and missing ones last."""

    text: str
    key: str
    number: bool = False
    link: str = ""


@dataclass(frozen=True)
class Row:
    cells: tuple[Cell, ...]
    anchor: str = ""
    failed: bool = False


@dataclass(frozen=True)
class Table:
    """`headings` and the rows under them."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]


Columns = Sequence[tuple[str, str, Callable[[Any], str]]]


def plain(value: float) -> str:
    return f"{value:g}" if math.isfinite(value) else wording.NOTHING


def status(name: str) -> str:
    return name.replace("_", " ")


def direction(name: str) -> str:
    return wording.DIRECTIONS.get(name, name)


def minute(value: str) -> str:
    """An ISO-8601 time without its seconds."""
    return value[:16].replace("T", " ")


COST: Columns = [
    ("status", "status", status),
    ("message", "message", str),
    ("layer", "layer", str),
    ("variant", "variant", str),
    ("|H|", "resolution", plain),
    ("width", "channels", plain),
    ("batch", "batch_size", plain),
    ("image", "image_size", plain),
    ("kernel", "kernel_size", plain),
    ("pass", "direction", direction),
    ("threads", "threads", plain),
    ("time, median", "seconds", wording.seconds),
    ("95 % from", "ci_low", wording.seconds),
    ("95 % to", "ci_high", wording.seconds),
    ("n", "n", plain),
    ("peak memory", "peak_bytes", wording.memory),
    ("MACs, convolution", "macs_convolution", wording.count),
    ("MACs, kernels", "macs_kernel_generation", wording.count),
    ("parameters", "parameters", wording.count),
    ("equivariance error", "equivariance_error", wording.exponential),
    ("load before", "load_before", plain),
    ("measured (UTC)", "measured_at", minute),
    ("machine", "machine", str),
]
RUNS: Columns = [
    ("status", "status", status),
    ("message", "message", str),
    ("data set", "dataset", str),
    ("variant", "variant", str),
    ("|H|", "resolution", plain),
    ("width", "channels", plain),
    ("seed", "seed", plain),
    ("epochs", "epochs_done", plain),
    ("best epoch", "best_epoch", plain),
    ("validation accuracy", "validation_accuracy", wording.percent),
    ("test accuracy", "test_accuracy", wording.percent),
    ("training time", "seconds", wording.seconds),
    ("parameters", "parameters", wording.count),
    ("learning rate", "learning_rate", plain),
    ("batch", "batch_size", plain),
    ("threads", "threads", plain),
    ("load before", "load_before", plain),
    ("measured (UTC)", "measured_at", minute),
    ("machine", "machine", str),
]


def records(frame: pd.DataFrame, columns: Columns, caption: str) -> Table:
    """Every row of a frame, failures first; `anchor` of the frame becomes the row's id."""
    keys = [name for name in ("layer", "direction", "variant", "resolution", "channels") if name in frame]
    done = frame["status"].isin(["ok", "skipped"]).rename("done")
    rows = []
    for record in frame.assign(done=done).sort_values(["done", *keys], kind="stable").to_dict("records"):
        cells = tuple(_cell(record[column], show) for _, column, show in columns)
        rows.append(Row(cells, record["anchor"], failed=not record["done"]))
    return Table(caption, tuple(heading for heading, _, _ in columns), tuple(rows))


def _cell(value: Any, show: Callable[[Any], str]) -> Cell:
    if isinstance(value, str):
        return Cell(show(value), value)
    return Cell(show(value), repr(value) if math.isfinite(value) else "", number=True)


def headline(costs: pd.DataFrame, runs: pd.DataFrame) -> Table:
    """Each variant at the base point: times, memory and MACs beside plain, and the accuracy of its network there."""
    table = analysis.against_plain(costs)
    accuracies = analysis.over_seeds(runs, ["variant", "resolution"], "test_accuracy")
    headings = ["variant"]
    for words in wording.DIRECTIONS.values():
        headings += [words, "× plain"]
    headings += ["memory, forward + backward", "× plain", "MACs, forward", "× plain"]
    headings += ["test accuracy of the network"]
    rows = []
    for variant in in_order(table["variant"]):
        mine = table[table["variant"] == variant].drop_duplicates("direction").set_index("direction")
        mine = mine.reindex(list(wording.DIRECTIONS))
        forward, training = (row for _, row in mine.iterrows())
        cells = [_cell(variant, str)]
        for row in (forward, training):
            link = "" if pd.isna(row["anchor"]) else f"#{row['anchor']}"
            cells.append(Cell(wording.seconds(row["seconds"]), repr(row["seconds"]), number=True, link=link))
            cells.append(_number(wording.times(Interval(*row[wording.TIME_RATIO])), row["time_ratio"]))
        cells.append(_number(wording.memory(training["peak_bytes"]), training["peak_bytes"]))
        cells.append(_multiple(training["memory_ratio"]))
        cells.append(_number(wording.count(forward["macs"]), forward["macs"]))
        cells.append(_multiple(forward["mac_ratio"]))
        cells.append(_accuracy(accuracies, variant, mine["resolution"].max()))
        rows.append(Row(tuple(cells)))
    return Table("One layer at the base point, and the network made of such layers", tuple(headings), tuple(rows))


def accuracies(runs: pd.DataFrame) -> Table:
    """Test accuracy of every network, mean ± s.d. over seeds."""
    by = ["variant", "resolution"]
    table = analysis.over_seeds(runs, by, "test_accuracy")
    means = runs.groupby(by)[["parameters", "seconds", "best_epoch"]].mean()
    rows = []
    for variant in in_order(table["variant"]):
        for _, row in table[table["variant"] == variant].iterrows():
            mean = means.loc[(variant, row["resolution"])]
            cells = [
                _cell(variant, str),
                _cell("–" if variant == "plain" else plain(row["resolution"]), str),
                _number(wording.mean_sd(row["mean"], row["sd"]), row["mean"]),
                _number(f"{wording.percent(row['min'])} to {wording.percent(row['max'])}", row["min"]),
                _number(plain(row["n"]), row["n"]),
                _number(plain(round(float(mean["best_epoch"]), 1)), mean["best_epoch"]),
                _number(wording.seconds(float(mean["seconds"])), mean["seconds"]),
                _number(wording.count(float(mean["parameters"])), mean["parameters"]),
            ]
            rows.append(Row(tuple(cells)))
    headings = ("network", "|H|", "test accuracy, mean ± s.d.", "worst to best seed", "n (seeds)")
    more = ("chosen epoch, mean", "training time, mean", "parameters")
    return Table("Test accuracy at the epoch that validation chose", (*headings, *more), tuple(rows))


def environments(frames: Sequence[pd.DataFrame]) -> Table:
    """What was measured where and with what: one row for every distinct machine, versions and commit."""
    versions = ["machine", "platform", "commit", "dirty", "python", "torch", "gcnn_impl", "fvcore"]
    columns = [*versions, "threads", "load_before", "load_after", "measured_at"]
    frame = pd.concat([frame[columns] for frame in frames])
    frame["load"] = frame[["load_before", "load_after"]].max(axis=1)
    rows = []
    for _, group in frame.groupby(versions, sort=True):
        named = {name: str(group[name].iloc[0]) for name in versions}
        named["commit"] = f"{named['commit'][:10] or 'unknown'}{' + changes' if named.pop('dirty') == 'True' else ''}"
        cells = [_cell(value or wording.NOTHING, str) for value in named.values()]
        loads = f"{group['load'].min():.1f} to {group['load'].max():.1f}" if group["load"].notna().any() else "–"
        when = f"{minute(group['measured_at'].min())} to {minute(group['measured_at'].max())}"
        cells += [_cell(text, str) for text in (wording.span(group["threads"]), loads, when)]
        cells.append(_number(str(len(group)), len(group)))
        rows.append(Row(tuple(cells)))
    headings = ("machine", "platform", "commit", "Python", "torch", "gcnn_impl", "fvcore")
    return Table(
        "Machines, versions and commits", (*headings, "threads", "load", "measured (UTC)", "records"), tuple(rows)
    )


def _number(text: str, value: Any) -> Cell:
    return Cell(text, repr(float(value)) if math.isfinite(value) else "", number=True)


def _multiple(value: float) -> Cell:
    return _number(f"{wording.digits(value)}×" if math.isfinite(value) else wording.NOTHING, value)


def _accuracy(table: pd.DataFrame, variant: str, resolution: float) -> Cell:
    row = table[(table["variant"] == variant) & (table["resolution"] == resolution)]
    if row.empty:
        return Cell(wording.NOTHING, "", number=True)
    mean, sd = row["mean"].item(), row["sd"].item()
    return _number(wording.mean_sd(mean, sd), mean)
