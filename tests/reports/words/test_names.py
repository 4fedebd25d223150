"""Names of networks."""

import pandas as pd

from reports.figures.choice import short_names
from reports.words import names


def test_names_of_networks_are_as_short_as_they_can_be():
    rows = pd.DataFrame(
        [("plain", "trivial", 1, 8), ("full", "SO2", 4, 8), ("full", "O2", 8, 8)],
        columns=["variant", "group", "resolution", "channels"],
    ).assign(network="resnet", augmentation="none")
    assert list(names.network_names(rows).values()) == ["plain", "full SO(2) |H| = 4", "full O(2) |H| = 8"]
    assert list(names.network_names(rows.iloc[:2]).values()) == ["plain", "full |H| = 4"]
    wide = rows.iloc[:2].assign(channels=[20, 8])
    assert list(names.network_names(wide).values()) == ["plain, C = 20", "full |H| = 4, C = 8"]
    trained = rows.iloc[:2].assign(augmentation=["rotations", "none"])
    assert list(names.network_names(trained).values()) == ["plain + rotations", "full |H| = 4"]
    own = pd.concat([rows.iloc[:2], rows.iloc[:1].assign(variant="custom", network="mine:net")], ignore_index=True)
    assert list(names.network_names(own).values()) == ["plain", "full |H| = 4", "mine:net"]
    two = rows.iloc[:2].assign(network=["resnet", "allcnnc"])
    assert list(names.network_names(two).values()) == ["resnet plain", "allcnnc full |H| = 4"]


def test_a_users_network_has_no_width_unless_it_was_trained_with_several():
    """Its records have a width whether or not its function takes one."""
    rows = pd.DataFrame(
        [
            ("plain", "trivial", 1, 8, "resnet"),
            ("separable", "SO2", 8, 5, "resnet"),
            ("custom", "trivial", 1, 8, "mine:fixed"),
            ("custom", "trivial", 1, 4, "mine:sized"),
            ("custom", "trivial", 1, 6, "mine:sized"),
        ],
        columns=["variant", "group", "resolution", "channels", "network"],
    ).assign(augmentation="none")
    own = ["mine:fixed", "mine:sized, C = 4", "mine:sized, C = 6"]
    assert list(names.network_names(rows).values()) == ["plain, C = 8", "separable |H| = 8, C = 5", *own]
    assert list(names.network_names(rows.iloc[2:4]).values()) == ["mine:fixed", "mine:sized"]
    assert short_names(rows) == ["", "", "fixed", "sized C = 4", "sized C = 6"]


def test_settings_that_are_not_the_usual_ones_are_named_known_or_not():
    def setting(dtype, execution):
        return names.setting({"dtype": dtype, "execution": execution})

    assert setting("float32", "eager") == ""
    assert [setting("tf32", "eager"), setting("float32", "graphed")] == ["tf32", "graphed"]
    assert setting("bfloat16", "an execution of the future") == "bfloat16, an execution of the future"


def test_devices_are_named_even_if_their_names_are_not_known():
    row = {"device": "cpu", "cpu": "Made-up CPU", "gpu": "", "threads": 2}
    assert (names.device_name(row), names.place(row)) == ("Made-up CPU", "2 threads")
    on_gpu = row | {"device": "cuda", "gpu": "Made-up GPU"}
    assert (names.device_name(on_gpu), names.place(on_gpu)) == ("Made-up GPU", "on the GPU")
    unknown = {"cpu": "", "gpu": ""}
    assert names.device_name(row | unknown) == "an unknown processor"
    assert names.device_name(on_gpu | unknown) == "an unknown GPU"
