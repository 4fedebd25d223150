"""How long a module takes until its first answer: to construct it, and to call it for the first time."""

import pandas as pd

from reports.frames.selection import at_base


def first_answers(costs: pd.DataFrame) -> pd.DataFrame:
    """Return the layers at the base point, and of each variant of a network and each pass the case that takes longest.

    The rows have the columns of `with_answers`.
    """
    costs = with_answers(costs)
    networks = costs[costs["layer"] != "conv"].sort_values("answer_seconds", ascending=False, kind="stable")
    longest = networks.drop_duplicates(["layer", "variant", "direction"])  # NaN comes last
    return pd.concat([at_base(costs), longest.sort_index()])


def with_answers(costs: pd.DataFrame) -> pd.DataFrame:
    """Add `answer_seconds`, the sum of construction and first call; NaN where the record has neither."""
    return costs.assign(answer_seconds=costs["construction_seconds"] + costs["first_call_seconds"])
