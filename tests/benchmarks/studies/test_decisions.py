"""Decisions that are kept: a study that is resumed does not choose other widths."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.studies.decisions import Width, decisions_path, load_decisions, save_decisions
from benchmarks.studies.study import Contender
from tests.benchmarks.studies.made_up_study import STUDY, plan_of

PLAN = plan_of(lambda contender: 0.01 * contender.resolution)
PLAIN, FULL8 = Contender("plain"), Contender("full", "SO2", 8)


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = decisions_path(tmp_path, "digits", STUDY)
    assert load_decisions(path, STUDY) is None
    save_decisions(PLAN, path)
    assert load_decisions(path, STUDY) == PLAN
    save_decisions(replace(PLAN, rates={}), path)
    assert load_decisions(path, STUDY) == replace(PLAN, rates={})


def test_another_study_has_another_plan(tmp_path: Path) -> None:
    assert decisions_path(tmp_path, "digits", STUDY) != decisions_path(tmp_path, "digits", replace(STUDY, epochs=4))


def test_a_file_that_is_no_plan_is_named(tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    path.write_text('{"images": {}}')
    with pytest.raises(ValueError, match=r"study.json holds no decisions of a study \('widths'\); remove it"):
        load_decisions(path, STUDY)


def test_runs_say_by_what_they_are_matched_and_come_seed_by_seed() -> None:
    runs = PLAN.all_runs()
    assert len(runs) == len({run.id for run in runs}) == 2 * 13 * 5
    assert [run.seed for run in runs[: 2 * 13]] == [0] * 26
    assert {run.matched for run in runs} == {"parameters", "time"}
    assert PLAN.runs("time", FULL8)[3].seed == 3


def test_networks_that_two_matches_ask_for_are_timed_once() -> None:
    assert len(PLAN.networks) == len(STUDY.contenders)
    wider = replace(PLAN, widths={**PLAN.widths, ("time", FULL8): Width(5, 1.0, 0.9)})
    assert len(wider.networks) == len(STUDY.contenders) + 1


def test_seconds_are_steps_times_those_of_a_step_alone() -> None:
    assert PLAN.steps_per_epoch == 10
    record = {"epochs": [{"epoch": 0, "seconds": 0.0}, {"epoch": 1, "seconds": 99.0}]}
    (paced,) = PLAN.at_quiet_pace("time", FULL8, [record])
    assert paced["epochs"][1]["seconds"] == pytest.approx(10 * 0.08, rel=0.01)


def test_twice_as_many_at_once_take_half_as_long() -> None:
    search, study = PLAN.estimated_seconds(1)
    assert PLAN.estimated_seconds(2) == (search / 2, study / 2)
    assert study > 2 * 13 * 5 * STUDY.epochs * 10 * 0.01


def test_the_lines_name_every_contender_with_its_width_in_every_match() -> None:
    lines = PLAN.lines()
    assert sum(line.strip().startswith("full SE(2) |H|=8") for line in lines) == 2
    assert "1.01×" in lines[-1]
    assert "80.2" in next(line for line in lines if "full SE(2) |H|=8" in line)
    assert "to be found" in replace(PLAN, rates={}).lines()[-1]
