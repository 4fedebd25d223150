"""The tables about what layers cost: the first screen, exponents, the roofline, and peers."""

import math
from collections.abc import Callable
from typing import Any

import pandas as pd

from benchmarks.statistics.intervals import Interval
from reports.arithmetic.layers import GROWTH_AXES, plain_of_equal_maps
from reports.arithmetic.prepared import Prepared
from reports.frames.selection import at_base
from reports.style import in_order
from reports.tables.cells import Cell, Columns, Row, Table, cell, filled, number_cell
from reports.words import numbers
from reports.words.names import (
    AXIS_WORDS,
    PASS_WORDS,
    direction_name,
    group_name,
    network_names,
    ordered_directions,
    setting,
)
from reports.words.of_layers import OTHER_LAYERS, exponent

# The caption of the table of the first screen, by whether it has costs of layers and accuracies of networks.
WHAT_IT_SHOWS = {
    (True, True): "Cost of one layer at the base point, and accuracy of a network of such layers",
    (True, False): "Cost of one layer at the base point",
    (False, True): "Accuracy of networks",
    (False, False): "Nothing was measured or trained",
}
# Of an exponent whose interval is too wide to say anything.
CANNOT_TELL = "cannot tell"


def headline(results: Prepared) -> Table:
    """Show each variant at the base point: times, memory and MACs compared with plain, and its best network."""
    table, best = results.against_plain, results.best_networks
    names = network_names(best)
    headings = [
        _first_heading(table, best),
        "inference",
        "training pass",
        "peak memory in training",
        "MACs",
        "test accuracy",
    ]
    rows = []
    for variant in in_order([*table["variant"], *best["variant"]]):
        mine = table[table["variant"] == variant].drop_duplicates("direction").set_index("direction")
        mine = mine.reindex(list(PASS_WORDS))
        forward, training = (row for _, row in mine.iterrows())
        cells = [Cell(variant, variant, look=variant)]
        times = "time_ratio", "time_low", "time_high"
        cells += [_priced(row, "seconds", numbers.seconds, *times) for row in (forward, training)]
        cells.append(_priced(training, "peak_bytes", numbers.memory, "memory_ratio"))
        cells.append(_priced(forward, "macs", numbers.count, "mac_ratio"))
        networks = []
        for i, row in best[best["variant"] == variant].iterrows():
            plus = f" + {row['augmentation']}" if row["augmentation"] not in ("", "none") else ""
            called = row["network"] if variant == "custom" else variant
            note = names[i].removeprefix(called).replace(plus, "", 1).strip(" ,")
            text = numbers.mean_sd(row["mean"], row["sd"])
            accuracy = Cell(text, repr(row["mean"]), number=True, note=note)
            networks.append(
                (Cell(f"{called}{plus}", f"{called}{plus}", look=results.looks.get(row["network"], variant)), accuracy)
            )
        # Several networks of one variant have a row each; the costs of the layer stand in the first.
        nothing = Cell(numbers.NOTHING, "", number=True)
        name, accuracy = networks[0] if networks else (cells[0], nothing)
        rows.append(Row((name, *cells[1:], accuracy)))
        rows += [Row((name, *[nothing] * (len(cells) - 1), each)) for name, each in networks[1:]]
    for wide in _plain_of_equal_maps(results):
        rows.append(Row((*wide, Cell(numbers.NOTHING, "", number=True))))
    kept = [i for i in range(len(headings)) if any(row.cells[i].text != numbers.NOTHING for row in rows)]
    return Table(
        WHAT_IT_SHOWS[len(table) > 0, len(best) > 0],
        tuple(headings[i] for i in kept),
        tuple(Row(tuple(row.cells[i] for i in kept)) for row in rows),
    )


def _first_heading(table: pd.DataFrame, best: pd.DataFrame) -> str:
    """Return what the rows are: layers, networks where no layer was measured, or both where users have networks."""
    if table.empty:
        return "network"
    return "layer or network" if (best["variant"] == "custom").any() else "layer"


def _plain_of_equal_maps(results: Prepared) -> list[list[Cell]]:
    """Return the row of the plain convolution of as many maps, C·|H|, as the layers have; none without such a case."""
    found = plain_of_equal_maps(results.costs)
    if found.empty:
        return []
    mine = found.set_index("direction").reindex(list(PASS_WORDS)).assign(variant="plain", ratio=math.nan)
    forward, training = (row for _, row in mine.iterrows())
    name = f"plain, C · |H| = {found['channels'].iloc[0]:.0f}"
    cells = [Cell(name, name, look="plain")]
    cells += [_priced(row, "seconds", numbers.seconds, "ratio") for row in (forward, training)]
    cells.append(_priced(training, "peak_bytes", numbers.memory, "ratio"))
    return [[*cells, _priced(forward, "macs", numbers.count, "ratio")]]


def _priced(row: pd.Series, column: str, show: Callable[[Any], str], ratio: str, *bounds: str) -> Cell:
    """Make the cell of a cost, with its multiple of plain below, `7.2× [7.0, 7.4]`; cells of plain have no multiple."""
    low, high = (row[bound] for bound in bounds or (ratio, ratio))
    known = row["variant"] != "plain" and math.isfinite(row[ratio])
    note = numbers.multiple(Interval(row[ratio], low, high)) if known else ""
    link = "" if pd.isna(row["anchor"]) else f"#{row['anchor']}"
    return Cell(show(row[column]), repr(row[column]), number=True, link=link, note=note)


def exponents(growths: pd.DataFrame) -> Table:
    """Show the fitted exponents of time and memory along every axis, and those expected by theory and memory model."""
    rows: list[Row] = []
    for axis in GROWTH_AXES:
        along = growths[growths["axis"] == axis]
        for variant in in_order(along["variant"]):
            passes = {str(row["direction"]): row for _, row in along[along["variant"] == variant].iterrows()}
            first = next(iter(passes.values()))
            nothing = pd.Series(math.nan, index=first.index)
            forward, training = (passes.get(direction, nothing) for direction in PASS_WORDS)
            named = AXIS_WORDS[axis] if not rows or rows[-1].data["axis"] != axis else ""
            span = f"{first['first']:g} to {first['last']:g}, n = {first['n']:.0f}"
            cells = [cell(named, str), Cell(variant, variant, look=variant), cell(numbers.unbroken(span), str)]
            cells += [_power(passes.get("forward", first), "macs"), _power(forward, "time"), _power(training, "time")]
            cells += [_power(training, "model"), _power(training, "memory")]
            rows.append(Row(tuple(cells), data={"axis": axis}))
    headings = ("axis", "layer", "from – to", "MACs (theory)", "time, forward", "time, forward + backward")
    more = ("memory (model), forward + backward", "memory, forward + backward")
    return Table("Exponents: the powers of an axis with which costs grow", (*headings, *more), tuple(rows))


def _power(row: pd.Series, name: str) -> Cell:
    if not math.isfinite(row[name]):
        return Cell(numbers.NOTHING, "", number=True)
    return number_cell(exponent(row, name) or CANNOT_TELL, row[name])


def roofline(costs: pd.DataFrame) -> Table:
    """Show how near each variant comes to the limits of the device, at the base point."""
    columns: Columns = [
        ("layer", "variant", str),
        ("pass", "direction", direction_name),
        ("kernel generation", "kernel_generation_share", numbers.part_of_whole),
        ("time without MACs", "macless_share", numbers.percent),
        ("MACs per second", "macs_per_second", numbers.count),
        ("MACs per byte", "arithmetic_intensity", numbers.digits),
        ("of the roofline", "roofline_fraction", numbers.percent),
        ("MACs that run", "executed_share", numbers.percent),
        ("of the roofline by these", "executed_fraction", numbers.percent),
        ("energy per image", "joules_per_sample", numbers.joules),
    ]
    here = at_base(costs)
    measured = [column for _, column, show in columns if show not in (str, direction_name)]
    here = here[here[measured].notna().any(axis=1)].set_index("direction", drop=False)
    columns = filled(columns, here)
    rows = []
    for name in ordered_directions(here["direction"]):
        mine = here.loc[[name]].set_index("variant", drop=False)
        for record in mine.loc[in_order(mine.index)].to_dict("records"):
            rows.append(Row(tuple(cell(record[column], show) for _, column, show in columns)))
    caption = "How near each variant comes to what the device can do, at the base point"
    return Table(caption, tuple(heading for heading, _, _ in columns), tuple(rows))


def peers(pairs: pd.DataFrame) -> Table:
    """Show every layer that is not ours, compared with ours, and whether it is faster or slower."""
    rows, with_separable = [], bool(pairs["separable_ratio"].notna().any())
    for pair in pairs.sort_values(["direction", "implementation", "variant", "resolution"]).to_dict("records"):
        ratio, separable = (
            Interval(*(pair[f"{of}{part}"] for part in ("ratio", "low", "high"))) for of in ("", "separable_")
        )
        cells = [cell(pair["implementation"], str), cell(pair["rival"], str)]
        cells.append(cell(group_name(pair["group"]), str))
        sizes = ("resolution", "channels", "batch_size")
        cells += [number_cell(numbers.general(pair[name]), pair[name]) for name in sizes]
        shape = setting(pair)
        cells.append(cell(direction_name(pair["direction"]) + (f", {shape}" if shape else ""), str))
        for suffix in ("", "_ours"):
            link = f"#{pair[f'anchor{suffix}']}"
            time = pair[f"seconds{suffix}"]
            cells.append(Cell(numbers.seconds(time), repr(time), number=True, link=link))
        cells += [number_cell(numbers.multiple(ratio), ratio.value), cell(pair["word"] or numbers.NOTHING, str)]
        if with_separable:
            known = math.isfinite(separable.value)
            cells.append(number_cell(numbers.multiple(separable) if known else numbers.NOTHING, separable.value))
        cells += [number_cell(numbers.count(pair[name]), pair[name]) for name in ("macs", "macs_ours")]
        cells += [number_cell(numbers.memory(pair[name]), pair[name]) for name in ("peak_bytes", "peak_bytes_ours")]
        rows.append(Row(tuple(cells)))
    headings = ("layer from", "our variant", "group", "|H|", "width", "batch", "pass", "time", "time of ours")
    ratios = ("× ours, 99 %", "it is", *["× our separable, 99 %"] * with_separable)
    counts = ("MACs", "MACs of ours", "peak memory", "peak memory of ours")
    return Table(OTHER_LAYERS, (*headings, *ratios, *counts), tuple(rows))
