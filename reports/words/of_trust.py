"""Sentences about how far the numbers can be trusted: noise, equivariance, and what could not be decided."""

import pandas as pd

from reports.arithmetic.layers import noise_floor
from reports.words.numbers import exponential, percent, plural


def noise(costs: pd.DataFrame, twins: pd.DataFrame) -> str:
    """State the minimum detectable effect of a set of results, and how many of its records are noisy."""
    judged = costs[costs["noise"] != ""]
    noisy = f"{(judged['noise'] == 'noisy').sum()} of {plural(len(judged), 'record')} are called noisy."
    if twins.empty:
        return "No layer was timed twice, so the noise floor of these results is not known."
    return (
        f"The minimum detectable effect is {percent(noise_floor(twins))}: the same code, timed twice, "
        f"hardly ever differs by more (n = {plural(len(twins), 'A/A pair')}). {noisy if len(judged) else ''}"
    ).strip()


def equivariance(costs: pd.DataFrame) -> str:
    """State the largest equivariance error, and whether float32 rounding explains it."""
    known = costs.dropna(subset=["equivariance_error"])
    if known.empty:
        return "No equivariance error was measured."
    worst = known.sort_values("equivariance_error").iloc[-1]
    verdict = "rounding only" if worst["equivariance_error"] <= 1e-5 else "more than rounding"
    return (
        f"The worst relative error of {plural(len(known), 'case')} is {exponential(worst['equivariance_error'])} "
        f"({worst['variant']}, |H| = {worst['resolution']:.0f}): {verdict}."
    )


def undecided(words: pd.Series) -> str:
    """Say how many comparisons could not be decided."""
    said = words[words != ""]
    if said.empty:
        return "No comparison was judged: no layer was timed twice, or only one kind of layer was measured."
    open_ = int((said == "ambiguous").sum())
    of = plural(len(said), "comparison")
    return f"{open_} of {of} could not be decided: their intervals reach across the noise floor."
