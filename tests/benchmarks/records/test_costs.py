"""The MACs of a pass are the sum of its parts, or unknown if one of them is."""

from typing import Any

import pytest

from benchmarks.records.costs import macs_of_pass, pass_macs, why_no_macs

MACS = {"convolution": 5, "kernel_generation": 3, "backward": 7}


@pytest.mark.parametrize(
    ("generated", "backward", "total"), [(False, False, 5), (True, False, 8), (False, True, 12), (True, True, 15)]
)
def test_the_macs_of_a_pass_are_those_of_its_parts(generated: bool, backward: bool, total: int) -> None:
    assert pass_macs(MACS, generated=generated, backward=backward) == total


@pytest.mark.parametrize("part", MACS)
@pytest.mark.parametrize("how", ["null", "absent"])
def test_a_pass_with_an_uncounted_part_has_no_macs(part: str, how: str) -> None:
    macs: dict[str, Any] = {**MACS, part: None} if how == "null" else {k: v for k, v in MACS.items() if k != part}
    assert pass_macs(macs, generated=True, backward=True) is None
    assert (pass_macs(macs, generated=False, backward=False) is None) == (part == "convolution")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"macs": {**MACS, "convolution": None, "not_counted": "aten::_fft_r2c × 2"}}, "aten::_fft_r2c × 2"),
        ({"macs": {**MACS, "convolution": 0, "unsupported": {"aten::tensordot": 1}}}, "aten::tensordot"),
        ({"missing": {"macs": "RuntimeError: it broke"}}, "RuntimeError: it broke"),
        ({}, "the record does not say why"),
    ],
)
def test_a_record_says_why_macs_were_not_counted(record: dict[str, Any], reason: str) -> None:
    assert macs_of_pass(record) is None
    assert why_no_macs(record) == f"not counted: {reason}"
    assert why_no_macs({"case": {"direction": "forward"}, "macs": MACS}) is None
