"""Sentences about how far the numbers can be trusted: noise, equivariance, and what could not be decided."""

from collections.abc import Iterable

import pandas as pd

from benchmarks.statistics.comparison import FLOOR_ERROR_RATE
from benchmarks.statistics.noise import TOO_FEW_SAMPLES
from benchmarks.statistics.written import listing
from reports.arithmetic.layers import noise_floor, twin_differences
from reports.words.names import group_name
from reports.words.numbers import exponential, percent, plural

TOLERANCE = 1e-5  # what float32 rounding allows


def noise(costs: pd.DataFrame, twins: pd.DataFrame) -> str:
    """State the minimum detectable effect of a set of results, and how many of its records are noisy."""
    judged = costs[costs["noise"] != ""]
    noisy = judged[judged["noise"] == "noisy"]
    machine = int(noisy["findings"].map(of_the_machine).sum())
    called = (
        f"{len(noisy)} of {plural(len(judged), 'record')} are called noisy, {machine} of them because of the machine "
        f"and {len(noisy) - machine} for too few samples alone."
    )
    if twins.empty:
        return "No layer was timed twice, so the noise floor of these results is not known."
    floor = noise_floor(twins)
    beyond = int((twin_differences(twins)["change"].abs() > floor).sum())
    return (
        f"The minimum detectable effect is {percent(floor)}: the same code, timed twice, should differ by more in "
        f"{1000 * FLOOR_ERROR_RATE:g} of 1000 cases; here {beyond} of {plural(len(twins), 'A/A pair')} did. "
        f"{called if len(judged) else ''}"
    ).strip()


def of_the_machine(findings: Iterable[tuple[str, str, str]]) -> bool:
    """Tell whether a record is noisy for another reason than the time that its profile gave it."""
    return any(kind != TOO_FEW_SAMPLES for kind, _, _ in findings)


def equivariance(costs: pd.DataFrame, trained: pd.DataFrame) -> str:
    """State the largest equivariance errors, and whether float32 rounding explains them.

    Args:
        costs: cases with the error under those elements of their own H that permute pixels.
        trained: the last epochs of trained networks, with the error under quarter turns, whatever their H.
    """
    parts = []
    known = costs.dropna(subset=["equivariance_error"])
    if len(known):
        worst = known.sort_values("equivariance_error").iloc[-1]
        verdict = "rounding only" if worst["equivariance_error"] <= TOLERANCE else "more than rounding"
        parts.append(
            f"Under the elements of H that permute pixels, the worst relative error of {plural(len(known), 'case')} is "
            f"{exponential(worst['equivariance_error'])} ({worst['variant']}, |H| = {worst['resolution']:.0f}): "
            f"{verdict}."
        )
    after = trained.dropna(subset=["equivariance_error"])
    exact = after[after["equivariance_error"] <= TOLERANCE]
    several = after.loc[after["variant"] != "plain", "group"].nunique() > 1
    texts = [
        f"up to {exponential(rows['equivariance_error'].max())} for {_networks(rows, several)}"
        for rows in (exact, after.drop(exact.index))
        if len(rows)
    ]
    if texts:
        of = plural(len(after), "training run")
        parts.append(f"When images turn by quarter turns, the logits of {of} change by {listing(texts)}.")
    return " ".join(parts) or "No equivariance error was measured."


def _networks(rows: pd.DataFrame, several_groups: bool) -> str:
    """Name plain networks, and the resolutions of the others, with the group if there are several: `|H| = 2`."""
    others = rows.loc[rows["variant"] != "plain", ["group", "resolution"]].drop_duplicates()
    names = ["plain"] if (rows["variant"] == "plain").any() else []
    for group, resolution in sorted(others.itertuples(index=False)):
        names.append(f"{group_name(group)} " * several_groups + f"|H| = {resolution:.0f}")
    return listing(names)


def undecided(words: pd.Series) -> str:
    """Say how many comparisons could not be decided."""
    said = words[words != ""]
    if said.empty:
        return "No comparison was judged: no layer was timed twice, or only one kind of layer was measured."
    open_ = int((said == "ambiguous").sum())
    of = plural(len(said), "comparison")
    return f"{open_} of {of} of times could not be decided: their intervals reach across the noise floor."
