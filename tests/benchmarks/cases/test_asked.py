"""What a user asks for is measured, or refused with what exists; nothing is left out in silence."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.cases.asked import LeftOut
from benchmarks.cases.case import InvalidCase
from benchmarks.cases.profiles import own_layer_cases, profile_cases
from benchmarks.training.profiles import profile_runs

REFUSED = [
    (
        "--group SO2xRPlus --resolution 8 --scales 3",
        "scales 3 does not go with group 'SO2xRPlus' of resolution 8; allowed: 1, 2, 4, 8",
    ),
    (
        "--group O2 --resolution 7",
        "resolution 7 does not go with group 'O2'; allowed: even integers (rotations × 2), the nearest are 6 and 8",
    ),
    ("--group O2 --resolution 1", "the nearest are 2"),
    ("--group SO2 O2 --resolution 7", "no case is left for group 'O2': resolution 7 does not go with group 'O2'"),
    (
        "--group SO2 --scales 2",
        "no case is left for scales 2: the other values do not go with it; allowed with them: 1",
    ),
    ("--group RPlus --resolution 4 --scales 2", "no case is left for scales 2: "),
    (
        "--group SO2 --variant plain separable2d",
        "group 'SO2' does not go with variant 'separable2d'; allowed: SO2xRPlus",
    ),
    ("--variant plain --resolution 8", "no case is left for resolution 8: "),
    ("--variant plain --group SO2", "no case is left for group 'SO2': "),
]
# Refused by the commands of cases; training has no such option.
OF_CASES = [
    ("--layer conv resnet --image-size 5", "no case is left for layer 'resnet': image_size 5 is too small"),
    ("--layer resnet --variant full lifting", "no case is left for variant 'lifting'"),
    ("--dtype float32 tf32 --device cpu", "no case is left for dtype 'tf32': device 'cpu' does not go with dtype"),
    ("--device cpu cuda --execution graphed", "no case is left for device 'cpu': "),
    ("--layer mine:Layer --variant plain", "no case is left for layer 'mine:Layer'; allowed: "),
]


@pytest.mark.parametrize(
    "command", ["list", "plan", "sweep", "compare HEAD .", "train", "peers", "answer realised-speedup"]
)
@pytest.mark.parametrize(("options", "message"), [*REFUSED[:4], REFUSED[5]])
def test_every_command_refuses_a_value_of_a_group_that_nothing_has(
    command: str, options: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    if command == "peers" and "--scales" in options:
        pytest.skip("peers have no scales to choose")
    assert main([*command.split(), *options.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())  # refused before anything is measured


@pytest.mark.parametrize(("options", "message"), [*REFUSED, *OF_CASES])
def test_a_value_that_no_case_has_is_refused(options: str, message: str, capsys: Any) -> None:
    assert main(["list", *options.split()]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "values",
    [
        {"group": ("SO2", "O2"), "resolution": (4, 8)},
        {"group": ("SO2", "SO2xRPlus"), "scales": (2,), "resolution": (4, 8)},
        {"group": ("trivial", "SO2"), "resolution": (1, 4)},
        {"variant": ("plain",)},
        {"variant": ("plain", "full"), "kernels": ("generated",)},
        {"layer": ("conv", "resnet"), "variant": ("lifting", "full")},
    ],
)
def test_values_that_some_cases_have_are_measured_without_a_word(values: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cases = profile_cases("quick", **values)
    for axis, asked in values.items():
        assert {getattr(case, axis) for case in cases} >= set(asked)


def test_groups_and_sizes_that_do_not_go_together_are_named_and_the_others_measured() -> None:
    with pytest.warns(LeftOut, match="left out: resolution 7 does not go with group 'O2'"):
        cases = profile_cases("quick", group=("SO2", "O2"), resolution=(7, 8), layer=("conv",))
    assert {(case.group, case.resolution) for case in cases} >= {("SO2", 7), ("SO2", 8), ("O2", 8)}
    with pytest.warns(LeftOut, match="left out: resolution 7 does not go with group 'O2'"):
        profile_runs("quick", groups=["SO2", "O2"], resolutions=[7, 8], seeds=1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"groups": ["O2"], "resolutions": [7]}, "no case is left for group 'O2': resolution 7 does not go with"),
        ({"groups": ["SO2xRPlus"], "resolutions": [8], "scales": 3}, "scales 3 does not go with group 'SO2xRPlus'"),
        ({"scales": 2}, "no case is left for scales 2: "),
        ({"variants": ["plain"], "resolutions": [4]}, "no case is left for resolution 4: "),
    ],
)
def test_runs_of_values_that_nothing_has_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCase) as error:
        profile_runs("quick", **values)
    assert message in str(error.value)


def test_a_users_layer_without_a_case_is_refused() -> None:
    with pytest.raises(InvalidCase, match="no case is left for layer 'mine:Layer'"):
        own_layer_cases(profile_cases("quick", variant=("plain",)), "mine:Layer")


def test_devices_that_nobody_asked_for_may_have_no_case() -> None:
    cases = profile_cases("standard", devices=("cpu", "cuda"), execution=("graphed",))
    assert {case.device for case in cases} == {"cuda"}
