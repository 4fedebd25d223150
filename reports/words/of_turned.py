"""Sentences about turned images: where networks lose equivariance, and how accuracy depends on the angle."""

import pandas as pd

from benchmarks.statistics.written import listing
from reports.frames.selection import NETWORK
from reports.words.names import network_names
from reports.words.numbers import percent, spans


def map_errors(rows: pd.DataFrame) -> str:
    """Say how large the error of each network is at its last map, and at which map it grows most: medians."""
    if rows.empty:
        return "No error of the maps of trained networks was measured."
    medians = rows.groupby([*NETWORK, "place", "map"], dropna=False)["error"].median().reset_index()
    networks = medians.drop_duplicates(NETWORK)[NETWORK].reset_index(drop=True)
    parts = []
    for i, name in network_names(networks).items():
        mine = medians.merge(networks.loc[[i]], on=NETWORK).sort_values("place")
        steps = mine["error"].diff().fillna(mine["error"])
        most = mine["map"].iloc[int(steps.argmax())]
        parts.append(f"{percent(mine['error'].iloc[-1])} for {name} (the largest step is at {most})")
    n = spans(rows.drop_duplicates([*NETWORK, "seed"]).groupby(NETWORK, dropna=False).size(), "seed")
    return (
        "Under the elements of H that interpolate pixels, the last map of trained networks is off by "
        f"{listing(parts)}; medians over n = {n}."
    )


def by_angle(rows: pd.DataFrame) -> str:
    """Say how accurate each network is on upright images and at its worst angle: means over seeds."""
    if rows.empty:
        return "No trained network was tested by angle."
    means = rows.groupby([*NETWORK, "angle"], dropna=False)["accuracy"].mean().reset_index()
    networks = means.drop_duplicates(NETWORK)[NETWORK].reset_index(drop=True)
    parts = []
    for i, name in network_names(networks).items():
        mine = means.merge(networks.loc[[i]], on=NETWORK)
        worst = mine.iloc[int(mine["accuracy"].argmin())]
        upright = mine.iloc[int(mine["angle"].argmin())]
        at = f"{percent(worst['accuracy'])} at {worst['angle']:.0f}°"
        parts.append(f"{name} reaches {percent(upright['accuracy'])} at {upright['angle']:.0f}° and {at}")
    n = spans(rows.drop_duplicates([*NETWORK, "seed"]).groupby(NETWORK, dropna=False).size(), "seed")
    return f"On turned test images, upright and at the worst angle: {'; '.join(parts)} (n = {n})."
