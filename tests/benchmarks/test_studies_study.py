"""What a study compares."""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.cases import InvalidCase
from benchmarks.studies.study import STUDIES, Contender, contenders

DIGITS = STUDIES["rotated-digits"]["standard"]


def test_every_h_has_the_four_contenders_of_the_paper_and_the_plain_one_is_there_once() -> None:
    labels = [contender.label for contender in contenders((4, 8))]
    assert labels == [
        "plain",
        "full SE(2) |H|=4",
        "separable SE(2) |H|=4",
        "dseparable SE(2) |H|=4",
        "separable Sim(2) |H|=4",
        "full SE(2) |H|=8",
        "separable SE(2) |H|=8",
        "dseparable SE(2) |H|=8",
        "separable Sim(2) |H|=8",
    ]


def test_sim2_has_two_scales_where_there_is_room() -> None:
    sim2 = [contender for contender in contenders((1, 4)) if contender.group == "SO2xRPlus"]
    assert [(contender.resolution, contender.scales) for contender in sim2] == [(1, 1), (4, 2)]


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("scale", ["quick", "standard", "paper"])
def test_every_study_can_run_all_its_contenders(name: str, scale: str) -> None:
    study = STUDIES[name][scale]
    runs = [study.run(contender, 3, seed=1) for contender in study.contenders]
    assert len({run.id for run in runs}) == len(runs)
    assert {run.budget for run in runs} == {study.epochs}


def test_the_standard_study_is_the_one_that_the_issue_asks_for() -> None:
    assert DIGITS.resolutions == (1, 4, 8, 16)
    assert DIGITS.seeds == 5
    assert DIGITS.matches == ("parameters", "time")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seeds": 0}, "seeds 0"),
        ({"matches": ("weight",)}, "unknown match 'weight'; allowed: parameters, macs, time, memory"),
        ({"matches": ()}, "a budget to match by"),
        ({"resolutions": (4,)}, "is no contender"),
        ({"seeds": 101}, "search seeds"),
        ({"reference": Contender("full", "SO2", 3)}, "is no contender"),
        ({"image_size": 3}, "too small"),
    ],
)
def test_a_study_that_cannot_be_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCase, match=message):
        replace(DIGITS, **wrong)


def test_an_id_depends_on_what_is_compared() -> None:
    assert replace(DIGITS, epochs=13).id != DIGITS.id == replace(DIGITS).id
