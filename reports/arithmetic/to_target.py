"""The arithmetic of the time to an accuracy: what networks had spent at a target, and which was first."""

import math
from typing import Any

import pandas as pd

from benchmarks.answers.break_even import first_at, to_target
from benchmarks.statistics.comparison import FAMILY_ERROR_RATE
from benchmarks.statistics.over_seeds import p_value, rounded_off
from reports.frames.selection import NETWORK

SPENT = ("epoch", "seconds", "macs")


def common_target(epochs: pd.DataFrame) -> float:
    """Return a validation accuracy that every network reaches on average over its seeds; NaN without any accuracy.

    This is the mean of the weakest network at its best epoch, as a fraction, rounded down to whole percents.
    """
    means = epochs.groupby([*NETWORK, "epoch"], dropna=False)["validation_accuracy"].mean()
    best = means.groupby(NETWORK, dropna=False).max().dropna()
    return math.floor(rounded_off(100 * best.min())) / 100 if len(best) else math.nan


def spent_to_target(epochs: pd.DataFrame, target: float) -> pd.DataFrame:
    """Return what every network had spent when its validation accuracy first reached the target, over its seeds.

    Columns: network, `n` (seeds), `reached` (how many reached the target) and, for `epoch`, `seconds` and `macs`, the
    median over seeds, the least and the greatest (`epoch_median`, `epoch_low`, `epoch_high`, …), infinite for seeds
    that never reached it, and the number of each seed (`epoch_seeds`, …, dictionaries).
    """
    rows = []
    for network, mine in epochs.sort_values("epoch", kind="stable").groupby(NETWORK, dropna=False, sort=False):
        columns = [*SPENT, "validation_accuracy"]
        by_run = [(run["seed"].iloc[0], run[columns].dropna()) for _, run in mine.groupby("id", sort=False)]
        runs = [(seed, {"epochs": run.to_dict("records")}) for seed, run in by_run if len(run)]
        row: dict[str, Any] = dict(zip(NETWORK, network, strict=True))
        for unit in SPENT if runs else ():
            found = to_target([run for _, run in runs], target, unit)
            row |= {"n": found.n, "reached": found.reached, f"{unit}_median": found.median}
            row |= {f"{unit}_low": found.low, f"{unit}_high": found.high}
            row[f"{unit}_seeds"] = {seed: first_at(run, unit, target) for seed, run in runs}
        rows.append(row)
    spent = [f"{unit}_{part}" for unit in SPENT for part in ("median", "low", "high", "seeds")]
    return pd.DataFrame(rows, columns=[*NETWORK, "n", "reached", *spent])


def rivals_of_first(spent: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Return the networks that the seeds do not tell apart from the first one at the target, with the first one on top.

    The first one has the lowest median of `unit`. Another one is told apart by a two-sided paired t test of the
    logarithms over the shared seeds, corrected for all comparisons with the first (Bonferroni): the network that truly
    needs least is missing in at most 5 % of studies. (That two networks are wrongly told apart is more frequent: the
    first one of many equal networks is first by luck.) What is spent is known to whole epochs. Networks of which a seed
    missed the target do not count.
    """
    sure = spent[(spent["reached"] == spent["n"]) & spent[f"{unit}_median"].notna()]
    ranked = sure.sort_values(f"{unit}_median", kind="stable")
    if len(ranked) < 2:
        return ranked
    first = ranked.iloc[0]
    step = 1 / first["epoch_median"] if first["epoch_median"] > 0 else 0.0

    def told_apart(row: pd.Series) -> bool:
        ours, theirs = first[f"{unit}_seeds"], row[f"{unit}_seeds"]
        shared = [seed for seed in sorted(ours.keys() & theirs.keys()) if min(ours[seed], theirs[seed]) > 0]
        differences = [math.log(theirs[seed] / ours[seed]) for seed in shared]
        later = sum(differences) > 0
        return later and p_value(differences, 0.0, step) < FAMILY_ERROR_RATE / (len(ranked) - 1)

    apart = [False, *(told_apart(row) for _, row in ranked.iloc[1:].iterrows())]
    return ranked[[not each for each in apart]]
