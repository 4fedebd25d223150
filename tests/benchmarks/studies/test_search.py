"""Learning rates: chosen on the validation images, from the same rates for every network."""

import itertools
from dataclasses import replace

import pytest

from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.record import Record
from benchmarks.studies.catalogue import STUDIES
from benchmarks.studies.contenders import Contender
from benchmarks.studies.search import best_rates, rate_scores, rates_beyond, search_lines, search_runs
from tests.benchmarks.training_records import training_record

STUDY = replace(STUDIES["rotated-digits"]["quick"][0], search_rates=(1e-3, 3e-3, 1e-2), search_seeds=(100, 101))
NETWORKS = [(contender, 3) for contender in STUDY.contenders]
RUNS = search_runs(STUDY, itertools.product(NETWORKS, STUDY.search_rates))
PLAIN = Contender("plain"), 3


def record(run: TrainingRun, accuracy: float, status: str = "ok") -> Record:
    """Return a record with the best validation accuracy ``accuracy`` and a misleading test accuracy."""
    made = training_record([0.1, accuracy, accuracy - 0.1], test_accuracy=1 - accuracy, status=status)
    return {**made, "id": run.id}


def test_every_network_has_equally_many_equally_long_runs_and_no_seed_of_the_study() -> None:
    assert len(RUNS) == 3 * len(STUDY.contenders)
    runs = [run for each in RUNS.values() for run in each]
    assert {run.budget for run in runs} == {STUDY.search_epochs}
    assert {run.seed for run in runs} == {100, 101}
    assert len({run.id for run in runs}) == len(runs)


def test_the_best_mean_of_best_validation_accuracies_is_chosen() -> None:
    accuracies = {1e-3: (0.7, 0.8), 3e-3: (0.9, 0.7), 1e-2: (0.6, 0.6)}
    records = [record(run, accuracies[rate][i]) for (_, rate), runs in RUNS.items() for i, run in enumerate(runs)]
    scores = rate_scores(RUNS, records)
    assert best_rates(scores) == dict.fromkeys(NETWORKS, 3e-3)


def test_failed_runs_count_as_0_and_ties_go_to_the_lower_rate() -> None:
    records = [
        record(run, 0.9, status="failed" if rate == 1e-3 else "ok") for (_, rate), runs in RUNS.items() for run in runs
    ]
    assert best_rates(rate_scores(RUNS, records))[PLAIN] == 3e-3


def test_a_rate_at_the_edge_of_the_grid_is_marked() -> None:
    scores = {(network, rate): rate for network, rate in RUNS}
    lines = search_lines(STUDY, scores)
    assert [line.endswith("0.01 (edge)") for line in lines[2:]] == [True] * len(NETWORKS)
    assert lines[0].startswith("best validation accuracy")


def test_the_search_goes_on_beyond_the_edge_where_the_best_rate_is() -> None:
    best = dict(zip(NETWORKS[:3], (1e-3, 3e-3, 1e-2), strict=True))
    scores = {(network, rate): 0.9 if rate == best[network] else 0.5 for network in best for rate in STUDY.search_rates}
    below, _, above = best
    assert rates_beyond(scores) == [(below, 3e-4), (above, 0.03)]
    further = {**scores, (below, 3e-4): 0.8, (above, 0.03): 0.95}
    assert rates_beyond(further) == [(above, 0.09)]
    assert search_lines(STUDY, further)[-1].split()[-7:] == ["–", "50.0", "50.0", "90.0", "95.0", "0.03", "(edge)"]


def test_a_single_rate_has_no_edge() -> None:
    assert rates_beyond({(network, 3e-3): 0.5 for network in NETWORKS}) == []


def test_a_network_that_no_rate_trains_is_named() -> None:
    scores = {(network, rate): 0.0 if network == PLAIN else 0.5 for network, rate in RUNS}
    with pytest.raises(ValueError, match="no learning rate trained plain"):
        best_rates(scores)
