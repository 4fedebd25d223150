"""Direct comparisons of two networks: which pairs a study has, and what is said of them."""

import pandas as pd
import pytest

from benchmarks.statistics.over_seeds import estimate, paired_tests
from reports.arithmetic.pairs import asked_pairs
from reports.arithmetic.prepared import Prepared, StudyRuns
from reports.arithmetic.training import best_networks
from reports.frames.frames import frames
from reports.words.headline import direct
from reports.words.of_pairs import costs_of, pair_word

from ..conftest import training_record

# The test accuracies of three seeds by variant, |H| and augmentation: full is clearly better than separable.
ACCURACIES = {
    ("plain", 1, "none"): (0.80, 0.81, 0.82),
    ("plain", 1, "rotations"): (0.880, 0.885, 0.891),
    ("full", 8, "none"): (0.960, 0.965, 0.961),
    ("separable", 8, "none"): (0.900, 0.905, 0.9011),
    ("separable", 8, "rotations"): (0.91, 0.90, 0.905),
    ("averaged", 8, "none"): (0.85, 0.86, 0.87),
    ("separable", 4, "none"): (0.85, 0.85, 0.86),
}


def study_of(accuracies, costs=()):
    made = list(costs)
    for (variant, resolution, augmentation), values in accuracies.items():
        for seed, value in enumerate(values):
            record = training_record(variant, resolution, seed, value)
            record["run"] |= {"augmentation": augmentation}
            made.append({**record, "id": f"{record['id']}-{augmentation}"})
    return Prepared(frames(made)).shown_studies[0]


def compared(study: StudyRuns):
    table = study.networks
    keys = list(zip(table["variant"], table["resolution"], table["augmentation"], strict=True))
    return {(keys[pair.first], keys[pair.second]): pair for pair in study.pairs}


def test_a_study_compares_the_pairs_that_readers_ask_for():
    plain, turned, full, separable, both, averaged, small = ACCURACIES
    assert set(compared(study_of(ACCURACIES))) == {
        (full, separable),
        (separable, averaged),
        (turned, plain),
        (both, separable),
        (full, turned),
        (separable, turned),
        (small, turned),
    }
    without = study_of({key: values for key, values in ACCURACIES.items() if key[2] == "none"})
    assert (separable, plain) in compared(without)


def test_users_networks_are_compared_with_plain_and_separable_and_each_other():
    turned, plain = ("plain", 1, "rotations"), ("plain", 1, "none")
    separable, both = ("separable", 8, "none"), ("separable", 8, "rotations")
    study = study_of({key: ACCURACIES[key] for key in (plain, turned, separable, both)})
    found = study.runs
    own = [
        found[(found["variant"] == "plain") & (found["augmentation"] == seen)].assign(
            variant="custom", network=f"mine:{name}", id=lambda rows, name=name: name + rows["id"]
        )
        for name, seen in (("a", "none"), ("b", "none"), ("a", "rotations"))
    ]
    both_kinds = StudyRuns(pd.concat([found, *own], ignore_index=True), study.epochs, study.cases)
    table = both_kinds.networks
    called = table["network"].where(table["variant"] == "custom", table["variant"])
    keys = list(zip(called, table["augmentation"], strict=True))
    pairs = {(keys[pair.first], keys[pair.second]) for pair in both_kinds.pairs if "mine" in keys[pair.first][0]}
    a, b, more = ("mine:a", "none"), ("mine:b", "none"), ("mine:a", "rotations")
    of_plain, of_separable = ("plain", "none"), ("separable", "none")
    assert pairs == {
        *((one, other) for one in (a, b) for other in (of_plain, of_separable)),
        *((more, other) for other in (("plain", "rotations"), ("separable", "rotations"))),
        (a, b),
        (more, a),
    }
    sentence = direct(both_kinds, best_networks(both_kinds.runs))
    assert any("mine:a compared with separable" in item for item in sentence.items)


def test_the_pairs_depend_on_what_networks_are_and_not_on_what_they_reach():
    study = study_of(ACCURACIES)
    turned_round = study.networks.assign(mean=1 - study.networks["mean"])
    assert asked_pairs(study.networks) == asked_pairs(turned_round)


def test_a_pair_has_the_difference_by_seed_and_the_word_of_the_test_for_all_pairs():
    pairs = compared(study_of(ACCURACIES))
    _, turned, full, separable, both, *_ = ACCURACIES
    pair = pairs[full, separable]
    [alone] = paired_tests([(ACCURACIES[full], ACCURACIES[separable])], step=1 / 497)
    assert (pair.difference.value, pair.difference.low, pair.n) == pytest.approx(
        (alone.difference.mean, alone.difference.low, 3)
    )
    assert pair_word(pair) == "more accurate"
    assert pair_word(pairs[both, separable]) == "not told apart"
    # Alone this pair is told apart, but not among all pairs of the study.
    [alone] = paired_tests([(ACCURACIES[separable], ACCURACIES[turned])], step=1 / 497)
    assert alone.word == "supports"
    assert pair_word(pairs[separable, turned]) == "not told apart among all pairs"


def test_two_seeds_decide_nothing_and_other_seeds_are_no_pair():
    plain, _, full, separable, *_ = ACCURACIES
    few = compared(study_of({key: ACCURACIES[key][:2] for key in (plain, full, separable)}))
    assert pair_word(few[full, separable]) == "too few seeds"
    study = study_of({full: (0.9, 0.91, 0.92), separable: (0.8, 0.81, 0.82)})
    runs = study.runs
    runs.loc[runs["variant"] == "full", "seed"] += 10
    assert StudyRuns(runs, study.epochs, study.cases).pairs == []


def test_the_first_screen_answers_whether_separable_is_better(records):
    results = Prepared(frames(records))
    study = results.shown_studies[0]
    said = direct(study, results.best_networks)
    assert [item.split(":")[0] for item in said.items] == [
        "full |H| = 8 compared with separable |H| = 8",
        "separable |H| = 8 compared with plain",
    ]
    full, separable = ([0.94 + 0.01 * seed for seed in range(3)], [0.927 + 0.01 * seed for seed in range(3)])
    gap = estimate([a - b for a, b in zip(full, separable, strict=True)], step=1 / 497)
    assert f": +{100 * gap.mean:.1f} [{100 * gap.low:.1f}, {100 * gap.high:.1f}], more accurate" in said.items[0]
    assert direct(study, results.best_networks.iloc[:1]) is None


def test_networks_that_share_the_record_of_their_time_cost_exactly_the_same(records):
    costs = [record for record in records if record["kind"] == "cost"]
    made = {key: ACCURACIES[key] for key in (("separable", 8, "none"), ("separable", 8, "rotations"))}
    study = study_of(made, costs)
    [pair] = study.pairs
    assert costs_of(study, pair, "seconds") == "1.00×"
