"""Decisions of a study: a resumed study reads them and does not choose other widths."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.studies.contenders import Contender
from benchmarks.studies.decisions import Width, decisions_path, load_decisions, save_decisions
from tests.benchmarks.studies.made_up_study import STUDY, decisions_of

DECISIONS = decisions_of(lambda contender: 0.01 * contender.resolution)
PLAIN, FULL8 = Contender("plain"), Contender("full", "SO2", 8)


def test_decisions_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = decisions_path(tmp_path, "digits", STUDY)
    assert load_decisions(path, STUDY) is None
    save_decisions(DECISIONS, path)
    assert load_decisions(path, STUDY) == DECISIONS
    save_decisions(replace(DECISIONS, rates={}), path)
    assert load_decisions(path, STUDY) == replace(DECISIONS, rates={})


def test_another_study_has_another_file(tmp_path: Path) -> None:
    assert decisions_path(tmp_path, "digits", STUDY) != decisions_path(tmp_path, "digits", replace(STUDY, epochs=4))


def test_a_file_without_decisions_is_named(tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    path.write_text('{"images": {}}')
    with pytest.raises(ValueError, match=r"study.json holds no decisions of a study \('widths'\); remove it"):
        load_decisions(path, STUDY)


def test_runs_have_the_name_of_their_match_and_come_seed_by_seed() -> None:
    runs = DECISIONS.all_runs()
    assert len(runs) == len({run.id for run in runs}) == 2 * 13 * 5
    assert [run.seed for run in runs[: 2 * 13]] == [0] * 26
    assert {run.matched for run in runs} == {"parameters", "time"}
    assert DECISIONS.runs("time", FULL8)[3].seed == 3


def test_a_network_of_two_matches_is_listed_once() -> None:
    assert len(DECISIONS.networks) == len(STUDY.contenders)
    wider = replace(DECISIONS, widths={**DECISIONS.widths, ("time", FULL8): Width(5, 1.0, 0.9)})
    assert len(wider.networks) == len(STUDY.contenders) + 1


def test_quiet_seconds_are_steps_times_the_seconds_of_a_step_measured_alone() -> None:
    assert DECISIONS.steps_per_epoch == 10
    record = {"epochs": [{"epoch": 0, "seconds": 0.0}, {"epoch": 1, "seconds": 99.0}]}
    (paced,) = DECISIONS.at_quiet_pace("time", FULL8, [record])
    assert paced["epochs"][1]["seconds"] == pytest.approx(10 * 0.08, rel=0.01)


def test_twice_as_many_jobs_at_once_take_half_as_long() -> None:
    search, study = DECISIONS.estimated_seconds(1)
    assert DECISIONS.estimated_seconds(2) == (search / 2, study / 2)
    assert study > 2 * 13 * 5 * STUDY.epochs * 10 * 0.01


def test_the_lines_name_every_contender_with_its_width_in_every_match() -> None:
    lines = DECISIONS.lines()
    assert sum(line.strip().startswith("full SE(2) |H|=8") for line in lines) == 2
    assert "1.01×" in lines[-1]
    assert "80.2" in next(line for line in lines if "full SE(2) |H|=8" in line)
    assert "to be found" in replace(DECISIONS, rates={}).lines()[-1]
