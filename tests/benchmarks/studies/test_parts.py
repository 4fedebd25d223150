"""Tables over the parts of a study: accuracy by number of train images, and by angle of the test images."""

import math
from dataclasses import replace

import pytest

from benchmarks.studies.contenders import Contender
from benchmarks.studies.parts import angle_lines, efficiency_lines, images_needed, lines_over_parts, needed_text
from benchmarks.studies.results import StudyResults
from tests.benchmarks.studies.made_up_study import STUDY, results_of

SMALL = replace(STUDY, kinds=("plain", "separable"), resolutions=(8,), matches=("parameters",))
REFERENCE = SMALL.reference


def part(train_limit: int, plain: float, separable: float) -> StudyResults:
    study = replace(SMALL, train_limit=train_limit)
    return results_of(lambda contender: separable if contender == REFERENCE else plain, study=study)


def test_images_needed_are_interpolated_along_the_logarithm() -> None:
    sizes = [100, 1000, 10_000]
    assert images_needed(sizes, [0.5, 0.7, 0.9], 0.6) == pytest.approx(100 * math.sqrt(10))
    assert images_needed(sizes, [0.5, 0.7, 0.9], 0.9) == 10_000
    assert images_needed(sizes, [0.5, 0.7, 0.9], 0.91) == math.inf
    assert images_needed(sizes, [0.5, 0.7, 0.9], 0.4) == 0
    assert images_needed(sizes, [0.5, 0.4, 0.6], 0.5) == 0  # a curve may fall


def test_the_factor_is_that_of_each_seed() -> None:
    curves = [{0: 0.5, 1: 0.5, 2: 0.5}, {0: 0.7, 1: 0.9, 2: 0.6}]
    reference = [{0: 0.7, 1: 0.5, 2: 0.7}, {}]
    # Seed 0 needs ten times as many, seed 1 no more than the fewest, seed 2 more than all.
    assert needed_text([100, 1000], curves, reference, 0) == "10 [<1, ∞], n = 3"
    assert needed_text([100, 1000], curves, reference, 1) == "–"


def test_the_table_has_accuracies_and_factors_of_every_size() -> None:
    lines = efficiency_lines([part(100, 0.5, 0.7), part(1000, 0.7, 0.9), part(10_000, 0.9, 0.95)], "parameters")
    table = "\n".join(lines)
    assert "100 images" in lines[0]
    assert "10,000 images" in lines[0]
    (factors,) = [line for line in lines if line.startswith("plain") and "n = 5" in line]
    cells = factors.split("n = 5")
    assert len(cells) == 4  # three sizes
    assert cells[0].split()[1].startswith("10") or cells[0].split()[1].startswith("9.")  # 1,000 images for 100
    assert "∞" in cells[2]
    assert "interpolated" in table


def test_accuracies_by_angle_are_means_over_seeds() -> None:
    results = part(100, 0.5, 0.7)
    for (_, contender), records in results.records.items():
        for record in records:
            level = 0.9 if contender == REFERENCE else 0.4
            record["test_by_angle"] = [{"angle": 0.0, "accuracy": 0.9}, {"angle": 180.0, "accuracy": level}]
    lines = angle_lines([results], "parameters")
    assert [line.split()[0] for line in lines if line.startswith(("0°", "180°"))] == ["0°", "180°"]
    (turned,) = [line for line in lines if line.startswith("180°")]
    assert "40.0 [" in turned
    assert "90.0 [" in turned


def test_a_study_of_one_part_has_no_tables_over_parts() -> None:
    assert lines_over_parts([part(100, 0.5, 0.7)]) == []
    assert any("by number of train images" in line for line in lines_over_parts([part(10, 0.5, 0.7), part(20, 0.6, 1)]))


def test_a_contender_without_results_has_dashes() -> None:
    empty = StudyResults.of(part(100, 0.5, 0.7).decisions, [])
    assert Contender("plain") in empty.decisions.study.contenders
    assert "–" in "\n".join(efficiency_lines([empty, part(1000, 0.5, 0.7)], "parameters"))
