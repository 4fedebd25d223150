"""The arithmetic of the report. Pure: frames and numbers in, frames and numbers out."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from benchmarks.statistics.comparison import Comparison, compare_rounds, minimum_detectable_effect
from reports.frames import OURS

PASSES = ("forward", "forward_backward")
STEP = "training_step"
# What a plain layer does not have.
GROUP_AXES = ("group", "resolution", "scales")
AXES = [*GROUP_AXES, "channels", "batch_size", "image_size", "kernel_size", "dtype", "threads"]
# A user's layer has no variant of ours; it is compared with this one.
OWN_LAYER_RIVAL = "full"


class Interval(NamedTuple):
    """An estimate and its interval; NaN bounds where the data cannot give one."""

    value: float
    low: float
    high: float


def ratio(numerator: Interval, denominator: Interval) -> Interval:
    """Ratio of two independent positive estimates, with an interval from theirs (MOVER on the logarithm).

    Zou & Donner 2008: the distances from estimate to bound, squared, add up like variances. Needs neither the
    raw samples nor a bootstrap, and an exact denominator leaves the relative interval of the numerator.
    """
    a, b = (Interval(*np.log(estimate)) for estimate in (numerator, denominator))
    value = a.value - b.value
    low = value - math.hypot(a.value - a.low, b.high - b.value)
    high = value + math.hypot(a.high - a.value, b.value - b.low)
    return Interval(math.exp(value), math.exp(low), math.exp(high))


def latest(costs: pd.DataFrame) -> pd.DataFrame:
    """The newest record of every case: the same case has another id in every version of the suite."""
    case = ["layer", "implementation", "variant", "direction", "kernels", "execution", "device", *AXES]
    return costs.sort_values("measured_at", kind="stable").drop_duplicates(case, keep="last").sort_index()


def comparable(costs: pd.DataFrame, directions: Sequence[str] = PASSES) -> pd.DataFrame:
    """Our layers as they are used by default: eager, in float32, with kernels cached at inference and nowhere else.

    Peers, compiled code, other number formats and inference that generates its kernels answer other questions.
    """
    usual = costs["direction"].map(lambda direction: "cached" if direction == "forward" else "generated")
    ours = (costs["implementation"] == OURS) & (costs["execution"] == "eager") & (costs["dtype"] == "float32")
    return costs[ours & (costs["kernels"] == usual) & costs["direction"].isin(directions)]


def usual_threads(costs: pd.DataFrame) -> pd.DataFrame:
    """The cases on as many threads as most are; of equally frequent numbers the larger."""
    counts = costs["threads"].value_counts()
    return costs[costs["threads"] == counts.index[counts == counts.max()].max()] if len(counts) else costs


def noise_floor(twins: pd.DataFrame, comparisons: int = 1) -> float:
    """The smallest change, as a part, that unchanged code entered twice hardly ever shows; NaN without twins."""
    pairs = [(_rounds(first), _rounds(second)) for first, second in zip(twins["first"], twins["second"], strict=True)]
    return minimum_detectable_effect(pairs, comparisons=max(comparisons, 1)) if pairs else math.nan


def twin_differences(twins: pd.DataFrame) -> pd.DataFrame:
    """Adds `change` of the second entry beside the first, as a part, with the 99 % interval `low`, `high`."""
    pairs = zip(twins["first"], twins["second"], strict=True)
    found = [compare_rounds(_rounds(first), _rounds(second), 0.0) for first, second in pairs]
    parts = {"change": "ratio", "low": "low", "high": "high"}
    return twins.assign(**{name: [getattr(each, part) - 1 for each in found] for name, part in parts.items()})


def _rounds(medians: Sequence[float]) -> list[list[float]]:
    """A comparison asks for the median of each round only."""
    return [[median] for median in medians]


def _compare(pairs: pd.DataFrame, a: str, b: str, floor: float) -> list[Comparison]:
    """What b is compared with a, the column suffixes of two sets of times: round by round where both took turns."""
    found = []
    for _, pair in pairs.iterrows():
        first, second = pair[f"round_medians{a}"], pair[f"round_medians{b}"]
        paired = pair[f"block{a}"] == pair[f"block{b}"] != "" and len(first) == len(second)
        found.append(compare_rounds(_rounds(first), _rounds(second), floor, paired=paired))
    return found


def peers(costs: pd.DataFrame, twins: pd.DataFrame) -> pd.DataFrame:
    """Every layer that is not ours beside ours of the same case, a user's own beside ours of the full variant.

    Adds `ratio`, the peer's time over ours, its 99 % interval `low`, `high`, and the `word` about the peer, which is
    empty without A/A twins. What is ours has the suffix `_ours`.
    """
    keys = ["rival", "layer", "direction", "kernels", "execution", "device", *AXES]
    rows = costs[costs["seconds"] > 0]
    rows = rows.assign(rival=rows["variant"].replace("custom", OWN_LAYER_RIVAL))
    foreign = rows["implementation"] != OURS
    pairs = rows[foreign].merge(rows[~foreign], on=keys, suffixes=("", "_ours"))
    floor = noise_floor(twins, len(pairs))
    found = _compare(pairs, "_ours", "", 0.0 if math.isnan(floor) else floor)
    return pairs.assign(
        ratio=[each.ratio for each in found],
        low=[each.low for each in found],
        high=[each.high for each in found],
        word=["" if math.isnan(floor) else each.word for each in found],
    )


def at_base(costs: pd.DataFrame) -> pd.DataFrame:
    """One layer of each variant at the base point, in every direction."""
    layers = costs[costs["layer"] == "conv"]
    here = at(layers, base_point(layers[layers["direction"].isin(PASSES)]))
    return here.drop_duplicates(["variant", "direction"])


def pass_macs(costs: pd.DataFrame) -> pd.Series:
    """MACs a measured pass asks for, in units of one forward: inference finds its kernels in the cache."""
    generated = costs["macs_kernel_generation"].where(costs["direction"] != "forward", 0.0)
    return costs["macs_convolution"] + generated


def pareto_front(cost: Sequence[float], value: Sequence[float]) -> npt.NDArray[np.bool_]:
    """Which points no other point beats: none is at most as costly and at least as good, and better in one.

    Of equal points all are on the front. Points with a NaN never are.
    """
    c, v = np.asarray(cost, dtype=float), np.asarray(value, dtype=float)
    no_worse = (c[None, :] <= c[:, None]) & (v[None, :] >= v[:, None])  # (point, rival)
    better = (c[None, :] < c[:, None]) | (v[None, :] > v[:, None])
    return ~(no_worse & better).any(axis=1) & np.isfinite(c) & np.isfinite(v)


def scaling_exponent(x: Sequence[float], y: Sequence[float], confidence: float = 0.95) -> Interval:
    """Slope of log y against log x by least squares, with Student's interval.

    Two points give a slope and no interval (NaN); fewer than two distinct x give NaN.
    """
    u, v = np.log(np.asarray(x, dtype=float)), np.log(np.asarray(y, dtype=float))
    if len(np.unique(u)) < 2:
        return Interval(math.nan, math.nan, math.nan)
    centred = u - u.mean()
    slope = float(centred @ v / (centred @ centred))
    freedom = len(u) - 2
    if freedom < 1:
        return Interval(slope, math.nan, math.nan)
    residual = v - v.mean() - slope * centred
    error = math.sqrt(residual @ residual / freedom / (centred @ centred))
    half = float(stats.t.ppf(0.5 + confidence / 2, freedom)) * error
    return Interval(slope, slope - half, slope + half)


def base_point(costs: pd.DataFrame) -> dict[str, object]:
    """The value of each axis that most cases share; of equally frequent ones the lower median.

    A sweep that varies one axis at a time gets its centre, a full grid its middle. Plain layers have no group
    and do not vote on it. Empty when there is no case.
    """
    base: dict[str, object] = {}
    for axis in AXES:
        voters = costs[costs["variant"] != "plain"] if axis in GROUP_AXES else costs
        counts = (voters if len(voters) else costs)[axis].value_counts()
        if counts.empty:
            return {}
        modes = sorted(counts.index[counts == counts.max()])
        base[axis] = modes[(len(modes) - 1) // 2]
    return base


def layer_base(costs: pd.DataFrame) -> dict[str, object]:
    """The base point of one layer; empty where none was measured."""
    return base_point(costs[costs["layer"] == "conv"])


def at(costs: pd.DataFrame, base: dict[str, object], free: Iterable[str] = ()) -> pd.DataFrame:
    """The cases at the base point in every axis but the free ones; plain layers match any group."""
    keep = pd.Series(True, index=costs.index)
    for axis in set(base) - set(free):
        match = costs[axis] == base[axis]
        keep &= match | (costs["variant"] == "plain") if axis in GROUP_AXES else match
    return costs[keep]


def against_plain(costs: pd.DataFrame) -> pd.DataFrame:
    """One layer of each variant at the base point beside the plain convolution: its row, and multiples of plain.

    Adds `macs` (asked for), `memory_ratio`, `mac_ratio`, and `time_ratio` with `time_low`, `time_high`. One row per
    variant and direction; directions without a plain convolution are left out.
    """
    layers = costs[costs["layer"] == "conv"]
    here = at(layers, base_point(layers)).drop_duplicates(["variant", "direction"])
    here = here.assign(macs=pass_macs(here))
    plain = here[here["variant"] == "plain"]
    table = here.merge(plain, on="direction", suffixes=("", "_plain")).sort_values("resolution", ascending=False)
    table["memory_ratio"] = table["peak_bytes"] / table["peak_bytes_plain"]
    table["mac_ratio"] = table["macs"] / table["macs_plain"]
    table = _time_ratio(table, numerator="", denominator="_plain")
    table.loc[table["variant"] == "plain", ["time_low", "time_high"]] = 1.0  # a time beside itself has no spread
    return table


def _time_ratio(table: pd.DataFrame, *, numerator: str, denominator: str) -> pd.DataFrame:
    """Adds `time_ratio`, `time_low`, `time_high` of the two sets of times that the column suffixes name."""
    columns = ["seconds", "ci_low", "ci_high"]
    above, below = (
        [Interval(*row) for row in table[[f"{column}{suffix}" for column in columns]].to_numpy()]
        for suffix in (numerator, denominator)
    )
    ratios = [ratio(a, b) for a, b in zip(above, below, strict=True)]
    names = ["time_ratio", "time_low", "time_high"]
    return table.join(pd.DataFrame(ratios, columns=names, index=table.index))


def realised_speedup(costs: pd.DataFrame, twins: pd.DataFrame | None = None) -> pd.DataFrame:
    """Separable against full, wherever both were measured on the same point.

    Adds to the axes and the direction: `time_ratio`, `time_low`, `time_high` (full over separable), `mac_ratio`,
    `realised`, `realised_low`, `realised_high` = time_ratio / mac_ratio, 1 where the time fell as much as the MACs did,
    and the `word` about separable, which is empty without A/A twins.
    """
    keys = ["layer", "direction", "device", *AXES]
    timed = costs[costs["seconds"] > 0]
    frame = timed.assign(macs=pass_macs(timed))
    pairs = frame[frame["variant"] == "full"].merge(
        frame[frame["variant"] == "separable"], on=keys, suffixes=("_full", "_separable")
    )
    pairs = _time_ratio(pairs, numerator="_full", denominator="_separable")
    pairs["mac_ratio"] = pairs["macs_full"] / pairs["macs_separable"]
    for name in ("ratio", "low", "high"):
        pairs["realised" if name == "ratio" else f"realised_{name}"] = pairs[f"time_{name}"] / pairs["mac_ratio"]
    floor = math.nan if twins is None else noise_floor(twins, len(pairs))
    judged = [] if math.isnan(floor) else _compare(pairs, "_full", "_separable", floor)
    pairs["word"] = [each.word for each in judged] if judged else ""
    names = ["time_ratio", "time_low", "time_high", "mac_ratio", "realised", "realised_low", "realised_high", "word"]
    return pairs[[*keys, *names]].sort_values(keys, ignore_index=True)


def growths(costs: pd.DataFrame) -> pd.DataFrame:
    """How time and memory grow along each axis through the base point, beside what the definition says.

    One row per pass, axis and variant that was measured at two values or more: the `first` and `last` value, `n`, and
    for `time` and `memory` the fitted exponent with its interval (`time`, `time_low`, `time_high`, …), how many times
    as much it is at the last value (`time_times`, …), and the same of what is expected without overheads: the counted
    MACs (`macs`, `macs_times`), which follow the closed forms, and the memory model (`model`, `model_times`).
    """
    layers = costs[(costs["layer"] == "conv") & (costs["seconds"] > 0)]
    layers = layers.assign(macs=pass_macs(layers))
    rows = []
    for direction, mine in layers.groupby("direction", sort=False):
        base = base_point(mine)
        for axis in GROWTH_AXES:
            slice_ = at(mine, base, free=[axis, *(["scales"] if axis == "resolution" else [])])
            for variant, points in slice_.groupby("variant", sort=False):
                points = points.sort_values(axis).drop_duplicates(axis)
                if len(points) < 2 or (axis == "resolution" and variant == "plain"):
                    continue
                x = points[axis].tolist()
                row = {"direction": direction, "axis": axis, "variant": variant, "n": len(x)}
                row |= {"first": x[0], "last": x[-1]}
                for name, column in GROWING.items():
                    y = points[column].tolist()
                    if (points[column] > 0).all():
                        fit = scaling_exponent(x, y)
                        row |= {name: fit.value, f"{name}_low": fit.low, f"{name}_high": fit.high}
                        row |= {f"{name}_times": y[-1] / y[0]}
                rows.append(row)
    spread = [f"{name}{part}" for name in GROWING for part in ("", "_low", "_high", "_times")]
    return pd.DataFrame(rows, columns=["direction", "axis", "variant", "n", "first", "last", *spread])


GROWTH_AXES = ("resolution", "channels", "batch_size", "image_size", "kernel_size")
GROWING = {"time": "seconds", "memory": "peak_bytes", "macs": "macs", "model": "predicted_bytes"}
