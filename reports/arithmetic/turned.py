"""What trained networks do with turned images: the error of every map, and accuracy by angle, a row for each value."""

import pandas as pd

from reports.frames.selection import NETWORK


def map_errors(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the error of each map of each run: network, `seed`, `map`, `place` (of the map, from 0) and `error`."""
    rows = [
        {**{name: run[name] for name in (*NETWORK, "seed")}, "map": layer, "place": place, "error": error}
        for run in runs.to_dict("records")
        for place, (layer, error) in enumerate(run["layer_errors"])
    ]
    return pd.DataFrame(rows, columns=[*NETWORK, "seed", "map", "place", "error"])


def by_angle(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the accuracy by angle of each run: network, `seed`, `angle` (°), `accuracy`, `change` of the logits."""
    rows = [
        {**{name: run[name] for name in (*NETWORK, "seed")}, "angle": angle, "accuracy": accuracy, "change": change}
        for run in runs.to_dict("records")
        for angle, accuracy, change in run["by_angle"]
    ]
    return pd.DataFrame(rows, columns=[*NETWORK, "seed", "angle", "accuracy", "change"])
