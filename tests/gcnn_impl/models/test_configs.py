"""Configs refuse values from which no network can be built."""

import pytest

from gcnn_impl import SO2, AllCNNCConfig, GroupAllCNNCConfig, GroupResNetConfig, PlainResNetConfig


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "seperable"}, "unknown variant 'seperable'; allowed: full, separable"),
        ({"widths": (8,)}, "two or more positive channel counts"),
        ({"widths": (8, 0)}, "two or more positive channel counts"),
    ],
)
def test_bad_configs_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        GroupResNetConfig(group=SO2(4), **arguments)
    if "widths" in arguments:
        with pytest.raises(ValueError, match=message):
            PlainResNetConfig(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "seperable"}, "unknown variant 'seperable'; allowed: full, separable"),
        ({"widths": (8, 8, 8)}, "two positive channel counts, not"),
        ({"widths": (8, 0)}, "two positive channel counts, not"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), not 1.0"),
        ({"first_dropout": -0.1}, r"first_dropout must be in \[0, 1\), not -0.1"),
    ],
)
def test_bad_all_cnn_c_configs_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        GroupAllCNNCConfig(group=SO2(4), **arguments)
    if "variant" not in arguments:
        with pytest.raises(ValueError, match=message):
            AllCNNCConfig(**arguments)


def test_a_bad_channel_dropout_is_refused():
    with pytest.raises(ValueError, match=r"channel_dropout must be in \[0, 1\), not 2"):
        PlainResNetConfig(channel_dropout=2)
