"""Sentences about the operators of a pass, and about the time until a module's first answer."""

import pandas as pd

from benchmarks.cases.groups import TRIVIAL
from benchmarks.records.cost_fields import OTHER_OPERATORS
from benchmarks.statistics.written import listing, plural
from reports.frames.selection import own_named
from reports.style import in_order
from reports.words.names import DIRECTION_WORDS, LAYER_WORDS, direction_name, ordered_directions
from reports.words.numbers import digits, percent, seconds

NOT_RECORDED = "not recorded"
LONGEST_NAME = 20  # two of them fit beside each other into the legend of the figure


def short(name: str) -> str:
    """Return the name of an operator without its namespace, cut where it is long; other texts stay as they are.

    >>> short("gcnn_impl::mix_conv2d"), short("other operators")
    ('mix_conv2d', 'other operators')
    """
    if "::" not in name:
        return name
    name = name.rpartition("::")[2]
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def operators(parts: pd.DataFrame) -> str:
    """Name the largest operator of each pass of each variant, and the share of the time between operators.

    An operator's calls in forward and in backward count apart, as operators have names of their own for either.
    """
    if parts.empty:
        return f"Operators: {NOT_RECORDED}. The records of a new sweep have them, for the layers at the base point."
    said = []
    for direction in ordered_directions(parts["direction"]):
        mine = parts[parts["direction"] == direction]
        named = mine[(mine["calls"] > 0) & (mine["operator"] != OTHER_OPERATORS)]
        totals = named.groupby(["variant", "operator", "phase"], sort=False)["share"].sum()
        texts = []
        for variant in in_order(named["variant"]):
            largest = totals[variant].sort_values(ascending=False, kind="stable")
            texts.append(f"{short(str(largest.index[0][0]))} {percent(largest.iloc[0], 0)} ({variant})")
        idle = mine[mine["calls"] == 0].groupby("variant", sort=False)["share"].sum().sort_values(kind="stable")
        ends = [f"{percent(idle[variant])} ({variant})" for variant in dict.fromkeys(idle.index[[0, -1]])]
        between = f"; between operators {' to '.join(ends)}" if len(idle) else ""
        apart = ", calls in forward and backward apart," if named["phase"].nunique() > 1 else ""
        words = DIRECTION_WORDS[direction].capitalize()
        said.append(f"{words}: the largest operators{apart} are {listing(texts)}{between}.")
    return " ".join(said)


def slowed(parts: pd.DataFrame) -> str:
    """Say by how much the profiler slowed the passes down."""
    passes = parts.drop_duplicates(["variant", "direction"])
    ratios = (passes["profiled_seconds"] / passes["unprofiled_seconds"]).dropna()
    if ratios.empty:
        return "How much the profiler slows a pass was not recorded."
    low, high = (f"{digits(ratio, 2)}×" for ratio in (ratios.min(), ratios.max()))
    noise = "" if ratios.min() >= 1 else "; less than 1 is noise of this machine"
    return f"The profiler slows a pass down: it then takes {low} to {high} the time of one without, in turns{noise}."


def first_answers(rows: pd.DataFrame) -> str:
    """Name, of these cases, the module that takes longest until its first answer."""
    known = rows.dropna(subset=["answer_seconds"])
    if known.empty:
        return f"Construction and first call: {NOT_RECORDED}."
    row = known.assign(name=own_named(known)).sort_values("answer_seconds", kind="stable").iloc[-1]
    size = f", |H| = {row['resolution']:.0f}" if row["group"] != TRIVIAL else ""
    size += f", C = {row['channels']:.0f}" if row["layer"] != "network" else ""  # users' networks have their own widths
    size += f", batch {row['batch_size']:.0f}"
    what = f"{LAYER_WORDS.get(row['layer'], row['layer'])}, {row['name']}{size}, {direction_name(row['direction'])}"
    return (
        f"Of {plural(len(known), 'case')}, the longest time until a first answer is {seconds(row['answer_seconds'])} "
        f"({what}): "
        f"{seconds(row['construction_seconds'])} to construct the module, {seconds(row['first_call_seconds'])} for its "
        "first call."
    )
