"""Frames → the cells of the page's tables: what is shown, and what is sorted by."""

import json
import math
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from markupsafe import Markup

from reports import analysis, history, learning, wording
from reports.analysis import Interval
from reports.frames import OURS
from reports.style import in_order


@dataclass(frozen=True)
class Cell:
    """`text` is shown, `key` is sorted by; numbers sort as numbers, and missing ones last. `note` stands below."""

    text: str
    key: str
    number: bool = False
    link: str = ""
    note: str = ""
    look: str = ""  # the variant whose marker stands before the text
    name: str = ""  # for the script: a class


@dataclass(frozen=True)
class Row:
    cells: tuple[Cell, ...]
    anchor: str = ""
    failed: bool = False
    data: Mapping[str, str] = field(default_factory=dict)  # for the script


@dataclass(frozen=True)
class Table:
    """`headings` and the rows under them."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def anchors(self) -> set[str]:
        """The records that the table links to."""
        return {cell.link.removeprefix("#") for row in self.rows for cell in row.cells if cell.link}


Columns = Sequence[tuple[str, str, Callable[[Any], str]]]


def plain(value: float) -> str:
    return f"{value:g}" if math.isfinite(value) else wording.NOTHING


def status(name: str) -> str:
    return name.replace("_", " ")


def direction(name: str) -> str:
    return wording.ALL_DIRECTIONS.get(name, name)


def group(name: str) -> str:
    return wording.group(name)


def kinds(findings: Sequence[tuple[str, ...]]) -> str:
    return ", ".join(status(finding[0]) for finding in findings)


def short(commit: str) -> str:
    return commit[:10]


def minute(value: str) -> str:
    """An ISO-8601 time without its seconds."""
    return value[:16].replace("T", " ")


COST: Columns = [
    ("status", "status", status),
    ("of", "implementation", str),
    ("layer", "layer", str),
    ("variant", "variant", str),
    ("group", "group", group),
    ("|H|", "resolution", plain),
    ("width", "channels", plain),
    ("batch", "batch_size", plain),
    ("image", "image_size", plain),
    ("kernel", "kernel_size", plain),
    ("pass", "direction", direction),
    ("time, median", "seconds", wording.seconds),
    ("95 % from", "ci_low", wording.seconds),
    ("95 % to", "ci_high", wording.seconds),
    ("n", "n", plain),
    ("peak memory", "peak_bytes", wording.memory),
    ("MACs, convolution", "macs_convolution", wording.count),
    ("noise", "noise", str),
    ("message", "message", str),
    ("scales", "scales", plain),
    ("kernels", "kernels", str),
    ("execution", "execution", str),
    ("format", "dtype", str),
    ("threads", "threads", plain),
    ("processes", "rounds", plain),
    ("ended by", "stopped", str),
    ("findings", "findings", kinds),
    ("predicted", "predicted_bytes", wording.memory),
    ("MACs, kernels", "macs_kernel_generation", wording.count),
    ("MACs, backward", "macs_backward", wording.count),
    ("time at zero MACs", "zero_counted_time_share", wording.percent),
    ("kernels of the pass", "kernel_generation_share", wording.percent),
    ("of the roofline", "roofline_fraction", wording.percent),
    ("energy per image", "joules_per_sample", wording.joules),
    ("compiling", "compile_seconds", wording.seconds),
    ("on the GPU itself", "device_seconds", wording.seconds),
    ("parameters", "parameters", wording.count),
    ("equivariance error", "equivariance_error", wording.exponential),
    ("load before", "load_before", plain),
    ("measured (UTC)", "measured_at", minute),
    ("block", "block", str),
    ("commit", "commit", short),
    ("machine", "machine", str),
    ("id", "id", str),
]
RUNS: Columns = [
    ("status", "status", status),
    ("data set", "dataset", str),
    ("network", "network", str),
    ("variant", "variant", str),
    ("group", "group", group),
    ("|H|", "resolution", plain),
    ("width", "channels", plain),
    ("seed", "seed", plain),
    ("epochs", "epochs_done", plain),
    ("validation accuracy", "validation_accuracy", wording.percent),
    ("test accuracy", "test_accuracy", wording.percent),
    ("training time", "seconds", wording.seconds),
    ("parameters", "parameters", wording.count),
    ("message", "message", str),
    ("best epoch", "best_epoch", plain),
    ("budget", "budget", plain),
    ("budget in", "budget_unit", str),
    ("matched by", "matched", str),
    ("recipe", "recipe", str),
    ("kernel nets", "hidden_features", plain),
    ("learning rate", "learning_rate", plain),
    ("batch", "batch_size", plain),
    ("image", "image_size", plain),
    ("kernel", "kernel_size", plain),
    ("threads", "threads", plain),
    ("load before", "load_before", plain),
    ("measured (UTC)", "measured_at", minute),
    ("commit", "commit", short),
    ("machine", "machine", str),
    ("id", "id", str),
]
# Up to here columns are shown at first; the others on demand.
LAST_MAIN = "message"
FILTERS = ("status", "of", "layer", "variant", "group", "pass", "noise", "data set", "network", "machine")
# Rows that stand in the page without scripts; all others are in the data beside the table.
STATIC_ROWS = 400


@dataclass(frozen=True)
class Records:
    """Every record of a kind: a table with the first of them, and all of them as data for the script.

    `filters` are the headings that have a few values only.
    """

    name: str
    table: Table
    number: int
    main: int
    filters: tuple[str, ...]
    source: Markup


def records(frame: pd.DataFrame, columns: Columns, name: str, caption: str, linked: Collection[str] = ()) -> Records:
    """Every row of a frame, failures first, then those that something links to.

    `anchor` of the frame becomes the row's id. Empty columns are left out.
    """
    columns = _filled(columns, frame)
    keys = [key for key in ("layer", "direction", "variant", "resolution", "channels") if key in frame]
    frame = frame.assign(done=frame["status"].isin(["ok", "skipped"]), apart=~frame["anchor"].isin(linked))
    frame = frame.sort_values(["done", "apart", *keys], kind="stable")
    headings = [heading for heading, _, _ in columns]
    known = [column for _, column, _ in columns]
    main = next((i + 1 for i, column in enumerate(known) if column == LAST_MAIN), 0)
    main = main or next((i for i, (h, _, _) in enumerate(columns) if h in AFTER_MAIN), len(columns))
    failed = (~frame["done"]).tolist()
    cells = {column: [_cell(value, show) for value in frame[column]] for _, column, show in columns}
    rows = [
        Row(tuple(cells[column][i] for column in known), anchor, failed=bad)
        for i, (anchor, bad) in enumerate(zip(frame["anchor"][:STATIC_ROWS], failed, strict=False))
    ]
    filters = tuple(h for h in FILTERS if h in headings and 1 < len(set(_texts(cells[known[headings.index(h)]]))) <= 20)
    source = {
        "ids": frame["anchor"].tolist(),
        "failed": [int(bad) for bad in failed],
        "columns": [_column(heading, cells[column], i < main) for i, (heading, column, _) in enumerate(columns)],
    }
    return Records(name, Table(caption, tuple(headings), tuple(rows)), len(frame), main, filters, script_json(source))


# The first column after the main ones, where no record has a message.
AFTER_MAIN = ("scales", "best epoch")


def _texts(cells: Sequence[Cell]) -> list[str]:
    return [cell.text for cell in cells]


def _column(title: str, cells: Sequence[Cell], main: bool) -> dict[str, Any]:
    """A column as its distinct cells, and which of them stands in each row."""
    distinct = {(cell.text, cell.key): None for cell in cells}
    index = {cell: i for i, cell in enumerate(distinct)}
    number = bool(cells) and cells[0].number
    found: dict[str, Any] = {"title": title, "number": number, "main": main, "texts": [text for text, _ in distinct]}
    if number:
        found["keys"] = [float(f"{float(key):.6g}") if key else None for _, key in distinct]
    return {**found, "at": [index[cell.text, cell.key] for cell in cells]}


def script_json(value: Any) -> Markup:
    """JSON that no record can end the script element of."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


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
    """Each variant at the base point: times, memory and MACs beside plain, and the accuracy of its best network."""
    table = analysis.against_plain(costs)
    best = learning.networks_at(runs, analysis.layer_base(costs))
    names = wording.network_names(best)
    headings = ["layer", "inference", "training pass", "memory of it", "MACs", "test accuracy"]
    rows = []
    for variant in in_order([*table["variant"], *best["variant"]]):
        mine = table[table["variant"] == variant].drop_duplicates("direction").set_index("direction")
        mine = mine.reindex(list(wording.DIRECTIONS))
        forward, training = (row for _, row in mine.iterrows())
        cells = [Cell(variant, variant, look=variant)]
        cells += [
            _priced(row, "seconds", wording.seconds, _beside(variant, row, "time_ratio", TIME))
            for row in (forward, training)
        ]
        cells.append(_priced(training, "peak_bytes", wording.memory, _beside(variant, training, "memory_ratio", ())))
        cells.append(_priced(forward, "macs", wording.count, _beside(variant, forward, "mac_ratio", ())))
        network = best[best["variant"] == variant]
        for i, row in network.iterrows():
            accuracy = wording.mean_sd(row["mean"], row["sd"])
            note = names[i].removeprefix(variant).strip(" ,")
            cells.append(Cell(accuracy, repr(row["mean"]), number=True, note=note))
        rows.append(Row((*cells, *([] if len(network) else [Cell(wording.NOTHING, "", number=True)]))))
    kept = [i for i in range(len(headings)) if any(row.cells[i].text != wording.NOTHING for row in rows)]
    return Table(
        "Cost of one layer at the base point, and accuracy of a network of such layers",
        tuple(headings[i] for i in kept),
        tuple(Row(tuple(row.cells[i] for i in kept)) for row in rows),
    )


TIME = ("time_low", "time_high")


def _beside(variant: str, row: pd.Series, ratio: str, bounds: Sequence[str]) -> str:
    """`7.2× [7.0, 7.4]`: a multiple of plain, which is none of its own."""
    if variant == "plain" or not math.isfinite(row[ratio]):
        return ""
    interval = [row[bound] for bound in bounds] or [row[ratio], row[ratio]]
    return wording.times(Interval(row[ratio], interval[0], interval[1]))


def _priced(row: pd.Series, column: str, show: Callable[[Any], str], note: str) -> Cell:
    link = "" if pd.isna(row["anchor"]) else f"#{row['anchor']}"
    return Cell(show(row[column]), repr(row[column]), number=True, link=link, note=note)


def networks(table: pd.DataFrame) -> Table:
    """Every network of a study with its accuracy and costs, most accurate first; what the advisor filters."""
    table = table.assign(name=list(wording.network_names(table).values()))
    rows = []
    table = table.sort_values("mean", ascending=False, kind="stable")
    known = learning.complete(table)
    for i, row in enumerate(table.to_dict("records")):
        accuracy = wording.mean_sd(row["mean"], row["sd"])
        link = f"#{row['anchor_case']}" if isinstance(row["anchor_case"], str) else ""
        cells = [
            Cell(row["name"], row["name"], look=row["variant"]),
            _number(accuracy, row["mean"]),
            _number(plain(row["n"]), row["n"]),
            Cell(wording.seconds(row["seconds"]), repr(row["seconds"]), number=True, link=link),
            _number(wording.memory(row["peak_bytes"]), row["peak_bytes"]),
            _number(wording.count(row["macs"]), row["macs"]),
            _number(wording.seconds(row["training_seconds"]), row["training_seconds"]),
            _number(wording.count(row["parameters"]), row["parameters"]),
            Cell("yes" if row["front"] else "no" if known[i] else "not all measured", "", name="front"),
        ]
        costs = {name: "" if math.isnan(row[name]) else repr(row[name]) for name in ADVISED}
        time = "" if math.isnan(row["seconds"]) else f"; {wording.seconds(row['seconds'])} per image"
        words = f"{row['name']} ({accuracy}{time})"
        data = {"name": row["name"], "words": wording.unbroken(words), "accuracy": repr(row["mean"]), **costs}
        rows.append(Row(tuple(cells), data=data))
    headings = (
        "network",
        "test accuracy",
        "seeds",
        "inference per image",
        "memory of a training pass",
        "MACs per image",
    )
    more = ("training, whole", "parameters", "on the front")
    return Table("Networks: what they reach and what they cost", (*headings, *more), tuple(rows))


ADVISED = ("seconds", "peak_bytes", "macs", "training_seconds")


def accuracies(runs: pd.DataFrame) -> Table:
    """Test accuracy of every network, mean ± s.d. over seeds."""
    table = learning.over_seeds(runs, learning.NETWORK, "test_accuracy")
    means = runs.groupby(learning.NETWORK, dropna=False)[["seconds", "best_epoch"]].mean().reset_index()
    table = table.merge(means, on=learning.NETWORK)
    names = wording.network_names(table)
    rows = []
    for variant in in_order(table["variant"]):
        for i, row in table[table["variant"] == variant].iterrows():
            cells = [
                Cell(names[i], names[i], look=variant),
                _number(wording.mean_sd(row["mean"], row["sd"]), row["mean"]),
                _number(f"{wording.percent(row['min'])} to {wording.percent(row['max'])}", row["min"]),
                _number(plain(row["n"]), row["n"]),
                _number(plain(round(float(row["best_epoch"]), 1)), row["best_epoch"]),
            ]
            rows.append(Row(tuple(cells)))
    headings = ("network", "test accuracy, mean ± s.d.", "worst to best seed", "n (seeds)", "chosen epoch, mean")
    return Table("Test accuracy at the epoch that validation chose", headings, tuple(rows))


def targets(epochs: pd.DataFrame, target: float) -> Table:
    """What every network had spent when it first validated at the target, over seeds."""
    rows = []
    table = learning.to_target(epochs, target) if math.isfinite(target) else epochs.iloc[:0]
    names = wording.network_names(table)
    for variant in in_order(table["variant"]):
        for i, row in table[table["variant"] == variant].iterrows():
            cells = [
                Cell(names[i], names[i], look=variant),
                _number(f"{row['reached']:.0f} of {row['n']:.0f}", row["reached"]),
            ]
            for unit, show in (("epoch", plain), ("seconds", wording.seconds), ("macs", wording.count)):
                median, low, high = (row[f"{unit}_{part}"] for part in ("median", "low", "high"))
                text = (
                    f"{show(median)} [{show(low)}, {show(high)}]"
                    if math.isfinite(high)
                    else (f"{show(median)} [{show(low)}, not all]" if math.isfinite(median) else "not in time")
                )
                cells.append(_number(text, median))
            rows.append(Row(tuple(cells)))
    headings = ("network", "seeds that got there", "epochs", "training time", "MACs")
    return Table(
        f"Spent until a validation accuracy of {wording.percent(target, 0)}: median [least, most]",
        headings,
        tuple(rows),
    )


def exponents(growths: pd.DataFrame) -> Table:
    """Fitted exponents of time and memory along every axis, beside those that the definition and the model have."""
    rows: list[Row] = []
    for axis in analysis.GROWTH_AXES:
        along = growths[growths["axis"] == axis]
        for variant in in_order(along["variant"]):
            passes = {str(row["direction"]): row for _, row in along[along["variant"] == variant].iterrows()}
            first = next(iter(passes.values()))
            nothing = pd.Series(math.nan, index=first.index)
            forward, training = (passes.get(direction, nothing) for direction in wording.DIRECTIONS)
            named = wording.AXES[axis] if not rows or rows[-1].data["axis"] != axis else ""
            span = f"{first['first']:g} to {first['last']:g}, n = {first['n']:.0f}"
            cells = [_cell(named, str), Cell(variant, variant, look=variant), _cell(span, str)]
            cells += [_power(first, "macs", fitted=False), _power(forward, "time"), _power(training, "time")]
            cells += [_power(training, "model", fitted=False), _power(training, "memory")]
            rows.append(Row(tuple(cells), data={"axis": axis}))
    headings = ("axis", "layer", "from – to", "MACs (theory)", "time, forward", "time, forward + backward")
    more = ("memory (model)", "memory, forward + backward")
    return Table("Exponents: how much steeper than a constant", (*headings, *more), tuple(rows))


def _power(row: pd.Series, name: str, *, fitted: bool = True) -> Cell:
    if not math.isfinite(row[name]):
        return Cell(wording.NOTHING, "", number=True)
    return _number(wording.exponent(row, name) if fitted else wording.decimal(row[name]), row[name])


def undecided(pairs: pd.DataFrame, peers: pd.DataFrame) -> Table:
    """The comparisons of this page that came to no word."""
    rows = []
    for subject, rival, frame in (("separable", "full", pairs), ("", "ours", peers)):
        for row in frame[frame["word"] == "ambiguous"].to_dict("records"):
            bounds = [row[name] for name in (("time_low", "time_high") if subject else ("low", "high"))]
            # Of separable the frame has full's time over its own; what is said is about separable.
            ratio = (
                Interval(1 / row["time_ratio"], 1 / bounds[1], 1 / bounds[0])
                if subject
                else Interval(row["ratio"], *bounds)
            )
            what = subject or f"{row['implementation']} {row['variant']}"
            where = f"{group(row['group'])}, |H| = {row['resolution']:.0f}, width {row['channels']:.0f}"
            where += f", batch {row['batch_size']:.0f}"
            shape = f"{row['image_size']:.0f} pixels, kernel {row['kernel_size']:.0f}"
            cells = [_cell(f"{what} beside {rival}", str), _cell(wording.LAYERS.get(row["layer"], row["layer"]), str)]
            cells += [_cell(direction(row["direction"]), str), _cell(f"{where}, {shape}", str)]
            rows.append(Row((*cells, _number(wording.times(ratio), ratio.value))))
    headings = ("what", "of", "pass", "where", "time, as a multiple")
    return Table("What could not be decided", headings, tuple(rows))


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
        ("layer", "variant", str),
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


def regressions(commits: pd.DataFrame) -> Table:
    """What the gate of asv and pytest-benchmark calls regressed, the worst first."""
    rows = []
    for row in history.regressions(commits).to_dict("records"):
        cells = [_cell(row[name], str) for name in ("suite", "machine")]
        cells += [Cell(row["commit"][:8], row["commit"]), Cell(row["date"][:10], row["date"])]
        cells += [_cell(row["benchmark"], str), _number(f"× {row['ratio']:.2f}", row["ratio"])]
        rows.append(Row(tuple(cells)))
    headings = ("suite", "machine", "commit", "date", "benchmark", "beside the commit before")
    return Table("What became slower or larger, and where", headings, tuple(rows))


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
