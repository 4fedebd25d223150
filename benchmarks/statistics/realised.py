"""The share of a saving of MACs that shows up as a saving of time, on a logarithmic scale."""

import math

DEFINITION = "log(time ratio) / log(MAC ratio)"


def realised_saving(time_ratio: float, mac_ratio: float) -> float:
    """Return log(time ratio) / log(MAC ratio): 1 where time falls as much as MACs, 0 where it does not fall.

    The plain quotient of both ratios would credit 5 % to a layer of 20 times fewer MACs that saves no time at all.

    Args:
        time_ratio: how many times less time is taken.
        mac_ratio: how many times fewer MACs are needed.

    Returns:
        The share; below 0 where time grows. NaN where no MACs are saved, or where a ratio is unknown or not positive.
    """
    if not (time_ratio > 0 and mac_ratio > 1 and math.isfinite(time_ratio) and math.isfinite(mac_ratio)):
        return math.nan
    return math.log(time_ratio) / math.log(mac_ratio)
