"""Sentences about what layers cost: how costs grow, where costs arise, and how separable and peers compare."""

import pandas as pd

from benchmarks.statistics.comparison import WORDS
from benchmarks.statistics.realised import DEFINITION
from benchmarks.statistics.written import listing, plural
from reports.arithmetic.layers import GROWING, OWN_LAYER_RIVAL, growths
from reports.frames.selection import varied
from reports.style import in_order
from reports.words.names import (
    AXIS_WORDS,
    DIRECTION_WORDS,
    direction_name,
    layer_and_pass,
    modules,
    ordered_directions,
    setting,
)
from reports.words.numbers import bounds, decimal, digits, part_of_whole, percent, signed_percent, span

# The title of the table and of the figure.
OTHER_LAYERS = "Layers of other libraries and of users, compared with ours"
NEAR_PREDICTION = 0.1
NEAR_ROOF = 0.5
# With a smaller share of the definition's MACs than this, a pass runs fewer of them.
ALL_MACS = 0.995
# An exponent that is known to less than this does not tell linear growth from quadratic growth.
WIDEST_EXPONENT = 0.5


def growth(costs: pd.DataFrame, column: str, what: str) -> str:
    """Say how `column` grows with |H|: fitted exponents of the group variants through the base point."""
    if costs.empty:
        return f"No {what} of single layers {'were' if what.endswith('s') else 'was'} measured."
    name = next(name for name, measured in GROWING.items() if measured == column)
    table = growths(costs, axes=["resolution"])
    table = table[table[name].notna()]
    powers = {str(row["variant"]): exponent(row, name) for _, row in table.iterrows()}
    variants = [variant for variant in in_order(powers) if variant != "plain"]
    if not variants:
        return f"{what[0].upper()}{what[1:]}: measured at one group resolution only."
    found = [f"{powers[variant]} for {variant}" for variant in variants if powers[variant]]
    verb = "grow" if what.endswith("s") else "grows"
    n = f"{span(table['n'])} resolutions"
    known = f"{what[0].upper()}{what[1:]} {verb} with |H| to the power {listing(found)} (n = {n})." if found else ""
    unknown = listing([variant for variant in variants if not powers[variant]])
    untold = f"How {what} {verb} with |H| for {unknown}, {n} do not tell." if unknown else ""
    return f"{known} {untold}".strip()


def exponent(row: pd.Series, name: str) -> str:
    """Write the exponent and half of its 95 % interval, `1.7 ± 0.3`; a half below 0.05 is omitted.

    The text is empty where the points do not tell the exponent: half of the interval is larger than
    ``WIDEST_EXPONENT``, or the points are two, so that there is no interval.
    """
    half = row[f"{name}_high"] - row[name]
    if not half <= WIDEST_EXPONENT:  # also for NaN
        return ""
    return decimal(row[name]) + (f" ± {decimal(half)}" if half >= 0.05 else "")


def bends(growths: pd.DataFrame, direction: str) -> str:
    """Say where the time grows least and most compared with the MACs, over all axes and variants of one pass.

    What the intervals do not tell apart from either end is named with it. Lines whose power is known to less than
    ``WIDEST_EXPONENT`` are counted, and left out.
    """
    rows = growths[(growths["direction"] == direction) & growths["power"].notna()]
    if rows.empty:
        return "No growth of time was measured together with MACs."
    known = rows[(rows["power_high"] - rows["power_low"]) / 2 <= WIDEST_EXPONENT]
    untold = len(rows) - len(known)
    left_out = f" Left out: {plural(untold, 'line')} with wider intervals than ± {WIDEST_EXPONENT:g}." if untold else ""
    rows, name = known.sort_values("power", kind="stable"), DIRECTION_WORDS[direction].capitalize()
    if rows.empty:
        return f"{name}: how time grows with the MACs, no line tells to ± {WIDEST_EXPONENT:g}."
    low, high = rows.iloc[0], rows.iloc[-1]
    verb = "grows" if low["power"] > 0 else "changes"
    words = f"{name}: from end to end of an axis, time {verb} with the MACs to the power"
    if len(rows) == 1:
        return f"{words} {_power(low)}.{left_out}"
    near_low = rows.iloc[1:][rows.iloc[1:]["power_low"] <= low["power_high"]]
    near_high = rows.iloc[:-1][rows.iloc[:-1]["power_high"] >= high["power_low"]][::-1]
    least, most = f"{_power(low)}, the least{_overlap(near_low)}", f"{_power(high)}, the most{_overlap(near_high)}"
    return f"{words} {least}, up to {most}.{left_out}"


def _power(row: pd.Series) -> str:
    """Write the power of the MACs with which time grows along an axis, with its 95 % interval, and both factors."""
    ends = bounds(row["power_low"], row["power_high"], _two_digits)
    factors = f"MACs {digits(row['macs_times'], 2)}×, time {digits(row['time_times'], 2)}×"
    return f"{_two_digits(row['power'])} {ends} for {_line(row)} ({row['first']:g} to {row['last']:g}: {factors})"


def _two_digits(power: float) -> str:
    return digits(power, 2).replace("-", "−")


def _overlap(rows: pd.DataFrame) -> str:
    """Name the lines whose intervals overlap that of an end, so that they may be the end themselves."""
    if rows.empty:
        return ""
    return f" (its interval overlaps with {listing([_line(row) for _, row in rows.iterrows()])})"


def _line(row: pd.Series) -> str:
    return f"{row['variant']} by {AXIS_WORDS[row['axis']]}"


def mac_split(costs: pd.DataFrame) -> str:
    """State, for each variant, the share of generating kernels in the MACs of a forward pass that generates them."""
    rows = costs.dropna(subset=["macs_kernel_generation", "macs_convolution"])
    rows = varied(rows[(rows["variant"] != "plain") & (rows["macs_convolution"] > 0)], "batch_size")
    if rows.empty:
        return "No MACs of single layers on a group were counted."
    share = rows["macs_kernel_generation"] / (rows["macs_kernel_generation"] + rows["macs_convolution"])
    low, high = rows["batch_size"].min(), rows["batch_size"].max()
    parts = []
    for variant in in_order(rows["variant"]):
        mine = share[rows["variant"] == variant]
        at_low, at_high = (mine[rows["batch_size"] == batch].median() for batch in (low, high))
        change = "" if low == high else f" and {percent(at_high)} at batch {high:.0f}"
        parts.append(f"{percent(at_low)} for {variant} at batch {low:.0f}{change}")
    return f"Of the MACs of a forward pass, generating its kernels takes {'; '.join(parts)}."


def realised(pairs: pd.DataFrame) -> str:
    """State which share of separability's saving of MACs shows up as time: median and range over all pairs."""
    if pairs.empty:
        return "Full and separable were not both measured at any point."
    saving = pairs.dropna(subset=["realised"])
    if saving.empty:
        counted = pairs["mac_ratio"].notna().any()
        return (
            "Separable saved no MACs compared with full."
            if counted
            else "The MACs of full and separable were not counted."
        )
    parts = []
    for name, rows in saving.groupby(layer_and_pass(saving), sort=False):
        low, high = rows["realised"].min(), rows["realised"].max()
        spread = f" [{percent(low, 0)} to {percent(high, 0)}]" if len(rows) > 1 else ""
        parts.append(f"{name}: {percent(rows['realised'].median(), 0)}{spread}, n = {len(rows)}")
    shares = f"Share of the MAC saving that shows up as time, {DEFINITION}, median and range: {'; '.join(parts)}."
    apart = int((~pairs["one_block"].astype(bool)).sum())
    blocks = f" {apart} of {plural(len(pairs), 'pair')} did not take turns in one block." if apart else ""
    return f"{shares}{blocks} {tally(pairs['word'], 'separable', 'full')}".strip()


def stages(costs: pd.DataFrame) -> str:
    """State the share of a pass that goes into generating kernels and their backward: least and most over variants.

    For passes with a backward it also says the share of generating alone, which is what the figure's bars show.
    """
    rows = costs.dropna(subset=["kernel_generation_share"])
    if rows.empty:
        return "No stages of single layers were timed."
    whole = rows.filter(regex="^stage_(?!forward$)").sum(axis=1)
    rows = rows.assign(generating=rows["stage_kernel_generation"] / whole.where(whole > 0))
    parts = []
    for direction in ordered_directions(rows["direction"]):
        mine = rows[rows["direction"] == direction]
        forward, alone = direction == "forward", _ends(mine, "generating")
        what = "finding them in the cache" if forward else "generating them, and the backward of that"
        bars = f"; generating alone, as the bars show it, takes {alone}" if alone and not forward else ""
        parts.append(
            f"{DIRECTION_WORDS[direction].capitalize()}: making kernels ({what}) takes "
            f"{_ends(mine, 'kernel_generation_share')} of a whole pass{bars}."
        )
    if (rows["kernel_generation_share"] > 1).any():
        parts.append("Over 100 %: the kernels and the pass were timed apart, on a machine that changed in between.")
    return " ".join(parts)


def _ends(rows: pd.DataFrame, column: str) -> str:
    """Write the least and the greatest share over variants."""
    known = rows.dropna(subset=[column]).sort_values(column, kind="stable")
    ends = known.iloc[[0, -1]] if len(known) > 1 else known
    return " to ".join(f"{part_of_whole(row[column])} ({row['variant']})" for _, row in ends.iterrows())


def memory_parts(costs: pd.DataFrame) -> str:
    """Say how far the predicted peak memory is from the measured peak, over all records that have both."""
    rows = costs[(costs["predicted_bytes"] > 0) & (costs["peak_bytes"] > 0)]
    if rows.empty:
        return "No peak memory was predicted."
    residual = rows["predicted_bytes"] / rows["peak_bytes"] - 1
    worst = rows.iloc[int(residual.abs().argmax())]
    near = int((residual.abs() <= NEAR_PREDICTION).sum())
    return (
        f"The model’s prediction of the peak is within {percent(NEAR_PREDICTION, 0)} of {near} of {len(rows)} measured "
        f"peaks ({modules(rows)}, on any number of threads), and off by {signed_percent(residual.min())} to "
        f"{signed_percent(residual.max())} (the furthest for {worst['variant']}, {direction_name(worst['direction'])})."
    )


def roofline(costs: pd.DataFrame) -> str:
    """State the least and greatest fraction of the roofline that passes reach, and how many passes memory limits.

    MACs are those that run where the operators of a pass are known, else those of its definition.
    """
    rows = costs.dropna(subset=["roofline_fraction", "arithmetic_intensity", "matrix_ceiling", "memory_ceiling"])
    if rows.empty:
        return "No roofline of single layers was measured."
    known = rows["executed_fraction"].notna()
    share = rows["executed_fraction"].where(known, rows["roofline_fraction"])
    intensity = rows["executed_intensity"].where(known, rows["arithmetic_intensity"])
    under_memory = intensity < rows["matrix_ceiling"] / rows["memory_ceiling"]
    near, above = (share >= NEAR_ROOF) & (share <= 1), int((share > 1).sum())
    limits = (
        f"{(near & ~under_memory).sum()} of {plural(len(rows), 'pass', 'es')} by computing, "
        f"{(near & under_memory).sum()} by moving memory"
    )
    by = "By the MACs that run" if known.all() else "By the MACs of its definition"
    if known.any() and not known.all():
        by = f"By the MACs that run (in {(~known).sum()} of {len(rows)}, which are not known: of the definition)"
    text = (
        f"{by}, a pass of one layer reaches {_reached(rows, share)} of its roof. "
        f"Limited by it (at {percent(NEAR_ROOF, 0)} or more): {limits}."
    )
    text += f" Above it, with fewer MACs than the definition: {above}." if above else ""
    if not known.any():
        return text
    less = rows[rows["executed_share"] < ALL_MACS].sort_values("executed_share", kind="stable")
    shares = [
        f"{percent(row['executed_share'], 0)} in {row['variant']}, {direction_name(row['direction'])}"
        for _, row in less.iterrows()
    ]
    fewer = f"; of these MACs run {'; '.join(shares)}" if shares else ""
    return f"{text} By the MACs of the definition it is {_reached(rows, rows['roofline_fraction'])}{fewer}."


def _reached(rows: pd.DataFrame, fractions: pd.Series) -> str:
    """Write the least and the greatest fraction of the roof, and of which passes they are."""
    order = fractions.sort_values(kind="stable").index
    return " to ".join(
        f"{percent(fractions[i], 0)} ({rows.loc[i, 'variant']}, {direction_name(rows.loc[i, 'direction'])})"
        for i in (order[[0, -1]] if len(order) > 1 else order)
    )


def peers(pairs: pd.DataFrame) -> str:
    """Say how often each peer is faster or slower than ours, for each number format and execution by itself.

    A user's layer is compared with our full one, and with our separable one where both took turns.
    """
    if pairs.empty:
        return "Nothing but our own layers was measured."
    parts = []
    named = pairs.assign(setting=[setting(row) for _, row in pairs.iterrows()])
    for (implementation, where), rows in named.groupby(["implementation", "setting"], sort=True):
        name = f"{implementation} ({where})" if where else implementation
        rival = f"our {OWN_LAYER_RIVAL} layer" if (rows["variant"] == "custom").all() else "ours"
        separable = rows["separable_ratio"].dropna()
        beside = f", and {_from_to(separable)} that of our separable layer" if len(separable) else ""
        taken = f"{name} takes {_from_to(rows['ratio'])} the time of {rival}{beside}."
        parts.append(f"{taken} {tally(rows['word'], 'it', rival)}".strip())
    return " ".join(parts)


def _from_to(ratios: pd.Series) -> str:
    """Write the least and the greatest of some ratios: `0.67× to 2.1×`."""
    low, high = (f"{digits(ratio, 2)}×" for ratio in (ratios.min(), ratios.max()))
    return f"{low} to {high}" if len(ratios) > 1 else low


def tally(words: pd.Series, subject: str, rival: str) -> str:
    """Count the verdicts, words of `benchmarks.statistics.comparison`; return an empty text if there are none."""
    said = words[words != ""]
    names = {word: "the same" if word == "same" else word for word in WORDS}
    counts = [f"{name} in {n}" for word, name in names.items() if (n := int((said == word).sum()))]
    where = plural(len(said), "setting")
    return f"Compared with {rival} in {where}, {subject} is called {listing(counts)}." if counts else ""
