"""How long a module takes until its first answer: to construct it, and to call it for the first time."""

import pandas as pd

from reports.frames.selection import PASSES, at, at_base, base_point


def first_answers(costs: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Return the layers at the base point, and of each kind of network and each pass the case that takes longest.

    Each user's layer and network is a kind of its own. The rows have the columns of `with_answers`.

    Args:
        costs: our layers, and all networks.
        own: users' layers.
    """
    costs, own = with_answers(costs), with_answers(own)
    layers = costs[(costs["layer"] == "conv") & costs["direction"].isin(PASSES)]
    of_users = at(own, base_point(layers if len(layers) else own)).drop_duplicates(["implementation", "direction"])
    networks = costs[costs["layer"] != "conv"].sort_values("answer_seconds", ascending=False, kind="stable")
    longest = networks.drop_duplicates(["layer", "implementation", "variant", "direction"])  # NaN comes last
    return pd.concat([at_base(costs), of_users, longest.sort_index()])


def with_answers(costs: pd.DataFrame) -> pd.DataFrame:
    """Add `answer_seconds`, the sum of construction and first call; NaN where the record has neither."""
    return costs.assign(answer_seconds=costs["construction_seconds"] + costs["first_call_seconds"])
