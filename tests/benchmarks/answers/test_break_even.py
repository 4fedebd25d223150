"""Tests of the time until an accuracy is reached: runs that do not reach it are never left out."""

import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.answers.break_even import Waiting, at_pace, comparable_runs, overtaking, target_lines, to_target
from benchmarks.records.configurations import by_configuration
from benchmarks.records.store import RecordStore
from tests.benchmarks.training_records import training_record

Records = list[dict[str, Any]]


def runs(*curves: list[float], **fields: Any) -> Records:
    """Return a record for each seed, with the validation accuracies of its epochs after the 0th."""
    return [training_record([0.1, *curve], seed=seed, **fields) for seed, curve in enumerate(curves)]


def test_a_data_set_without_results_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    RecordStore(tmp_path).append(training_record([0.1, 0.7]))
    assert main(["break-even", "--results", str(tmp_path), "--dataset", "mnist"]) == 2
    assert capsys.readouterr().err == "error: no results for dataset 'mnist'; allowed: rotated-digits\n"


def test_the_first_epoch_at_the_target_counts() -> None:
    records = runs([0.5, 0.9, 0.8], [0.89, 0.7, 0.9], [0.9, 0.9, 0.9])
    assert to_target(records, 0.9) == Waiting(median=2, low=1, high=3, reached=3, n=3, within=3)
    assert to_target(records, 0.9, "seconds").median == 4
    assert to_target(records, 0.9, "macs").median == 2e9


def test_a_missed_target_counts_as_longer_than_any_other() -> None:
    found = to_target(runs([0.5, 0.9], [0.5, 0.6], [0.9, 0.9]), 0.9)
    assert (found.median, found.high, found.reached, found.n) == (2, math.inf, 2, 3)
    assert found.text() == "2 [1, ∞], 2 of 3"


def test_a_run_that_diverged_is_not_left_out() -> None:
    lost = {**training_record([0.1, 0.5], seed=1, budget=2), "status": "failed", "stopped": "diverged"}
    (records,) = by_configuration([training_record([0.1, 0.5, 0.9]), lost], diverged=True).values()
    assert to_target(records, 0.9).text() == "∞ [2, ∞], 1 of 2"
    (records,) = by_configuration([training_record([0.1, 0.5, 0.9]), lost]).values()
    assert len(records) == 1


def test_the_median_is_infinite_if_half_of_the_seeds_miss_the_target() -> None:
    found = to_target(runs([0.5, 0.9], [0.5, 0.6]), 0.9)
    assert math.isinf(found.median)
    assert found.text() == "∞ [2, ∞], 1 of 2"
    assert to_target(runs([0.5, 0.6], [0.5, 0.6]), 0.9).text() == "not within 2, 0 of 2"


def test_a_network_overtakes_where_it_stays_ahead() -> None:
    ours = runs([0.3, 0.6, 0.8, 0.95])
    theirs = runs([0.5, 0.7, 0.8, 0.9], variant="plain", group="trivial", resolution=1)
    assert overtaking(ours, theirs, "epoch").median == 4
    assert math.isinf(overtaking(theirs, ours, "epoch").median)


def test_a_slower_network_overtakes_a_finished_one() -> None:
    plain = runs([0.5, 0.7, 0.8], seconds_per_epoch=1.0)  # ends after 3 s
    ours = runs([0.4, 0.75, 0.9], seconds_per_epoch=4.0)
    assert overtaking(ours, plain, "epoch").median == 2
    assert overtaking(ours, plain, "seconds").median == 12


def test_a_network_ahead_from_the_start_overtakes_at_the_start() -> None:
    ahead = [training_record([0.2, 0.5], seed=0)]
    assert overtaking(ahead, [training_record([0.1, 0.4], seed=0)], "epoch").median == 0


def test_seeds_are_paired_and_single_ones_left_out() -> None:
    ours = runs([0.9], [0.1], [0.9])
    theirs = runs([0.5], [0.5])
    found = overtaking(ours, theirs, "epoch")
    assert (found.reached, found.n) == (1, 2)


def test_seconds_at_another_pace() -> None:
    (record,) = runs([0.5, 0.9], seconds_per_epoch=7.0)
    assert to_target([at_pace(record, 3.0)], 0.9, "seconds").median == 6.0
    assert record["epochs"][1]["seconds"] == 7.0


def test_a_table_has_every_configuration_at_every_reached_target() -> None:
    lines = target_lines({"plain": runs([0.5, 0.9]), "full": runs([0.96])}, (0.9, 0.95, 0.99))
    assert [line.split()[0] for line in lines[1:]] == ["plain", "plain", "full", "full", "99%:"]
    assert "not within 2, 0 of 1" in lines[2]
    assert lines[-1] == "99%: 0 of 2 runs"
    assert target_lines({"plain": runs([0.5])}, (0.9,)) == ["90%: 0 of 1 runs"]


def test_the_command_reads_stored_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = RecordStore(tmp_path)
    plain = {"variant": "plain", "group": "trivial", "resolution": 1}
    for record in [*runs([0.5, 0.7]), *runs([0.6, 0.65], **plain)]:
        store.append(record)
    assert main(["break-even", "--results", str(tmp_path), "--target", "0.7"]) == 0
    printed = capsys.readouterr().out
    assert "separable SO2(4) C=4 70% 2 [2, 2], 1 of 1" in " ".join(printed.split())
    assert "overtakes plain C=4 after" in printed
    assert main(["break-even", "--results", str(tmp_path), "--target", "97"]) == 2
    assert "target 97.0 is not allowed" in capsys.readouterr().err


def test_runs_on_other_numbers_of_images_are_apart_and_no_run_is_lost() -> None:
    records = [
        training_record([0.1, 0.9], network=network, train_limit=size)
        for network in ("resnet", "allcnnc")
        for size in (100, 1000)
    ]
    groups = comparable_runs(by_configuration(records))
    assert len(groups) == 2
    assert all(set(group) == {"separable SO2(4) C=4", "allcnnc separable SO2(4) C=4"} for group in groups.values())
    alike = [training_record([0.1, 0.9], seed=0, hidden_features=features) for features in (8, 16, 32)]
    (group,) = comparable_runs(by_configuration(alike)).values()
    assert len(group) == 3
