"""Tests of the command ``study``, from the plan to the verdicts, on a study that takes seconds."""

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main, parser
from benchmarks.cases.case import InvalidCase
from benchmarks.cases.training_run import TrainingRun
from benchmarks.commands import study as command
from benchmarks.commands.study import chosen_studies
from benchmarks.measure.sampling import Sampling
from benchmarks.records.provenance import hardware, software
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore, RecordWarning
from benchmarks.studies import decide
from benchmarks.studies.catalogue import STUDIES
from benchmarks.studies.contenders import Contender
from benchmarks.studies.decisions import Width, decisions_path, load_decisions
from benchmarks.studies.study import Study
from benchmarks.studies.workers import Here, Task
from benchmarks.training.folders import DEFAULT_FOLDERS
from benchmarks.training.missing import Job
from tests.benchmarks.studies.made_up_study import STUDY, decisions_of
from tests.benchmarks.training_records import training_record

TINY = Study(
    "rotated-digits",
    image_size=9,
    limit=32,
    kernel_size=3,
    hidden_features=8,
    batch_size=16,
    epochs=2,
    seeds=2,
    resolutions=(2,),
    reference=Contender("separable", "SO2", 2),
    channels=2,
    matches=("parameters",),
    search_rates=(3e-3,),
    search_epochs=1,
)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STUDIES, "rotated-digits", {"standard": (TINY,)})
    monkeypatch.setattr(decide, "STEP_ROUNDS", 2)
    monkeypatch.setattr(command, "INFERENCE_SAMPLING", Sampling(rounds=1, min_samples=3, seconds=0.1))


@pytest.mark.usefixtures("tiny")
def test_a_study_from_the_plan_to_the_verdicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["study", "rotated-digits", "--results", str(tmp_path)]
    assert main([*asked, "--plan"]) == 0
    planned = capsys.readouterr().out
    assert "matched by parameters" in planned
    assert "10 runs of 2 epochs" in planned
    assert RecordStore(tmp_path).load() == []

    assert main([*asked, "--no-inference"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(planned.splitlines()[0])  # the same widths, not measured again
    assert "best validation accuracy, %, by learning rate; 1 epochs, seed 100" in said
    assert "## matched by parameters to separable SE(2) |H|=2 C=2" in said
    assert "trained 10 of 10 runs now, 0 failed" in said
    words = [line for line in said.splitlines() if line.startswith(("SUPPORTS", "CONTRADICTS", "CANNOT DECIDE"))]
    assert len(words) == 3
    assert len(RecordStore(tmp_path / "search").load()) == 5

    assert main([*asked, "--no-inference"]) == 0
    again = capsys.readouterr().out
    assert "trained 0 of 10 runs now" in again
    assert "best validation accuracy" not in again  # the rates are kept
    assert again.splitlines()[-20:-1] == said.splitlines()[-20:-1]

    (decisions,) = tmp_path.glob("study-rotated-digits-*.json")
    assert {each["learning_rate"] for each in json.loads(decisions.read_text())["rates"]} == {3e-3}

    assert main(asked) == 0  # now with the inference of its five networks
    costs = [record for record in RecordStore(tmp_path).load() if record["kind"] == "cost"]
    assert {record["status"] for record in costs} == {"ok"}
    assert len(costs) == len({(record["case"]["variant"], record["case"]["group"]) for record in costs}) == 5
    assert main(["advise", "--max-ms", "1000", "--results", str(tmp_path)]) == 0


@pytest.mark.usefixtures("tiny")
def test_fewer_images_than_a_batch_are_noticed_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "rotated-digits", "--results", str(tmp_path), "--limit", "15", "--plan"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "an epoch has 15 images, and a batch 16; allowed: at least 16 train images" in err


@pytest.mark.usefixtures("tiny")
def test_a_study_of_several_parts_in_which_a_users_network_competes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    part = replace(TINY, kinds=("plain+", "separable"), epoch_images=32, test_angles=2, seeds=1, epochs=1)
    parts = tuple(replace(part, train_limit=size) for size in (8, 32))
    monkeypatch.setitem(STUDIES, "rotated-digits", {"standard": parts})
    options = ["--network", "examples.own_network:small_cnn"]
    assert main(["study", "rotated-digits", "--results", str(tmp_path), *options]) == 0
    said = capsys.readouterr().out
    assert "trained 6 of 6 runs now, 0 failed" in said
    assert len(list(tmp_path.glob("study-rotated-digits-*.json"))) == 2
    assert "## test accuracy by number of train images, matched by parameters" in said
    assert said.count("trained on rotated-digits: angle") == 2
    assert "equivariance beats augmentation" not in said  # its test images are in given poses
    records = RecordStore(tmp_path).load()
    trained = [record for record in records if record["kind"] == "training"]
    assert {record["data"]["train"] for record in trained} == {8, 32}
    assert {len(record["test_by_angle"]) for record in trained} == {2}
    assert {record["status"] for record in trained if record["run"]["variant"] == "custom"} == {"ok"}
    (own,) = [record for record in records if record["kind"] == "cost" and record["case"]["layer"] == "network"]
    assert own["status"] == "ok"
    assert own["equivariance_error"] > 1e-3  # it claims no equivariance


def test_the_search_tries_three_rates_beyond_the_largest_and_chooses_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried: list[float] = []

    def trained(runs: Sequence[TrainingRun], store: RecordStore, *rest: object, **options: object) -> None:
        for run in runs:
            tried.append(run.learning_rate)
            accuracy = 0.5 + run.learning_rate  # better and better
            store.append({**training_record([0.1, accuracy]), "id": run.id})

    monkeypatch.setattr(command, "complete", trained)
    network = Contender("separable", "SO2", 4), 4
    decisions = replace(decisions_of(lambda contender: 0.01), widths={("parameters", network[0]): Width(4, 1.0, 1.0)})
    args = Namespace(results=tmp_path, retry_failed=False)
    assert command.search(decisions, Here(1, 60.0), DEFAULT_FOLDERS, args) == {network: 0.3}
    assert tried == [*decisions.study.search_rates, 0.03, 0.09, 0.3]
    assert "0.3 (edge)" in capsys.readouterr().out


def test_steps_of_another_commit_give_a_warning(tmp_path: Path) -> None:
    decisions = decisions_of(lambda contender: 0.01)
    with pytest.warns(RecordWarning, match="those of commit aaaaaaaaaa, not of"):
        command.warn_of_another_commit(replace(decisions, provenance={"commit": "a" * 40}), tmp_path)


def chosen(*options: str) -> Study:
    """Return the study that the command line chooses."""
    (study,) = chosen_studies(parser("study").parse_args(["study", "rotated-digits", *options]))
    return study


def test_options_replace_values_of_the_scale() -> None:
    changed = ("--seeds", "4", "--match", "memory", "macs", "--resolution", "8", "16")
    study = chosen("--scale", "quick", *changed)
    quick = STUDIES["rotated-digits"]["quick"][0]
    assert (study.seeds, study.matches, study.resolutions) == (4, ("memory", "macs"), (8, 16))
    assert study.reference == replace(quick.reference, resolution=16)
    assert study.epochs == quick.epochs


def test_an_unknown_scale_is_named() -> None:
    with pytest.raises(InvalidCase, match="unknown scale 'large'; allowed: quick, standard, paper"):
        chosen("--scale", "large")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--jobs", "1000"], "jobs 1000 is not allowed"),
        (["--timeout", "0"], "timeout 0.0 is not allowed"),
        (["--match", "weight"], "unknown match 'weight'"),
        (["--seeds", "0"], "seeds 0 is not allowed"),
    ],
)
def test_a_wrong_request_is_one_line(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "rotated-digits", "--results", str(tmp_path), *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_missing_images_are_an_error_of_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["study", "rotated-mnist", "--scale", "quick", "--results", str(tmp_path), "--data-root", str(tmp_path)]
    assert main(asked) == 2
    assert "is missing" in capsys.readouterr().err


def test_a_plan_keeps_its_decisions_and_gets_the_missing_ones() -> None:
    measured: list[Any] = []

    class Workers(Here):
        def measure(self, task: Task, argument: Any, device: str) -> dict[str, Any]:
            measured.append((task, argument))
            if task is decide.match_task:
                return {"channels": 9, "target": 1.0, "achieved": 1.2}
            return {"seconds": [[0.02]] * len(argument[0]), "provenance": {"device_name": "B"}}

    whole = decisions_of(lambda contender: 0.01)
    assert decide.decide(whole, Workers()) == whole
    assert measured == []

    lost = Contender("full", "SO2", 8)
    kept = {key: width for key, width in whole.widths.items() if key != ("parameters", lost)}
    completed = decide.decide(replace(whole, widths=kept), Workers())
    assert [task for task, _ in measured] == [decide.match_task] + [decide.pace_task] * decide.STEP_ROUNDS
    assert measured[0][1] == ("parameters", *(STUDY.run(each, STUDY.channels) for each in (STUDY.reference, lost)))
    assert measured[-1][1][0] == (STUDY.run(lost, 9),)
    assert {key: completed.widths[key].channels for key in kept} == {key: width.channels for key, width in kept.items()}
    assert completed.widths["parameters", lost].channels == 9
    assert completed.step("parameters", lost)["median"] == 0.02
    assert completed.step("time", lost) == whole.step("time", lost)


def test_a_pilot_whose_seeds_differ_is_followed_by_more_seeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = replace(STUDY, kinds=("full", "separable"), resolutions=(8,), matches=("parameters",))
    spread = (0.008, 0.0, -0.008, 0.008, -0.008)  # a standard deviation of 0.8 points asks for eight seeds

    here = {**software(), **hardware()}

    def trained(job: Job) -> Record:
        level = 0.9 + (spread[job.run.seed % 5] if job.run.variant == "separable" else 0.0)
        made = training_record([0.1, level], seed=job.run.seed, test_accuracy=level)
        return {**made, "id": job.run.id, "run": job.run.fields(), "provenance": here}

    def train(*options: str) -> tuple[int, tuple[int, int]]:
        asked = ["study", "rotated-digits", "--results", str(tmp_path), *options]
        decisions = load_decisions(path, study) or decisions_of(lambda contender: 0.01, study)
        store, workers = RecordStore(tmp_path), Here(attempt=trained)
        found, done = command.trained_to_end(
            decisions, store, workers, DEFAULT_FOLDERS, parser("study").parse_args(asked)
        )
        return found.seeds, done

    path = decisions_path(tmp_path, "rotated-digits", study)
    assert train("--seeds", "5") == (5, (10, 0))  # the user's number is final
    assert train() == (8, (6, 0))
    assert "this one trains 8" in capsys.readouterr().out
    assert train() == (8, (0, 0))
    assert train("--seeds", "5") == (5, (0, 0))
