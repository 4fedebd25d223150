"""Frames → the cells of the page's tables: what is shown, and what is sorted by."""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports import analysis, wording
from reports.analysis import Interval
from reports.frames import OURS
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
    return wording.ALL_DIRECTIONS.get(name, name)


def group(name: str) -> str:
    return wording.GROUPS.get(name, name)


def kinds(findings: Sequence[tuple[str, ...]]) -> str:
    return ", ".join(status(finding[0]) for finding in findings)


def minute(value: str) -> str:
    """An ISO-8601 time without its seconds."""
    return value[:16].replace("T", " ")


COST: Columns = [
    ("status", "status", status),
    ("message", "message", str),
    ("layer", "layer", str),
    ("of", "implementation", str),
    ("variant", "variant", str),
    ("group", "group", group),
    ("|H|", "resolution", plain),
    ("scales", "scales", plain),
    ("width", "channels", plain),
    ("batch", "batch_size", plain),
    ("image", "image_size", plain),
    ("kernel", "kernel_size", plain),
    ("pass", "direction", direction),
    ("kernels", "kernels", str),
    ("execution", "execution", str),
    ("format", "dtype", str),
    ("threads", "threads", plain),
    ("time, median", "seconds", wording.seconds),
    ("95 % from", "ci_low", wording.seconds),
    ("95 % to", "ci_high", wording.seconds),
    ("n", "n", plain),
    ("processes", "rounds", plain),
    ("ended by", "stopped", str),
    ("noise", "noise", str),
    ("findings", "findings", kinds),
    ("peak memory", "peak_bytes", wording.memory),
    ("predicted", "predicted_bytes", wording.memory),
    ("MACs, convolution", "macs_convolution", wording.count),
    ("MACs, kernels", "macs_kernel_generation", wording.count),
    ("MACs, backward", "macs_backward", wording.count),
    ("time at zero MACs", "zero_counted_time_share", wording.percent),
    ("kernels of the pass", "kernel_generation_share", wording.percent),
    ("of the roofline", "roofline_fraction", wording.percent),
    ("energy per image", "joules_per_sample", wording.joules),
    ("compiling", "compile_seconds", wording.seconds),
    ("parameters", "parameters", wording.count),
    ("equivariance error", "equivariance_error", wording.exponential),
    ("load before", "load_before", plain),
    ("measured (UTC)", "measured_at", minute),
    ("block", "block", str),
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
    """Every row of a frame, failures first; `anchor` of the frame becomes the row's id. Empty columns are left out."""
    columns = _filled(columns, frame)
    keys = [name for name in ("layer", "direction", "variant", "resolution", "channels") if name in frame]
    done = frame["status"].isin(["ok", "skipped"]).rename("done")
    rows = []
    for record in frame.assign(done=done).sort_values(["done", *keys], kind="stable").to_dict("records"):
        cells = tuple(_cell(record[column], show) for _, column, show in columns)
        rows.append(Row(cells, record["anchor"], failed=not record["done"]))
    return Table(caption, tuple(heading for heading, _, _ in columns), tuple(rows))


def _filled(columns: Columns, frame: pd.DataFrame) -> Columns:
    """The columns in which anything stands."""
    return [
        column
        for column in columns
        if frame[column[1]].map(lambda value: value not in ("", ()) and value == value).any()
    ]


def _cell(value: Any, show: Callable[[Any], str]) -> Cell:
    if isinstance(value, str):
        return Cell(show(value), value)
    if isinstance(value, tuple):
        return Cell(show(value), show(value))
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


def findings(costs: pd.DataFrame) -> Table:
    """Why records are noisy: how many of them, the first example, and what would help."""
    rows: dict[str, list[tuple[str, str, str]]] = {}
    for record in costs.to_dict("records"):
        for kind, detail, remedy in record["findings"]:
            rows.setdefault(kind, []).append((detail, remedy, record["anchor"]))
    body = []
    for kind, found in sorted(rows.items(), key=lambda item: -len(item[1])):
        detail, remedy, anchor = found[0]
        example = Cell(detail, detail, link=f"#{anchor}")
        body.append(Row((_cell(status(kind), str), _number(str(len(found)), len(found)), example, _cell(remedy, str))))
    headings = ("finding", f"records, of {(costs['noise'] != '').sum()}", "for example", "remedy")
    return Table("Why records are called noisy, and what would help", headings, tuple(body))


def limits(costs: pd.DataFrame) -> Table:
    """How near each variant comes to what the machine can do, at the base point."""
    columns: Columns = [
        ("variant", "variant", str),
        ("pass", "direction", direction),
        ("kernel generation", "kernel_generation_share", wording.percent),
        ("time at zero MACs", "zero_counted_time_share", wording.percent),
        ("MACs per second", "macs_per_second", wording.count),
        ("MACs per byte", "arithmetic_intensity", wording.digits),
        ("of the roofline", "roofline_fraction", wording.percent),
        ("energy per image", "joules_per_sample", wording.joules),
    ]
    here = analysis.at_base(costs)
    numbers = [column for _, column, show in columns if show not in (str, direction)]
    here = here[here[numbers].notna().any(axis=1)].set_index("direction", drop=False)
    columns = _filled(columns, here)
    rows = []
    for name in wording.in_directions(here["direction"]):
        mine = here.loc[[name]].set_index("variant", drop=False)
        for record in mine.loc[in_order(mine.index)].to_dict("records"):
            rows.append(Row(tuple(_cell(record[column], show) for _, column, show in columns)))
    caption = "How near each variant comes to what the machine can do, at the base point"
    return Table(caption, tuple(heading for heading, _, _ in columns), tuple(rows))


def peers(pairs: pd.DataFrame) -> Table:
    """Every layer that is not ours beside ours, with the word about it."""
    rows = []
    for pair in pairs.sort_values(["direction", "implementation", "variant", "resolution"]).to_dict("records"):
        ratio = wording.times(Interval(pair["ratio"], pair["low"], pair["high"]))
        cells = [_cell(pair[name], str) for name in ("implementation", "variant")]
        cells += [_cell(group(pair["group"]), str), _number(plain(pair["resolution"]), pair["resolution"])]
        cells += [
            _number(plain(pair["channels"]), pair["channels"]),
            _number(plain(pair["batch_size"]), pair["batch_size"]),
        ]
        shape = ", ".join(name for name in (pair["dtype"], pair["execution"]) if name not in ("float32", "eager"))
        cells.append(_cell(direction(pair["direction"]) + (f", {shape}" if shape else ""), str))
        for suffix in ("", "_ours"):
            link = f"#{pair[f'anchor{suffix}']}"
            time = pair[f"seconds{suffix}"]
            cells.append(Cell(wording.seconds(time), repr(time), number=True, link=link))
        cells += [_number(ratio, pair["ratio"]), _cell(pair["word"] or wording.NOTHING, str)]
        cells += [_number(wording.memory(pair[name]), pair[name]) for name in ("peak_bytes", "peak_bytes_ours")]
        rows.append(Row(tuple(cells)))
    headings = ("of", "variant", "group", "|H|", "width", "batch", "pass", "time", "time of ours", "× ours, 99 %")
    more = ("it is", "peak memory", "peak memory of ours")
    return Table("Other layers beside ours", (*headings, *more), tuple(rows))


def not_measured(costs: pd.DataFrame, runs: pd.DataFrame) -> Table:
    """What is missing and why: failures, what was skipped, and instruments that had nothing to say."""
    found: dict[tuple[str, str], list[dict[Hashable, Any]]] = {}
    for record in [*costs.to_dict("records"), *runs.to_dict("records")]:
        if record["status"] != "ok":
            found.setdefault((status(record["status"]), record["message"]), []).append(record)
        for name, reason in record.get("missing", ()):
            found.setdefault((f"no {status(name)}", reason), []).append(record)
    rows = []
    for (what, reason), records in found.items():
        names = dict.fromkeys(
            f"{'' if r.get('implementation', OURS) == OURS else r['implementation'] + ' '}{r['variant']}"
            for r in records
        )
        link = f"#{records[0]['anchor']}"
        cells = (_cell(what, str), Cell(reason, reason), Cell(", ".join(names), "", link=link))
        failed = any(record["status"] not in ("ok", "skipped") for record in records)
        rows.append(Row((*cells, _number(str(len(records)), len(records))), failed=failed))
    rows.sort(key=lambda row: not row.failed)
    return Table("What was not measured, and why", ("what", "reason", "of", "records"), tuple(rows))


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
