"""Verdicts on the paper's claims from made-up results."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.studies.alternatives import beats_augmentation, superiority_lines
from benchmarks.studies.claims import redundant_kernels, separable_matches_full, sim2_helps, verdicts
from benchmarks.studies.contenders import Contender
from benchmarks.studies.decisions import Width
from benchmarks.studies.redundancy import chance, disc_size, layer_redundancy, redundancy_lines
from benchmarks.studies.results import StudyResults
from gcnn_impl.kernels import disc_taps
from tests.benchmarks.studies.made_up_study import STUDY, results_of


def results_with(separable: float = 0.95, full: float = 0.95, sim2: float = 0.95) -> StudyResults:
    def accuracy(contender: Contender) -> float:
        if contender.group == "SO2xRPlus":
            return sim2
        return {"separable": separable, "full": full}.get(contender.variant, 0.8)

    return results_of(accuracy, lambda contender: 0.02 if contender.variant == "full" else 0.01)


@pytest.mark.parametrize(
    ("separable", "word"),
    [(0.97, "supports"), (0.95, "supports"), (0.90, "contradicts"), (0.9395, "cannot decide")],
)
def test_separable_matches_full_within_a_margin_of_one_point(separable: float, word: str) -> None:
    assert separable_matches_full(results_with(separable)).word == word


def test_separable_must_be_faster_too() -> None:
    slow = results_of(lambda contender: 0.95, lambda contender: 0.02 if contender.variant == "separable" else 0.01)
    assert separable_matches_full(slow).word == "contradicts"
    alike = results_of(lambda contender: 0.95)
    assert separable_matches_full(alike).word == "cannot decide"


@pytest.mark.parametrize(("matches", "word"), [(("time",), "cannot decide"), (("time", "parameters"), "supports")])
def test_widths_matched_by_time_decide_nothing_about_time(matches: tuple[str, ...], word: str) -> None:
    study = replace(STUDY, matches=matches)
    faster = results_of(lambda _: 0.95, lambda contender: 0.02 if contender.variant == "full" else 0.01, study=study)
    assert separable_matches_full(faster).word == word


@pytest.mark.parametrize(("sim2", "word"), [(0.97, "supports"), (0.95, "cannot decide"), (0.93, "contradicts")])
def test_sim2_helps_where_it_is_more_accurate(sim2: float, word: str) -> None:
    assert sim2_helps(results_with(sim2=sim2)).word == word


@pytest.mark.parametrize(("after", "word"), [(0.8, "supports"), (0.3, "contradicts")])
def test_kernels_are_redundant_where_one_spatial_kernel_explains_most(after: float, word: str) -> None:
    assert redundant_kernels(results_of(lambda contender: 0.9, redundancy=(0.9, after))).word == word


def test_matches_that_disagree_decide_nothing() -> None:
    good, bad = results_with(sim2=0.97), results_with(sim2=0.90)
    records = {key: (good if key[0] == "time" else bad).records[key] for key in good.records}
    assert sim2_helps(replace(good, records=records)).word == "cannot decide"


def test_a_pair_that_misses_the_budget_is_shown_but_decides_nothing() -> None:
    results = results_with(sim2=0.97)
    sim2 = [contender for contender in STUDY.contenders if contender.group == "SO2xRPlus"]
    missed = {("time", contender): Width(1, 1.0, 1.5) for contender in sim2}
    decisions = replace(results.decisions, widths={**results.decisions.widths, **missed})
    steps = {**decisions.steps, **{(contender, 1): decisions.steps[contender, 4] for contender in sim2}}
    verdict = sim2_helps(replace(results, decisions=replace(decisions, steps=steps)))
    assert verdict.word == "cannot decide"
    text = "\n".join(verdict.evidence)
    assert "1.50× and 1.01× of the budget: not in the mean" in text


def test_too_few_seeds_decide_nothing() -> None:
    full = results_with(0.90, sim2=0.99)
    few = replace(full, records={key: records[:2] for key, records in full.records.items()})
    assert [verdict.word for verdict in verdicts(few)] == ["cannot decide"] * 3
    none = replace(full, records={key: [] for key in full.records})
    assert [verdict.word for verdict in verdicts(none)] == ["cannot decide"] * 3


def test_a_study_without_a_contender_decides_nothing_about_it() -> None:
    plain = results_of(
        lambda contender: 0.9, study=replace(STUDY, resolutions=(1,), reference=Contender("full", "SO2", 1))
    )
    assert {verdict.word for verdict in verdicts(plain)} == {"cannot decide"}


def test_the_evidence_has_the_difference_its_interval_n_and_the_test() -> None:
    text = "\n".join(sim2_helps(results_with(sim2=0.97)).evidence)
    assert "matched by parameters: mean" in text
    assert "matched by time: mean" in text
    assert "separable Sim(2) |H|=8 − separable SE(2) |H|=4" in text  # of four rotations each
    assert "separable Sim(2) |H|=8 − separable SE(2) |H|=8" in text
    assert "|H|=1 " not in text  # where both groups are the same
    assert "Paired t tests over seeds" in text
    assert "2.0 [" in text


def test_kernels_of_size_1_are_left_out() -> None:
    results = results_of(lambda contender: 0.9)
    (record, *_) = results.records["parameters", Contender("full", "SO2", 8)]
    layers = layer_redundancy(record)
    assert set(layers) == {"blocks.0.conv1", "last"}
    assert layers["last"].before == pytest.approx(0.901)
    lines = redundancy_lines(results, "parameters")
    assert [line.split()[0] for line in lines[1:]] == ["|H|=4"] * 2 + ["|H|=8"] * 2


@pytest.mark.parametrize("kernel_size", [1, 3, 5, 7])
def test_the_disc_has_as_many_taps_as_in_the_layers(kernel_size: int) -> None:
    assert disc_size(kernel_size) == int(disc_taps(kernel_size).sum())


def test_chance_is_the_share_explained_of_random_numbers() -> None:
    assert chance(1, 21) == pytest.approx(1.0)
    draws = np.random.default_rng(7).normal(size=(2000, 8, 21))
    expected = np.mean([np.linalg.norm(draw, 2) ** 2 / np.linalg.norm(draw) ** 2 for draw in draws])
    assert chance(8, 21) == pytest.approx(expected, rel=0.03)
    assert chance(16, 21) < chance(8, 21) < chance(4, 21)


AGAINST = replace(STUDY, kinds=("plain", "plain+", "separable", "canonical"), resolutions=(8,))


def against_augmentation(separable: float, augmented: float) -> StudyResults:
    def accuracy(contender: Contender) -> float:
        return {"separable": separable, "plain": augmented if contender.augmentation != "none" else 0.8}.get(
            contender.variant, 0.9
        )

    return results_of(accuracy, study=AGAINST)


@pytest.mark.parametrize(
    ("separable", "augmented", "word"),
    [(0.96, 0.93, "supports"), (0.93, 0.96, "contradicts"), (0.95, 0.95, "cannot decide")],
)
def test_equivariance_beats_augmentation_where_separable_is_more_accurate(
    separable: float, augmented: float, word: str
) -> None:
    verdict = beats_augmentation(against_augmentation(separable, augmented))
    assert verdict.word == word
    told = "\n".join(verdict.evidence)
    assert "separable SE(2) |H|=8 − plain + rotations" in told
    assert "canonical SE(2) |H|=8 − plain + rotations" in told


def test_the_evidence_says_how_often_one_run_beats_another_and_what_the_seeds_could_find() -> None:
    lines = superiority_lines(
        against_augmentation(0.96, 0.93), [(AGAINST.reference, Contender("plain", augmentation="rotations"))]
    )
    rows = [line for line in lines if line.startswith("separable SE(2) |H|=8 − plain + rotations")]
    assert len(rows) == len(AGAINST.matches)
    assert all("100%" in row for row in rows)
    few = replace(AGAINST, seeds=2)
    small = results_of(lambda contender: 0.9, study=few)
    assert superiority_lines(small, [(few.reference, Contender("plain"))]) == []


def test_unlike_alternatives_are_not_averaged() -> None:
    told = beats_augmentation(against_augmentation(0.96, 0.93)).evidence
    others = told[told.index("the others:") :]
    assert not any("mean" in line for line in others)
    assert any("mean" in line for line in told[: told.index("the others:")])


def test_where_test_images_are_in_one_pose_augmentation_is_not_judged() -> None:
    study = replace(AGAINST, test_angles=4)
    assert verdicts(results_of(lambda contender: 0.9, study=study)) == []


def test_only_claims_for_which_a_study_has_contenders_are_judged() -> None:
    claims = [verdict.claim for verdict in verdicts(against_augmentation(0.9, 0.9))]
    assert claims == ["equivariance beats augmentation"]
    assert len(verdicts(results_with())) == 3
