"""The sentences of the choice: what they say of times, and which network each study takes."""

import pandas as pd
import pytest

from benchmarks.statistics.choosing import Accuracies
from benchmarks.statistics.intervals import Interval
from reports.arithmetic.prepared import Prepared, StudyRuns
from reports.arithmetic.training import rivalled_by
from reports.frames.frames import frames
from reports.tables import of_training
from reports.words import of_choice
from reports.words.headline import other_decisions
from reports.words.names import study_title
from reports.words.of_training import matching

from .test_of_layers import ok


def test_a_time_is_written_with_its_interval_and_why_it_is_noisy():
    scarce = (("too_few_samples", "12 samples in 3 rounds", "more time"),)
    row = pd.Series({"mean": 0.971, "sd": 0.0016, "seconds": 2.58e-4, "ci_low": 2.04e-4, "ci_high": 3.26e-4})
    described = of_choice.described_network("separable", pd.Series({**row, "findings_case": scarce}), "seconds")
    assert described == "separable (97.1 ± 0.2 %, 258 [204, 326] µs an image, noisy: too few samples)"
    assert "noisy" not in of_choice.described_network("separable", pd.Series({**row, "findings_case": ()}), "seconds")


def test_the_ratio_of_two_times_has_an_interval_and_that_of_counts_has_none():
    dear = pd.Series({"seconds": 1.021e-3, "ci_low": 0.913e-3, "ci_high": 1.141e-3, "macs": 8.0})
    cheap = pd.Series({"seconds": 2.577e-4, "ci_low": 2.03e-4, "ci_high": 3.26e-4, "macs": 2.0})
    assert of_choice.cost_ratio(dear, cheap, "seconds") == pytest.approx((3.96, 3.05, 5.14), abs=0.02)
    assert of_choice.cost_ratio(dear, cheap, "macs") == Interval(4.0, 4.0, 4.0)


def test_a_network_with_a_clearly_cheaper_rival_is_on_the_front_by_its_mean_alone():
    networks = pd.DataFrame({"seconds": [1.0, 2.0, 2.1], "ci_low": [0.9, 1.9, 1.9], "ci_high": [1.1, 2.1, 2.3]})
    compared = Accuracies([0.95, 0.9505, 0.99], frozenset({(2, 0)}), frozenset(), frozenset(), 5)
    assert rivalled_by(networks, compared, "seconds") == [[], [0], []]


def test_other_studies_are_said_in_one_line(records):
    costs, runs, epochs = ok(records)
    assert other_decisions([]) is None
    other = StudyRuns(runs.assign(matched="time"), epochs, costs)
    said = other_decisions([other])
    assert said.text == f"Other choices, by other studies: {of_choice.taken(other)} ({study_title(other.runs)})."
    assert of_choice.taken(other) in of_choice.choice(other)
    trained = StudyRuns(runs, epochs, costs)
    assert other_decisions([trained]).text.startswith("Other choices, by other runs: ")
    assert other_decisions([trained, other]).text.startswith("Other choices, by other studies and runs: ")
    assert other_decisions([StudyRuns(runs[runs["variant"] == "plain"], epochs, costs)]) is None
    few = StudyRuns(runs[runs["seed"] < 2], epochs, costs)
    assert of_choice.taken(few) == "none, too few seeds"


def test_a_study_says_how_nearly_its_networks_are_equal(records):
    costs, runs, epochs = ok(records)
    assert matching(StudyRuns(runs, epochs, costs)).startswith("All networks have equal widths")
    runs.loc[runs["variant"] == "plain", "seconds"] = 3.0
    runs.loc[runs["variant"] != "plain", "seconds"] = 4.0
    runs.loc[runs["seed"] == 2, "seconds"] += 60.0  # the machine was busy
    said = matching(StudyRuns(runs.assign(matched="time"), epochs, costs))
    assert "equal in time of a training step" in said
    assert "from 3.00 s (plain) to 4.00 s" in said
    assert said.endswith("which is 1.33×.")
    assert matching(StudyRuns(runs.assign(matched="maps"), epochs, costs)).endswith("channels allow.")
    own = runs.iloc[:2].assign(variant="custom", network="mine:net", kernel_size=3.0, channels=99.0)
    both = pd.concat([own, runs], ignore_index=True)
    assert "equal widths" in matching(StudyRuns(both, epochs, costs))
    assert "users’ own" in matching(StudyRuns(both, epochs, costs))
    assert "takes no width" in matching(StudyRuns(both.assign(matched="maps"), epochs, costs))


def test_the_memory_of_a_training_step_stands_where_no_pass_was_measured(records):
    for record in records:
        if record["kind"] == "cost" and record["case"]["layer"] != "conv" and record["case"]["variant"] == "separable":
            record["memory"] = None
        if record["kind"] == "training":
            for epoch in record["epochs"]:
                epoch["peak_bytes"] = 5 * 2**20 + record["run"]["seed"]
    study = Prepared(frames(records)).shown_studies[0]
    memory = study.networks.set_index("variant")["peak_bytes"]
    assert set(memory["separable"]) == {5 * 2**20 + 2}
    assert (memory[["plain"]] > 5 * 2**20 + 2).all()


def test_a_cost_of_one_network_has_no_front(records):
    costs, runs, epochs = ok(records)
    alone = StudyRuns(runs[runs["variant"] == "plain"], epochs, costs)
    assert of_choice.fronts(alone) == "The only network is plain, so there is no front."
    assert {row.cells[-1].text for row in of_training.networks(alone).rows} == {"–"}
    study = StudyRuns(runs, epochs, costs[costs["variant"] == "plain"])
    assert "By time" not in of_choice.fronts(study)
    assert not any("time" in row.cells[-1].text for row in of_training.networks(study).rows)


def test_a_pass_at_another_batch_is_shown_below_the_dash(records):
    costs, runs, epochs = ok(records)
    forward = (costs["layer"] == "resnet") & (costs["direction"] == "forward")
    costs.loc[forward, ["batch_size", "seconds"]] = 1.0, 0.005
    study = StudyRuns(runs, epochs, costs)
    cells = [row.cells[3] for row in of_training.networks(study).rows]
    assert {(cell.text, cell.note) for cell in cells} == {("–", "a pass at batch 1: 5.00 ms")}
    assert "seconds" not in study.fronted


def test_a_front_of_many_networks_is_described_by_its_ends(records, monkeypatch):
    study = Prepared(frames(records)).shown_studies[0]
    by_time = of_choice.fronts(study).partition(" By memory")[0].partition(": ")[2].removesuffix(".")
    names = by_time.replace(" and ", ", ").split(", ")
    assert len(names) > 2
    monkeypatch.setattr(of_choice, "MOST_NAMED", 2)
    assert f"from {names[0]} to {names[-1]}, as the table below says. By memory" in of_choice.fronts(study)
