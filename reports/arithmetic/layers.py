"""The arithmetic of costs: layers compared with plain, with peers and with each other, and how costs grow."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from benchmarks.statistics.comparison import Comparison, compare_rounds
from benchmarks.statistics.comparison import noise_floors as floors_of_twins
from benchmarks.statistics.intervals import Interval, ratio, scaling_exponent
from benchmarks.statistics.realised import realised_saving
from reports.frames.columns import OURS
from reports.frames.selection import POINT_AXES, along, at, base_point, layer_base

GROWTH_AXES = ("resolution", "channels", "batch_size", "image_size", "kernel_size")
GROWING = {"time": "seconds", "memory": "peak_bytes", "macs": "macs", "model": "predicted_bytes"}
POWER = ("power", "power_low", "power_high")
TIME_RATIO = ["time_ratio", "time_low", "time_high"]
# The variant of ours that a user's own layer is compared with.
OWN_LAYER_RIVAL = "full"


def noise_floors(twins: pd.DataFrame, comparisons: int = 1) -> dict[float, float]:
    """Return the fraction by which A/A twins (measurements of the same code) hardly ever differ, by number of threads.

    Passes on a GPU have one floor, whatever their threads, under 0; without twins there are no floors.
    """
    pairs = {
        float(kind): [
            (_rounds(first), _rounds(second)) for first, second in zip(rows["first"], rows["second"], strict=True)
        ]
        for kind, rows in twins.groupby(kinds(twins), dropna=False)
    }
    return floors_of_twins(pairs, comparisons=max(comparisons, 1))


def kinds(rows: pd.DataFrame) -> pd.Series:
    """Return the kind of measurement of each row, which its noise depends on: the number of threads, 0 on a GPU."""
    return rows["threads"].where(rows["device"] == "cpu", 0.0)


def twin_differences(twins: pd.DataFrame) -> pd.DataFrame:
    """Add `change`, the relative difference of each twin's second times from its first, and its 99 % interval."""
    pairs = zip(twins["first"], twins["second"], strict=True)
    found = [compare_rounds(_rounds(first), _rounds(second), 0.0) for first, second in pairs]
    parts = {"change": "ratio", "low": "low", "high": "high"}
    return twins.assign(**{name: [getattr(each, part) - 1 for each in found] for name, part in parts.items()})


def _rounds(medians: Sequence[float]) -> list[list[float]]:
    """Return rounds of one sample each: a comparison needs only the median of each round."""
    return [[median] for median in medians]


def _compare(pairs: pd.DataFrame, a: str, b: str, floors: Mapping[float, float]) -> list[Comparison]:
    """Compare times in columns with suffix `b` with those with suffix `a`; rounds of one block are paired.

    The floor of a pair is that of its kind of measurement; a kind without twins gets the largest floor.
    """
    found = []
    most = max(floors.values(), default=0.0)
    for (_, pair), kind, together in zip(pairs.iterrows(), kinds(pairs), _one_block(pairs, a, b), strict=True):
        first, second = pair[f"round_medians{a}"], pair[f"round_medians{b}"]
        paired = together and len(first) == len(second)
        found.append(compare_rounds(_rounds(first), _rounds(second), floors.get(kind, most), paired=paired))
    return found


def _one_block(pairs: pd.DataFrame, a: str, b: str) -> pd.Series:
    """Tell of each pair whether both were timed in turns, in one block: then a drift of the machine affects both."""
    return (pairs[f"block{a}"] == pairs[f"block{b}"]) & (pairs[f"block{a}"] != "")


def against_peers(costs: pd.DataFrame, twins: pd.DataFrame) -> pd.DataFrame:
    """Compare every foreign layer with our layer of the same case, and a user's own layer with our full variant.

    Adds `ratio` (the foreign time over ours), its 99 % interval `low`, `high`, and `word`: whether the foreign layer
    is called faster, slower, …; `word` is empty without A/A twins. Columns of our layer have the suffix `_ours`. Adds
    `macs` (of the forward part), and for a user's layer that took turns with our separable one the ratio to this one:
    `separable_ratio`, with its 99 % interval `separable_low`, `separable_high`.
    """
    keys = ["rival", "layer", "direction", "kernels", "execution", *POINT_AXES]
    rows = costs[costs["seconds"] > 0]
    rows = rows.assign(rival=rows["variant"].replace("custom", OWN_LAYER_RIVAL), macs=forward_macs(rows))
    foreign = rows["implementation"] != OURS
    pairs = rows[foreign].merge(rows[~foreign], on=keys, suffixes=("", "_ours"))
    floors = noise_floors(twins, len(pairs))
    found = _compare(pairs, "_ours", "", floors)
    return _against_separable(pairs, rows[~foreign & (rows["variant"] == "separable")]).assign(
        ratio=[each.ratio for each in found],
        low=[each.low for each in found],
        high=[each.high for each in found],
        word=[each.word if floors else "" for each in found],
    )


def _against_separable(pairs: pd.DataFrame, separable: pd.DataFrame) -> pd.DataFrame:
    """Add the ratio of each user's layer to the separable layer of its block; NaN where there is none."""
    keys = ["layer", "direction", "kernels", "execution", *POINT_AXES]
    rivals = separable[[*keys, "block", "round_medians"]]
    rivals = rivals.rename(columns={name: f"{name}_separable" for name in ("block", "round_medians")})
    own = pairs[pairs["variant"] == "custom"]
    both = own.reset_index().merge(rivals, on=keys).set_index("index")
    both = both[_one_block(both, "", "_separable")]
    found = _compare(both, "_separable", "", {})
    parts = {f"separable_{part}": [getattr(each, part) for each in found] for part in ("ratio", "low", "high")}
    return pairs.join(pd.DataFrame(parts, index=both.index, dtype=float))


def forward_macs(costs: pd.DataFrame) -> pd.Series:
    """Return the MACs of each pass's forward part; those of generating kernels are not counted in `forward` passes."""
    generated = costs["macs_kernel_generation"].where(costs["direction"] != "forward", 0.0)
    return costs["macs_convolution"] + generated


def against_plain(costs: pd.DataFrame) -> pd.DataFrame:
    """Compare one layer of each variant at the base point with the plain convolution, as multiples of plain.

    Adds `macs` (of the forward part), `memory_ratio`, `mac_ratio`, `time_ratio` with `time_low`, `time_high`, and
    `one_block`, whether plain took turns with the layer. The frame has one row per variant and direction; directions
    without a plain convolution are left out.
    """
    layers = costs[costs["layer"] == "conv"]
    here = at(layers, layer_base(layers)).drop_duplicates(["variant", "direction"])
    here = here.assign(macs=forward_macs(here))
    plain = here[here["variant"] == "plain"]
    table = here.merge(plain, on="direction", suffixes=("", "_plain")).sort_values("resolution", ascending=False)
    table["memory_ratio"] = table["peak_bytes"] / table["peak_bytes_plain"]
    table["mac_ratio"] = table["macs"] / table["macs_plain"]
    table["one_block"] = _one_block(table, "", "_plain")
    table = _time_ratio(table, numerator="", denominator="_plain")
    table.loc[table["variant"] == "plain", ["time_low", "time_high"]] = 1.0  # a time compared with itself has no spread
    return table


def plain_of_equal_maps(costs: pd.DataFrame) -> pd.DataFrame:
    """Return the plain convolution of as many maps as layers have at the base point, C·|H| channels, by direction.

    Adds `macs` (of the forward part); empty where there is no such convolution.
    """
    layers = costs[costs["layer"] == "conv"]
    base = layer_base(layers)
    if not (layers["variant"] != "plain").any():
        return layers.iloc[:0].assign(macs=math.nan)
    wide = at(layers, {**base, "channels": base["channels"] * base["resolution"]})  # type: ignore[operator]
    wide = wide[(wide["variant"] == "plain") & (base["resolution"] != 1)]
    return wide.drop_duplicates("direction").assign(macs=forward_macs(wide))


def against_equal_maps(costs: pd.DataFrame) -> pd.DataFrame:
    """Compare layers at the base point with the plain convolution of as many maps.

    Adds `time_ratio` with `time_low`, `time_high`, the time of the layer over that of plain; `one_block`, whether both
    took turns; and columns of plain with the suffix `_plain`. Liftings are left out, because their input has fewer
    maps.
    """
    layers = costs[costs["layer"] == "conv"]
    here = at(layers, layer_base(layers)).drop_duplicates(["variant", "direction"])
    here = here[~here["variant"].isin(["plain", "lifting"])]
    table = here.merge(plain_of_equal_maps(costs), on="direction", suffixes=("", "_plain"))
    table["one_block"] = _one_block(table, "", "_plain")
    return _time_ratio(table, numerator="", denominator="_plain")


def _time_ratio(table: pd.DataFrame, *, numerator: str, denominator: str) -> pd.DataFrame:
    """Add `time_ratio`, `time_low`, `time_high`: the times of one column suffix over the times of the other."""
    columns = ["seconds", "ci_low", "ci_high"]
    above, below = (
        [Interval(*row) for row in table[[f"{column}{suffix}" for column in columns]].to_numpy()]
        for suffix in (numerator, denominator)
    )
    ratios = [ratio(a, b) for a, b in zip(above, below, strict=True)]
    return table.join(pd.DataFrame(ratios, columns=TIME_RATIO, index=table.index))


def separable_against_full(costs: pd.DataFrame, twins: pd.DataFrame | None = None) -> pd.DataFrame:
    """Compare separable with full, wherever both were measured in the same setting.

    Besides axes and direction the columns are `time_ratio` (full over separable) with its 95 % interval `time_low`,
    `time_high`; `mac_ratio`; `memory_ratio` (separable over full); `realised` with `realised_low`, `realised_high`, by
    ``realised_saving``; `one_block`, whether both took turns; and `word`: whether separable is called faster, slower,
    …; it is empty without A/A twins.
    """
    keys = ["layer", "direction", *POINT_AXES]
    timed = costs[costs["seconds"] > 0]
    frame = timed.assign(macs=forward_macs(timed))
    pairs = frame[frame["variant"] == "full"].merge(
        frame[frame["variant"] == "separable"], on=keys, suffixes=("_full", "_separable")
    )
    pairs = _time_ratio(pairs, numerator="_full", denominator="_separable")
    pairs["mac_ratio"] = pairs["macs_full"] / pairs["macs_separable"]
    pairs["memory_ratio"] = pairs["peak_bytes_separable"] / pairs["peak_bytes_full"]
    for name in ("ratio", "low", "high"):
        saved = zip(pairs[f"time_{name}"], pairs["mac_ratio"], strict=True)
        pairs["realised" if name == "ratio" else f"realised_{name}"] = [realised_saving(*ratios) for ratios in saved]
    floors = {} if twins is None else noise_floors(twins, len(pairs))
    judged = _compare(pairs, "_full", "_separable", floors) if floors else []
    pairs["word"] = [each.word for each in judged] if judged else ""
    pairs["one_block"] = _one_block(pairs, "_full", "_separable")
    names = [*TIME_RATIO, "mac_ratio", "memory_ratio", "realised", "realised_low", "realised_high"]
    return pairs[[*keys, *names, "one_block", "word"]].sort_values(keys, ignore_index=True)


def growths(costs: pd.DataFrame, axes: Sequence[str] = GROWTH_AXES) -> pd.DataFrame:
    """Fit how time and memory grow along axes through the base point, and how theory says they grow.

    There is one row per pass, axis and variant with two values or more on the axis: the `first` and `last` value, `n`,
    and for `time` and `memory` the fitted exponent with its interval (`time`, `time_low`, `time_high`, …) and the ratio
    of the value at `last` to that at `first` (`time_times`, …). The same columns describe the growth expected without
    overheads: that of the counted MACs (`macs`, `macs_times`), which follow the closed forms, and that of the memory
    model (`model`, `model_times`). `power` is the power of the MACs with which the time grows from `first` to `last`,
    with its 95 % interval `power_low`, `power_high`.
    """
    layers = costs[(costs["layer"] == "conv") & (costs["seconds"] > 0)]
    layers = layers.assign(macs=forward_macs(layers))
    rows = []
    for direction, mine in layers.groupby("direction", sort=False):
        base = base_point(mine)
        for axis in axes:
            for variant, points in along(mine, base, axis).groupby("variant", sort=False):
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
                rows.append(row | _power_of_macs(points))
    spread = [f"{name}{part}" for name in GROWING for part in ("", "_low", "_high", "_times")]
    columns = ["direction", "axis", "variant", "n", "first", "last", *spread, *POWER]
    return pd.DataFrame(rows, columns=columns)


def _power_of_macs(points: pd.DataFrame) -> dict[str, float]:
    """Return the logarithm of the ratio of times over that of the ratio of MACs, between the first and last point.

    Unlike the ratio of both factors, it does not depend on how far the axis goes. Without MACs that grow it is NaN.
    """
    macs = points["macs"].iloc[-1] / points["macs"].iloc[0]
    if not (macs > 1 and math.isfinite(macs)):
        return dict.fromkeys(POWER, math.nan)
    first, last = (Interval(*points[["seconds", "ci_low", "ci_high"]].iloc[i]) for i in (0, -1))
    return {name: math.log(end) / math.log(macs) for name, end in zip(POWER, ratio(last, first), strict=True)}
