"""The studies in short: a table of accuracies at every budget and part, and the words on the claims."""

from dataclasses import replace

from benchmarks.studies.in_short import lines_in_short
from benchmarks.studies.results import StudyResults
from tests.benchmarks.studies.made_up_study import STUDY, results_of

SMALL = replace(STUDY, kinds=("plain", "plain+", "separable"), resolutions=(8,), matches=("parameters", "time"))
REFERENCE = SMALL.reference
CLAIM = "- equivariance beats augmentation: "


def part(train: int, plain: float, separable: float) -> StudyResults:
    study = replace(SMALL, train_limit=train)
    made = results_of(lambda contender: separable if contender == REFERENCE else plain, study=study)
    return replace(made, decisions=replace(made.decisions, images={**made.decisions.images, "train": train}))


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_study_of_one_part_shows_accuracy_and_step_at_every_budget() -> None:
    lines = lines_in_short({"rotated-digits": [part(1200, 0.6, 0.9)]}, "results")
    heading, _, plain, _, separable = (cells(line) for line in lines if line.startswith("|"))
    assert heading == ["network", "equal parameters", "a step", "equal seconds of training", "a step"]
    assert plain[0] == "plain"
    assert plain[1].startswith("60.0 [")
    assert separable[3].startswith("90.0 [")
    assert all(cell.endswith(" ms") for cell in (plain[2], plain[4]))
    assert "1,200 train" in lines[1]
    assert "[rotated-digits.md](results/rotated-digits.md)" in lines[1]


def test_a_claim_has_the_word_of_the_study() -> None:
    lines = lines_in_short({"a": [part(1200, 0.6, 0.9)], "b": [part(1200, 0.9, 0.6)]}, "results")
    assert [line for line in lines if line.startswith(CLAIM)] == [f"{CLAIM}**supports**", f"{CLAIM}**contradicts**"]


def test_parts_stand_side_by_side_and_each_word_names_its_parts() -> None:
    lines = lines_in_short({"data": [part(100, 0.5, 0.7), part(1000, 0.7, 0.9), part(10_000, 0.9, 0.6)]}, "results")
    heading = cells(next(line for line in lines if line.startswith("|")))
    assert heading[1:3] == ["equal parameters, 100 images", "equal seconds of training, 100 images"]
    assert len(heading) == 1 + 3 * 2
    assert "100 / 1,000 / 10,000 train" in lines[1]
    words = "**supports** (100 images, 1,000 images); **contradicts** (10,000 images)"
    assert f"{CLAIM}{words}" in lines


def test_parts_that_differ_in_their_images_are_named_by_them() -> None:
    parts = [part(100, 0.5, 0.7), part(100, 0.5, 0.7)]
    names = ("mnist-upright", "mnist-tilted")
    posed = [
        replace(each, decisions=replace(each.decisions, study=replace(each.decisions.study, dataset=name)))
        for each, name in zip(parts, names, strict=True)
    ]
    heading = cells(lines_in_short({"pose": posed}, "results")[3])
    assert heading[1::2] == ["equal parameters, mnist-upright", "equal parameters, mnist-tilted"]


def test_turned_test_images_have_a_column_with_the_mean_over_all_angles() -> None:
    made = part(100, 0.5, 0.7)
    for records in made.records.values():
        for record in records:
            level = record["test_accuracy"]
            record["test_by_angle"] = [{"angle": 0.0, "accuracy": level}, {"angle": 90.0, "accuracy": level - 0.4}]
    heading, _, plain, _, separable = (cells(line) for line in lines_in_short({"pose": [made]}, "results")[3:8])
    assert heading[1:3] == ["equal parameters", "equal parameters: mean over all angles of the test images"]
    assert (plain[1][:6], plain[2][:6]) == ("50.0 [", "30.0 [")
    assert (separable[1][:6], separable[2][:6]) == ("70.0 [", "50.0 [")
