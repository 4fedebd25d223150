"""Names of networks."""

import pandas as pd

from reports.words import names


def test_names_of_networks_are_as_short_as_they_can_be():
    rows = pd.DataFrame(
        [("plain", "trivial", 1, 8), ("full", "SO2", 4, 8), ("full", "O2", 8, 8)],
        columns=["variant", "group", "resolution", "channels"],
    )
    assert list(names.network_names(rows).values()) == ["plain", "full SO(2) |H| = 4", "full O(2) |H| = 8"]
    assert list(names.network_names(rows.iloc[:2]).values()) == ["plain", "full |H| = 4"]
    wide = rows.iloc[:2].assign(channels=[20, 8])
    assert list(names.network_names(wide).values()) == ["plain, C = 20", "full |H| = 4, C = 8"]
