"""Results of a study and their tables."""

from dataclasses import replace

import pytest

from benchmarks.statistics.over_seeds import Estimate
from benchmarks.studies.contenders import Contender
from benchmarks.studies.results import StudyResults, accuracy_lines, percent_interval, waiting_lines
from tests.benchmarks.studies.made_up_study import SEEDS, STUDY, results_of

RESULTS = results_of(lambda contender: 0.9 if contender.variant == "plain" else 0.96)
FULL8 = Contender("full", "SO2", 8)


def test_the_records_of_the_studys_runs_are_found_and_no_others() -> None:
    assert {len(records) for records in RESULTS.records.values()} == {5}
    stranger = {**RESULTS.records["time", FULL8][0], "id": "stranger"}
    assert StudyResults.of(RESULTS.decisions, [stranger]).records["time", FULL8] == []


def test_accuracy_is_the_mean_over_seeds_within_0_and_1() -> None:
    found = RESULTS.accuracy("time", FULL8)
    assert found.n == 5
    assert found.mean == pytest.approx(0.96 + sum(SEEDS) / 5)
    assert found.low < found.mean < found.high < 1


def test_every_contender_has_a_row_with_its_share_of_the_budget() -> None:
    lines = accuracy_lines(RESULTS, "parameters")
    assert len(lines) == 1 + len(STUDY.contenders)
    assert "1.01×" in lines[1]


def test_a_contender_that_is_not_trained_yet_has_no_accuracy() -> None:
    lines = accuracy_lines(replace(RESULTS, records={key: [] for key in RESULTS.records}), "parameters")
    assert [line.endswith("–  0 of 5") for line in lines[1:]] == [True] * len(STUDY.contenders)


def test_a_run_that_diverged_has_no_accuracy_and_never_reaches_a_target() -> None:
    key = "time", FULL8
    lost = {**RESULTS.records[key][0], "status": "failed", "stopped": "diverged", "test_accuracy": None}
    everything = [record for records in RESULTS.records.values() for record in records]
    lost["epochs"] = lost["epochs"][:2]
    results = StudyResults.of(RESULTS.decisions, [*(each for each in everything if each["id"] != lost["id"]), lost])
    assert (len(results.records[key]), len(results.begun[key])) == (4, 5)
    assert results.accuracy(*key).n == 4
    row = next(line for line in waiting_lines(results, "time") if line.startswith("full SE(2) |H|=8") and "95%" in line)
    assert "3 [3, ∞], 4 of 5" in row


def test_the_tables_have_times_to_targets_and_to_overtake_plain() -> None:
    text = "\n".join(waiting_lines(RESULTS, "time"))
    assert "overtakes plain after" in text
    assert "not within 3, 0 of 5" in text  # plain never reaches 95 %


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Estimate(0.9, 0.8, 0.95, 5), "90.0 [80.0, 95.0]"),
        (Estimate(0.9, 0.0, 1.0, 1), "90.0 (n too small for an interval)"),
        (Estimate(float("nan"), 0.0, 1.0, 0), "–"),
    ],
)
def test_a_percentage_has_its_interval(found: Estimate, text: str) -> None:
    assert percent_interval(found) == text
