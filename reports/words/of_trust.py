"""Sentences about how far the numbers can be trusted: noise, equivariance, and what could not be decided."""

import re
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import pandas as pd

from benchmarks.statistics.comparison import ENOUGH_TWINS, FLOOR_ERROR_RATE
from benchmarks.statistics.noise import OVERSUBSCRIBED, OWN_LOAD, TOO_FEW_SAMPLES
from benchmarks.statistics.written import listing, plural
from reports.arithmetic.layers import kinds, noise_floors, twin_differences
from reports.frames.columns import OURS
from reports.words.names import group_name, modules, place
from reports.words.numbers import exponential, percent

TOLERANCE = 1e-5  # what float32 rounding allows


def noise(costs: pd.DataFrame, twins: pd.DataFrame) -> str:
    """State the minimum detectable effect of each kind of measurement, and how many of the records are noisy."""
    if twins.empty:
        return "No layer was timed twice, so the noise floor of these results is not known."
    parts, few = [], False
    for kind, floor in noise_floors(twins).items():
        rows = twins[kinds(twins) == kind]
        beyond = int((twin_differences(rows)["change"].abs() > floor).sum())
        parts.append(
            f"{percent(floor)} {where_timed(rows.iloc[0])} ({modules(rows)}; {beyond} of "
            f"{plural(len(rows), 'A/A pair')} {'differs' if beyond == 1 else 'differ'} by more)"
        )
        few |= len(rows) < ENOUGH_TWINS
    largest = f" Fewer than {ENOUGH_TWINS} pairs give the largest of these." if few and len(parts) > 1 else ""
    return (
        f"The minimum detectable effect is {listing(parts)}: the same code, timed twice, should differ by more in "
        f"{1000 * FLOOR_ERROR_RATE:g} of 1000 cases.{largest} {typical_interval(costs)}{called_noisy(costs)}"
    ).strip()


def typical_interval(costs: pd.DataFrame) -> str:
    """Say how wide the interval of one time is, as a rule; an empty text where no time has one."""
    half = ((costs["ci_high"] - costs["ci_low"]) / (2 * costs["seconds"])).dropna()
    if half.empty:
        return ""
    return (
        f"A single time is less certain: half of its 95 % interval is {percent(half.median())} of it, the median of "
        f"{plural(len(half), 'cost record')}. "
    )


def where_timed(row: Mapping[Any, Any] | pd.Series) -> str:
    """Return where a pass ran, with its preposition: `on 2 threads`, `on the GPU`."""
    return f"{'on ' if row['device'] == 'cpu' else ''}{place(row)}"


def called_noisy(costs: pd.DataFrame) -> str:
    """Count the records that are called noisy, by their reasons; an empty text where no record was judged."""
    judged = costs[costs["noise"] != ""]
    if judged.empty:
        return ""
    noisy = judged[judged["noise"] == "noisy"]
    machine = noisy["findings"].map(of_the_machine).astype(bool)
    scarce = noisy[~machine]
    crowded = int(noisy["findings"].map(lambda findings: OVERSUBSCRIBED in {kind for kind, _, _ in findings}).sum())
    count = "all " if 1 < machine.sum() == len(noisy) else f"{machine.sum()} " * (len(noisy) > 1)
    reasons = [f"{count}because of the machine"] if machine.any() else []
    if crowded:
        of_these = "" if machine.sum() == 1 else f"of these {crowded} "
        reasons[0] += (
            f" ({of_these}oversubscribed: a load average of more than the number of cores + {OWN_LOAD:g}, or "
            "other work on the same hardware)"
        )
    if len(scarce):
        timed = [f"{modules(rows)} {where_timed(rows.iloc[0])}" for _, rows in scarce.groupby(kinds(scarce))]
        reasons.append(f"{f'{len(scarce)} ' * (len(noisy) > 1)}for too few samples alone ({listing(timed)})")
    why = f": {' and '.join(reasons)}" if reasons else ""
    if len(judged) == 1:
        return f"The only cost record is{'' if len(noisy) else ' not'} called noisy{why}."
    return f"{len(noisy)} of {len(judged)} cost records {'is' if len(noisy) == 1 else 'are'} called noisy{why}."


def of_the_machine(findings: Iterable[tuple[str, str, str]]) -> bool:
    """Tell whether a record is noisy for another reason than the time that its profile gave it."""
    return any(kind != TOO_FEW_SAMPLES for kind, _, _ in findings)


def equivariance(costs: pd.DataFrame, trained: pd.DataFrame, own: pd.DataFrame) -> str:
    """State the largest equivariance errors, and whether float32 rounding explains them.

    Args:
        costs: cases with the error under those elements of their own H that permute pixels.
        trained: the last epochs of trained networks, which validation need not have chosen, with the error under
            quarter turns, whatever their H.
        own: users' layers, with the error under the same elements as `costs`.
    """
    parts = []
    known = costs.dropna(subset=["equivariance_error"])
    if len(known):
        worst = known.sort_values("equivariance_error").iloc[-1]
        parts.append(
            f"Under the elements of H that permute pixels, the worst relative error of {plural(len(known), 'case')} "
            f"({modules(known)}, forward, {where_timed(known.iloc[0])}) is "
            f"{exponential(worst['equivariance_error'])} ({worst['variant']}, |H| = {worst['resolution']:.0f}): "
            f"{_verdict(worst['equivariance_error'])}."
        )
    errors = own.dropna(subset=["equivariance_error"]).groupby("implementation")["equivariance_error"].max()
    if len(errors):
        texts = [f"{exponential(error)} for {name} ({_verdict(error)})" for name, error in errors.items()]
        parts.append(f"Under these elements, the worst relative error of users’ layers is {listing(texts)}.")
    after = trained.dropna(subset=["equivariance_error"])
    several = after.loc[~after["variant"].isin(["plain", "custom"]), "group"].nunique() > 1
    exact = after["equivariance_error"] <= TOLERANCE
    texts = [
        f"up to {exponential(rows['equivariance_error'].max())} for {_networks(rows, several)}"
        for rows in (after[exact], after[~exact])
        if len(rows)
    ]
    if texts:
        of = plural(len(after), "training run")
        parts.append(
            f"When images turn by quarter turns, the logits of {of}, at the last epoch, change by {listing(texts)}."
        )
    return " ".join(parts) or "No equivariance error was measured."


def _verdict(error: float) -> str:
    return "rounding only" if error <= TOLERANCE else "more than rounding"


def _networks(rows: pd.DataFrame, several_groups: bool) -> str:
    """Name plain networks, the resolutions of the others, with the group if there are several, and users' networks."""
    others = rows.loc[~rows["variant"].isin(["plain", "custom"]), ["group", "resolution"]].drop_duplicates()
    names = ["plain"] if (rows["variant"] == "plain").any() else []
    for group, resolution in sorted(others.itertuples(index=False)):
        names.append(f"{group_name(group)} " * several_groups + f"|H| = {resolution:.0f}")
    return listing([*names, *sorted(set(rows.loc[rows["variant"] == "custom", "network"]))])


def undecided(words: pd.Series) -> str:
    """Say how many comparisons could not be decided, or why none was judged.

    Args:
        words: of every pair that the page compares; all are empty where no layer was timed twice.
    """
    said = words[words != ""]
    if words.empty:
        return (
            "No comparison was judged: no setting has both full and separable, or both a layer of ours and one of "
            "another library or of a user."
        )
    if said.empty:
        return "No comparison was judged: no layer was timed twice, so the noise floor is not known."
    open_, of = int((said == "ambiguous").sum()), f"{plural(len(said), 'comparison')} of times"
    if not open_:
        return f"Each of {of} was decided: faster, slower, or the same."
    return f"{open_} of {of} could not be decided by the rule in “Method and limits”."


# What Python raises for a mistake in the code that runs, and not for what the code was given.
_FAULT = re.compile(r"(TypeError|AttributeError|NameError|UnboundLocalError|KeyError|IndexError|AssertionError)\b")


def why_missing(reason: str, record: Mapping[Hashable, Any]) -> str:
    """Return a reason in words: a crash in our own code is a fault of the suite, and no property of the layer."""
    found = _FAULT.match(reason)
    if not found or record.get("implementation", OURS) != OURS or record.get("variant") == "custom":
        return reason
    return f"failed at commit {record['commit'][:10] or 'unknown'} by a fault of the suite itself ({found[0]})"
