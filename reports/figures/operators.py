"""The figure of the operators that a pass consists of."""

from reports.arithmetic.operators import shares
from reports.arithmetic.prepared import Prepared
from reports.figures.bars import keys_of, stacked
from reports.figures.draw import Drawing, Figure, size_of
from reports.frames.selection import at_base
from reports.style import CONVOLUTION, OPERATORS, REST
from reports.words import of_operators
from reports.words.names import DIRECTION_WORDS, ordered_directions, point_words


def operators(results: Prepared, key: str) -> Figure:
    """Draw the share of a pass that each operator takes, with a panel per pass and a bar per variant."""
    rows = results.operators
    drawing = Drawing(key, "What a pass consists of, operator by operator", of_operators.operators(rows))
    if rows.empty:
        return drawing.figure()
    table = shares(rows, len(OPERATORS))
    *named, others, between = map(str, table)
    looks = {name: (name.rpartition("::")[2], colour) for name, colour in zip(named, OPERATORS, strict=False)}
    looks |= {others: (others, REST), between: (between.removesuffix(" between operators"), CONVOLUTION)}
    directions = ordered_directions(rows["direction"])
    for direction in directions:
        mine = 100 * table[table.index.get_level_values("direction") == direction].droplevel("direction")
        label, words = "share of the time of one pass (%)", DIRECTION_WORDS[direction]
        with drawing.panel(size_of(len(directions)), label, "", f": {words}", heading=words, pad=4) as canvas:
            stacked(canvas.axes, mine.index.to_series(), mine, looks, "{:.0f}")
            canvas.axes.set_xlim(0, 100)
    base = at_base(results.costs)
    caption = (
        f"Base point: {point_words(base.iloc[0])}. n = {len(table)} bars, each the mean of the fastest quarter of the "
        "passes that torch’s profiler recorded in one process; no spread, and not the times of the other figures. An "
        "operator’s time includes what it calls; in a bar its calls in forward and backward count together. "
        f"“{others.capitalize()}”: all without a colour. "
        f"“{looks[between][0].capitalize()}”: all time in which no operator runs. {of_operators.slowed(rows)}"
    )
    return drawing.figure(caption, data=rows, keys=keys_of(looks, table))
