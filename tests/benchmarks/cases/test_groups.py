"""A group has one size, |H|, under all of its names, and its label says what the elements are made of."""

import re
from math import prod

import pytest

import gcnn_impl
from benchmarks.cases.case import Case, InvalidCase
from benchmarks.cases.groups import GROUPS, SUBGROUPS, group_label, group_named
from benchmarks.cases.training_run import TrainingRun
from benchmarks.training.profiles import profile_runs
from benchmarks.workloads.shapes import group_of

NAMES = {
    "SO2": ("SO(2)", "SO2", "so(2)", "SE(2)", "SE2", "se(2)", "R2xSO(2)", "R² ⋊ SO(2)", "R^2 x SO(2)"),
    "O2": ("O(2)", "o2", "E(2)", "E2", "R²⋊O(2)"),
    "RPlus": ("R+", "R⁺", "R^+", "rplus", "R2xR+", "R² ⋊ R⁺", "R2 x RPlus"),
    "SO2xRPlus": ("Sim(2)", "SIM2", "sim(2)", "SO(2)xR+", "SO(2) × R⁺", "so2xrplus", "R² ⋊ (SO(2) × R⁺)"),
    "trivial": ("trivial", "{e}", "R²", "R2", "Trivial"),
}


@pytest.mark.parametrize(("group", "name"), [(group, name) for group, names in NAMES.items() for name in names])
def test_a_group_has_its_usual_names(group: str, name: str) -> None:
    assert group_named(name) == group
    assert group_named(SUBGROUPS[group].full_group) == group


@pytest.mark.parametrize("name", ["SO(3)", "SE(3)", "O2(8)", "", "GL(2)", "C8"])
def test_another_name_stays_as_it_is(name: str) -> None:
    assert group_named(name) == name


def test_a_case_and_a_run_are_the_same_under_every_name_of_the_group() -> None:
    assert Case(group="Sim(2)", scales=2) == Case(group="SO2xRPlus", scales=2)
    assert Case(group="SE(2)").id == Case(group="SO2").id
    assert TrainingRun(group="E(2)").id == TrainingRun(group="O2").id
    assert profile_runs("quick", groups=["SE(2)"]) == profile_runs("quick", groups=["SO2"])


@pytest.mark.parametrize(
    ("wrong", "meant"), [("Sim(3)", "SO2xRPlus"), ("S02", "SO2"), ("R+plus", "RPlus"), ("xyz", None)]
)
def test_an_unknown_group_is_refused_with_the_name_that_was_meant(wrong: str, meant: str | None) -> None:
    with pytest.raises(InvalidCase) as error:
        Case(group=wrong)
    assert str(error.value).endswith("allowed: trivial, SO2, O2, RPlus, SO2xRPlus")
    assert (f"did you mean {meant}?" in str(error.value)) == (meant is not None)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("resolution", [2, 4, 8])
def test_the_resolution_is_the_number_of_elements_everywhere(group: str, resolution: int) -> None:
    scales = SUBGROUPS[group].allowed_scales(resolution)[-1]
    built = group_of(Case(group=group, resolution=resolution, scales=scales))
    assert built is not None
    assert built.resolution == len(built.elements()) == resolution
    label = group_label(group, resolution, scales)
    assert prod(map(int, re.findall(r"\d+", label.partition("(")[2]))) == resolution


def test_a_name_with_a_number_means_the_same_in_python_and_in_a_label() -> None:
    assert gcnn_impl.O2(8).resolution == 16
    assert group_label("O2", 16, 1) == "O2(8×2)"
    assert (gcnn_impl.SO2(8).resolution, group_label("SO2", 8, 1)) == (8, "SO2(8)")
    assert (gcnn_impl.SO2xRPlus(4, 2).resolution, group_label("SO2xRPlus", 8, 2)) == (8, "SO2xRPlus(4×2)")
