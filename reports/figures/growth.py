"""The figures of how time, memory and MACs of one layer grow along every axis."""

from dataclasses import dataclass

import pandas as pd

from reports.arithmetic.layers import forward_macs
from reports.arithmetic.prepared import Prepared
from reports.figures import draw
from reports.figures.draw import AXIS_LABELS, Drawing, Figure, size_of
from reports.frames.selection import along_with_plain, base_point, varied
from reports.style import look
from reports.words import numbers, of_layers
from reports.words.names import PASS_WORDS, point_words


@dataclass(frozen=True)
class GrowthQuantity:
    """A measured column: its name, its unit, the factor from the column to the unit, and a text about its spread.

    `expected` names the column of the dashed line, the growth without overheads; `dashes` explains this line.
    """

    column: str
    name: str
    unit: str
    factor: float
    spread: str
    bounds: tuple[str, ...] = ()
    expected: str = ""
    dashes: str = ""


TIME_GROWTH = GrowthQuantity(
    column="seconds",
    name="time",
    unit="ms",
    factor=1e3,
    spread="Points are medians of n = {n} passes in {rounds}; bars are 95 % intervals of the median, "
    "bootstrapped over processes and passes.",
    bounds=("ci_low", "ci_high"),
    expected="macs",
    dashes="Dashed: as fast as MACs grow, through the last point; a point above it is slower than its MACs.",
)
MEMORY_GROWTH = GrowthQuantity(
    column="peak_bytes",
    name="peak memory",
    unit="MiB",
    factor=2.0**-20,
    spread="Peak of one profiled pass (n = 1) above what was allocated before it; no spread.",
    expected="predicted_bytes",
    dashes="Dashed: what the memory model predicts from shapes alone.",
)
MACS_GROWTH = GrowthQuantity(
    column="macs",
    name="MACs",
    unit="10⁶",
    factor=1e-6,
    spread="Counted on one forward pass (n = 1); no spread.",
)


def growth(results: Prepared, quantity: GrowthQuantity, direction: str, key: str) -> Figure:
    """Draw a quantity of one layer along every varied axis, with the other axes at the base point, on log axes."""
    rows = results.costs
    rows = rows[(rows["layer"] == "conv") & (rows["direction"] == direction)]
    rows = rows.assign(macs=forward_macs(rows))
    rows = rows[rows[quantity.column] > 0]
    words = PASS_WORDS[direction]
    title = f"{quantity.name[0].upper()}{quantity.name[1:]}, {words}"
    drawing = Drawing(key, title, of_layers.growth(rows, quantity.column, f"{words} {quantity.name}"))
    base = base_point(rows)
    slices = {axis: varied(along_with_plain(rows, base, axis), axis) for axis in AXIS_LABELS} if base else {}
    slices = {axis: slice_ for axis, slice_ in slices.items() if slice_[axis].nunique() > 1 or axis == "resolution"}
    if not slices:
        return drawing.figure()
    drawn = pd.concat([slice_.assign(along=axis) for axis, slice_ in slices.items()])
    bounds = draw.axis_limits(drawn[[quantity.column, *quantity.bounds]] * quantity.factor)
    for axis, slice_ in slices.items():
        labels = AXIS_LABELS[axis], f"{quantity.name} ({quantity.unit})"
        name = f"{key}-{axis.replace('_', '-')}"
        with drawing.panel(
            size_of(len(slices), small=True), *labels, f", against {AXIS_LABELS[axis]}", key=name
        ) as canvas:
            columns = [quantity.column, *quantity.bounds]
            points = slice_.melt(["variant", axis], columns, value_name="y")
            expected = _expected(slice_, axis, quantity)
            for variant, line in expected.groupby("variant"):
                colour = look(str(variant)).colour
                canvas.axes.plot(line[axis], line["y"], color=colour, linewidth=0.9, linestyle=(0, (2, 2)), alpha=0.8)

            def tip(point: pd.Series, axis: str = axis) -> str:
                bars = f" [{point['low']:.3g}, {point['high']:.3g}]" if quantity.bounds else ""
                return f"{point['variant']}, {AXIS_LABELS[axis]} {point['x']:g}: {point['y']:.3g}{bars} {quantity.unit}"

            draw.lines(canvas, points.assign(y=points["y"] * quantity.factor), axis, "y", "median", tip)
            draw.steps_x(canvas.axes, slice_[axis])
            draw.log_y(canvas.axes, bounds)
    flat = "resolution" in slices and "plain" in set(drawn["variant"])
    caption = (
        f"One convolution, {words}; base point {point_words(base)}, one axis varied at a time. "
        f"{quantity.spread.format(n=numbers.span(drawn['n']), rounds=numbers.processes(drawn['rounds']))}"
        f"{' ' + quantity.dashes if quantity.expected else ''}"
        f"{' Plain has no |H|: a horizontal line.' if flat else ''}"
    )
    return drawing.figure(caption, drawn["variant"], drawn)


def _expected(slice_: pd.DataFrame, axis: str, quantity: GrowthQuantity) -> pd.DataFrame:
    """Return each variant's line without overheads: the memory model, or MACs scaled to the last measured value."""
    if not quantity.expected:
        return pd.DataFrame(columns=["variant", axis, "y"])
    rows = slice_.dropna(subset=[quantity.expected]).sort_values(axis)
    last = rows.drop_duplicates("variant", keep="last").set_index("variant")
    scale = last[quantity.column] / last[quantity.expected] if quantity.expected == "macs" else last["n"] * 0 + 1.0
    y = rows[quantity.expected] * rows["variant"].map(scale) * quantity.factor
    return rows[["variant", axis]].assign(y=y)
