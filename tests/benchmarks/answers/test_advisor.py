"""Tests of advice from made-up results: the front, unknown costs, budgets that no network meets."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.answers.advice import advice_lines
from benchmarks.answers.advisor import MOST_NAMED, Advice, Budget, advise, nearest_line, over_line
from benchmarks.answers.candidates import Candidate, Setting, candidates
from benchmarks.answers.comparable import chosen_setting, setting_remark
from benchmarks.answers.recommendation import recommendation
from benchmarks.records.costs import interval_of
from benchmarks.records.record import SCHEMA, Record
from benchmarks.records.store import RecordStore
from tests.benchmarks.training_records import MACHINE, training_record

# Test accuracies of three seeds.
GOOD, MIDDLE, POOR = (0.97, 0.98, 0.975), (0.93, 0.94, 0.935), (0.80, 0.81, 0.805)


def trained(accuracies: tuple[float, ...], channels: int, **fields: Any) -> list[Record]:
    """Return the training records of one configuration, a seed for each accuracy."""
    return [
        training_record([0.1, accuracy], seed=seed, channels=channels, **fields)
        for seed, accuracy in enumerate(accuracies)
    ]


def timed(channels: int, ms: float, *, batch: int = 10, mib: float = 1.0, **axes: Any) -> Record:
    """Return the cost record of the inference of a network of ``trained``; the interval is ± 10 %."""
    case = {"layer": "resnet", "variant": "separable", "group": "SO2", "resolution": 4, "scales": 1, "kernel_size": 5}
    case |= {"channels": channels, "image_size": 16, "batch_size": batch, "direction": "forward", "kernels": "cached"}
    case |= {"execution": "eager", "device": "cpu", "dtype": "float32", "threads": 1, **axes}
    median = ms * batch / 1e3
    return {
        "schema": SCHEMA,
        "kind": "cost",
        "id": f"{case}",
        "status": "ok",
        "case": case,
        "seconds": {"rounds": [[median]], "median": median, "ci_low": 0.9 * median, "ci_high": 1.1 * median},
        "memory": {"peak_bytes": int(mib * 2**20)},
        "provenance": MACHINE,
    }


RESULTS = [
    *trained(GOOD, 8, seconds_per_epoch=8.0, parameters=8000),
    *trained(MIDDLE, 4, seconds_per_epoch=4.0, parameters=4000),
    *trained(POOR, 2, seconds_per_epoch=6.0, parameters=2000),
    timed(8, 8.0, mib=80),
    timed(4, 4.0, mib=40),
    timed(2, 2.0, mib=20),
]


def widths(found: list[Candidate] | Any) -> list[int]:
    return [candidate.configuration["channels"] for candidate in found]


def in_setting(records: list[Record], **setting: int) -> list[Candidate]:
    """Return the candidates of records with their costs of inference in the chosen setting."""
    found = candidates(records)
    return [candidate.in_setting(chosen_setting(found, **setting)) for candidate in found]


def asked(budget: Budget, records: list[Record] = RESULTS, **setting: int) -> Advice:
    return advise(in_setting(records, **setting), budget)


def test_the_front_has_the_unbeaten_networks_within_the_budget() -> None:
    assert widths(asked(Budget({"ms": 10})).front) == [8, 4, 2]
    assert widths(asked(Budget({"ms": 5})).front) == [4, 2]
    assert widths(asked(Budget({"ms": 10, "mib": 50})).front) == [4, 2]
    assert widths(asked(Budget({"parameters": 2000})).front) == [2]
    assert widths(asked(Budget({"epoch_seconds": 7})).front) == [4]
    assert widths(asked(Budget({"epoch_seconds": 7})).beaten) == [2]


def test_clearly_beaten_networks_are_named_with_their_accuracy() -> None:
    budget = Budget({"epoch_seconds": 7})
    assert advice_lines(asked(budget), budget)[-1].endswith("separable SO2(4) C=2 (80.5%)")
    many = [record for width in range(20, 29) for record in trained(POOR, width, seconds_per_epoch=6.0)]
    last = advice_lines(asked(budget, [*RESULTS, *many]), budget)[-1]
    assert last.count("(80.5%)") == MOST_NAMED
    assert last.endswith(" and 4 more")


def test_a_minimum_accuracy_alone_draws_the_front_of_the_first_cost_that_is_known_of_all() -> None:
    advice = asked(Budget(min_accuracy=0.9))
    assert widths(advice.front) == [8, 4]
    assert advice.axes == ("ms",)


def test_inference_costs_are_those_of_the_same_network_per_image() -> None:
    found = {candidate.configuration["channels"]: candidate for candidate in in_setting(RESULTS)}
    assert found[4].costs["ms"].mean == pytest.approx(4.0)
    assert found[4].costs["mib"].mean == 40
    assert found[4].setting == Setting(10, 1)
    assert found[4].setting.text == "batch 10, 1 thread"
    assert found[4].accuracy.n == 3


@pytest.mark.parametrize(
    "other", [{"kernels": "generated"}, {"direction": "forward_backward"}, {"layer": "conv"}, {"resolution": 8}]
)
def test_other_cases_give_a_network_no_inference_costs(other: dict[str, Any]) -> None:
    (found,) = in_setting([*trained(GOOD, 8), timed(8, 8.0, **other)])
    assert "ms" not in found.costs
    assert not found.timed


TWO_SETTINGS = [
    *[record for width, seeds in ((8, GOOD), (4, MIDDLE)) for record in trained(seeds, width)],
    timed(8, 3.0, batch=1),
    timed(4, 2.0, batch=1),
    timed(8, 0.5, batch=64),
]


def test_an_answer_has_the_costs_of_one_setting_of_inference() -> None:
    advice = asked(Budget({"ms": 2.5}), TWO_SETTINGS)
    assert (widths(advice.front), widths(advice.over), widths(advice.possible)) == ([4], [8], [])
    assert {candidate.setting for candidate in (*advice.front, *advice.over)} == {Setting(1, 1)}
    advice = asked(Budget({"ms": 2.5}), TWO_SETTINGS, batch_size=64)
    assert (widths(advice.front), widths(advice.unknown)) == ([8], [4])


def test_the_setting_is_that_of_most_networks_then_that_of_the_largest_batch() -> None:
    found = candidates(TWO_SETTINGS)
    assert chosen_setting(found) == (1, 1)
    assert chosen_setting(found[:1]) == (64, 1)
    assert chosen_setting(candidates([*TWO_SETTINGS, timed(8, 1.0, batch=64, threads=2)])[:1]) == (64, 2)
    assert chosen_setting(found, batch_size=32) is None
    assert chosen_setting(found, threads=2) is None


def test_a_setting_of_a_gpu_has_no_threads() -> None:
    records = [*trained(GOOD, 8, device="cuda"), *(timed(8, 1.0, device="cuda", threads=n) for n in (1, 2))]
    found = candidates(records)
    assert chosen_setting(found, threads=4) == Setting(10, None)
    assert Setting(10, None).text == "batch 10"
    assert setting_remark(found) == ""


def test_the_remark_says_which_settings_there_are() -> None:
    assert setting_remark(candidates(RESULTS)) == ""
    found = candidates([*TWO_SETTINGS, timed(4, 1.0, batch=64, threads=2)])
    assert setting_remark(found) == (
        "inference at batch 1, 1 thread (2 networks); --batch-size 64 --threads 1: batch 64, 1 thread (1 network); "
        "--batch-size 64 --threads 2: batch 64, 2 threads (1 network)"
    )
    assert setting_remark(candidates(TWO_SETTINGS), batch_size=7) == (
        "no inference was timed at batch 7; --batch-size 1: batch 1, 1 thread (2 networks); "
        "--batch-size 64: batch 64, 1 thread (1 network)"
    )


def test_a_setting_stands_behind_costs_of_inference_alone() -> None:
    budget = Budget({"epoch_seconds": 100.0, "training_mib": 100.0})
    text = "\n".join(advice_lines(asked(budget), budget))
    assert "batch" not in text
    assert "inference" not in text
    budget = Budget({"mib": 100.0, "epoch_seconds": 100.0})
    assert "batch 10, 1 thread" in "\n".join(advice_lines(asked(budget), budget))


def test_the_time_of_the_whole_training_is_a_cost() -> None:
    advice = asked(Budget({"training_seconds": 6.0}))
    assert (widths(advice.front), widths(advice.beaten), widths(advice.over)) == ([4], [2], [8])
    line = over_line(Budget({"training_seconds": 6.0}), advice.over)
    assert line == "over the budget: separable SO2(4) C=8 (training 8 s)"


def noisy(record: Record, *kinds: str) -> Record:
    findings = [{"kind": kind, "detail": "made up", "remedy": "none"} for kind in kinds]
    return {**record, "noise": {"verdict": "noisy", "findings": findings}}


def test_noisy_times_are_marked_counted_and_explained() -> None:
    records = [*RESULTS[:-2], noisy(timed(4, 4.0), "drift", "too_few_samples"), noisy(timed(2, 2.0), "drift")]
    budget = Budget({"ms": 10.0})
    lines = advice_lines(asked(budget, records), budget)
    assert (
        "noisy: the records distrust the time of inference of 2 of 3 networks: drift (2) and too few samples (1)"
        in (lines)
    )
    assert [line.endswith("batch 10, 1 thread, noisy") for line in lines if " epochs, lr" in line] == [
        False,
        True,
        True,
    ]
    budget = Budget({"mib": 100.0})
    assert "noisy" not in "\n".join(advice_lines(asked(budget, records), budget))


def test_networks_over_the_budget_are_named_with_what_they_miss_and_counted() -> None:
    budget = Budget({"ms": 3.0, "training_mib": 100.0})
    lines = advice_lines(asked(budget), budget)
    assert "over the budget: separable SO2(4) C=4 (4 ms), separable SO2(4) C=8 (8 ms)" in lines
    many = [record for width in range(20, 29) for record in trained(POOR, width, parameters=100 * width)]
    budget = Budget({"parameters": 1000})
    [line] = [line for line in advice_lines(asked(budget, many), budget) if line.startswith("over the budget")]
    assert line.count("parameters)") == MOST_NAMED
    assert line.endswith(", and 2 more")  # the nearest has a line of its own


def test_the_only_network_within_the_budget_is_named_with_its_doubt() -> None:
    budget = Budget({"ms": 2.1})
    lines = advice_lines(asked(budget), budget)
    assert lines[0] == (
        "only separable SO2(4) C=2 (80.5%, 2 [1.8, 2.2] ms, batch 10, 1 thread) is within the budget. "
        "A 95 % interval of separable SO2(4) C=2 reaches beyond the budget"
    )
    budget = Budget(min_accuracy=0.94)
    assert advice_lines(asked(budget), budget)[0].startswith(
        "only separable SO2(4) C=8 (97.5%, 8 [7.2, 8.8] ms, batch 10"
    )
    assert advice_lines(asked(Budget(), RESULTS[:3]), Budget())[0] == "the only network is separable SO2(4) C=8 (97.5%)"


def test_an_interval_of_a_time_is_that_of_its_record_for_any_number_of_rounds() -> None:
    record = timed(8, 8.0)
    record["seconds"]["rounds"] = [[0.08], [0.081]]
    budget = Budget({"ms": 10.0})
    lines = advice_lines(asked(budget, [*trained(GOOD, 8), record]), budget)
    found = interval_of(record)
    assert f"8 [{1e2 * found.low:.3g}, {1e2 * found.high:.3g}] ms" in lines[0]


def test_a_network_without_the_limited_cost_is_unknown() -> None:
    advice = asked(Budget({"ms": 10}), [*RESULTS, *trained(GOOD, 16)])
    assert widths(advice.unknown) == [16]
    assert 16 not in widths([*advice.front, *advice.over])


def test_a_network_beaten_by_less_than_its_interval_is_possible() -> None:
    noisy = (0.90, 0.96, 0.93)
    advice = asked(Budget({"ms": 10}), [*RESULTS, *trained(noisy, 5), timed(5, 5.0)])
    assert widths(advice.possible) == [5]


def test_an_interval_that_exceeds_the_budget_is_marked() -> None:
    budget = Budget({"ms": 4.1})
    by_width = {candidate.configuration["channels"]: candidate for candidate in in_setting(RESULTS)}
    assert budget.unsure(by_width[4])
    assert not budget.unsure(by_width[2])
    assert Budget(min_accuracy=0.934).unsure(by_width[4])


def test_a_budget_that_no_network_meets_names_the_nearest() -> None:
    budget = Budget({"ms": 1})
    line = nearest_line(budget, asked(budget))
    assert line == "no network meets 1 ms; nearest: separable SO2(4) C=2 with 2 ms (batch 10, 1 thread), 100% over"
    budget = Budget({"ms": 0.001})
    assert nearest_line(budget, asked(budget)).endswith("with 2 ms (batch 10, 1 thread), 2,000× the budget")
    budget = Budget({"parameters": 10_000}, min_accuracy=0.99)
    assert "nearest, by its largest miss in proportion to the limit: separable SO2(4) C=8" in (
        nearest_line(budget, asked(budget))
    )
    assert "97.5% accuracy" in nearest_line(budget, asked(budget))


def test_a_configuration_that_failed_is_no_candidate() -> None:
    assert candidates([training_record([0.1, 0.9], status="failed")]) == []


@pytest.mark.parametrize("wrong", [{"limits": {"ms": 0}}, {"limits": {"ms": float("nan")}}, {"min_accuracy": 95}])
def test_an_impossible_budget_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="allowed") as caught:
        Budget(**wrong)
    assert ("did you mean 0.95? " in str(caught.value)) == ("min_accuracy" in wrong)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for record in RESULTS:
        RecordStore(tmp_path).append(record)
    return tmp_path


def test_the_command(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", "--max-ms", "5", "--results", str(results)]) == 0
    printed = capsys.readouterr().out
    assert "2 within 5 ms; 2 on the front" in printed
    assert "separable SO2(4) C=4" in printed
    assert "93.5 [" in printed


def test_the_network_to_take_is_the_cheapest_shown_to_be_near_the_best() -> None:
    near = (0.9696, 0.9798, 0.9745)
    records = [
        *RESULTS,
        *trained(near, 3, seconds_per_epoch=5.0, parameters=5000),
        timed(3, 3.0, mib=30),
    ]
    advice = asked(Budget({"ms": 10.0}), records)
    within = [*advice.front, *advice.possible, *advice.beaten]
    [line] = recommendation(within, *advice.axes)
    assert line.startswith(
        "take separable SO2(4) C=3 (97.5%, 3 [2.7, 3.3] ms, batch 10, 1 thread), the cheapest by time per image"
    )
    assert "that of separable SO2(4) C=8 (97.5%, 8 [7.2, 8.8] ms, batch 10, 1 thread), which costs 2.67× [2.3" in line
    assert ". This cheaper network is shown to be more than 1 point less accurate: " in line
    [line] = recommendation(within[:1], *advice.axes)
    assert line.startswith("only separable SO2(4) C=8 (")


def test_the_network_to_take_is_named_with_what_its_intervals_leave_open() -> None:
    records = [*trained(GOOD, 8), *trained(POOR, 2), timed(8, 8.0), timed(2, 2.0)]
    for record in records:
        if record["kind"] == "cost":
            record["seconds"]["rounds"] *= 3
    advice = asked(Budget({"ms": 8.5}), records)
    within = [*advice.front, *advice.possible, *advice.beaten]
    [line] = recommendation(within, *advice.axes, Budget({"ms": 8.5}).unsure)
    assert "8 [7.2, 8.8] ms" in line
    assert line.endswith("A 95 % interval of separable SO2(4) C=8 reaches beyond the budget")
    [line] = recommendation(within, *advice.axes, Budget({"ms": 9.0}).unsure)
    assert "beyond" not in line


def test_two_seeds_recommend_nothing() -> None:
    records = [*trained(GOOD[:2], 8), *trained(POOR[:2], 2), timed(8, 8.0), timed(2, 2.0)]
    advice = asked(Budget({"ms": 10.0}), records)
    [line] = recommendation([*advice.front, *advice.possible, *advice.beaten], *advice.axes)
    assert line.startswith("too few seeds to tell accuracies apart; the highest: separable")


def test_the_command_without_a_network_within_the_budget(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", "--max-ms", "1", "--results", str(results)]) == 1
    assert "no network meets 1 ms; nearest" in capsys.readouterr().out


def test_the_command_says_how_to_measure_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for record in trained(GOOD, 8):
        RecordStore(tmp_path).append(record)
    assert main(["advise", "--max-ms", "1", "--results", str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert "1 is not judged: its time per image of inference was not measured" in printed
    assert (
        "sweep --layer resnet --variant separable --group SO2 --resolution 4 --scales 1 --channels 8 --image-size 16 "
        "--kernel-size 5 --in-channels 1 --num-classes 10 --batch-size 1"
    ) in printed


def test_the_command_needs_results_of_one_data_set(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for record in trained(GOOD, 8, dataset="rotated-mnist"):
        RecordStore(results).append(record)
    assert main(["advise", "--max-ms", "5", "--results", str(results)]) == 2
    assert "give --dataset, allowed: rotated-digits, rotated-mnist" in capsys.readouterr().err
    assert main(["advise", "--max-ms", "5", "--results", str(results), "--dataset", "rotated-digits"]) == 0
    assert main(["advise", "--max-ms", "5", "--results", str(results), "--device", "cuda"]) == 2


def test_the_command_without_limits_answers_for_each_known_cost(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["advise", "--results", str(results)]) == 0
    printed = capsys.readouterr().out
    assert "3 networks, without limits; 3 on the front of accuracy against time per image of inference\n" in printed
    [taken] = [line for line in printed.splitlines() if line.startswith("take ")]
    assert taken.startswith(
        "take separable SO2(4) C=8 (97.5%), which has the highest mean accuracy; no network is shown"
    )
    for cost in (
        "time of inference (8 [7.2, 8.8] ms, batch 10, 1 thread)",
        "memory of inference (80 MiB, batch 10, 1 thread)",
        "time of training (8 [8, 8] s)",
        "memory of training (0.954 MiB)",
        "parameters (8k parameters)",
    ):
        assert cost in taken


def test_without_limits_each_network_to_take_has_a_sentence_with_its_costs(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    near = (0.9696, 0.9798, 0.9745)
    for record in [*trained(near, 3, seconds_per_epoch=9.0, parameters=5000), timed(3, 3.0, mib=30)]:
        RecordStore(results).append(record)
    assert main(["advise", "--results", str(results)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == (
        "separable SO2(4) C=8 (97.5%) has the highest mean accuracy; of it and the networks shown to be within 1 point "
        "of it:"
    )
    assert lines[2].startswith(
        "take separable SO2(4) C=3 (97.5%) for the least time of inference (3 [2.7, 3.3] ms, batch"
    )
    assert lines[2].endswith(") or parameters (5k parameters)")
    assert lines[3].startswith("take separable SO2(4) C=8 (97.5%) for the least time of an epoch (8 [8, 8] s/epoch)")


def test_without_limits_a_cost_known_of_some_networks_is_said_to_be_left_out() -> None:
    lines = advice_lines(asked(Budget(), RESULTS[:-1]), Budget())
    assert "left out: time per image of inference, known of 2 of 3 networks (--max-ms compares these)" in lines


def test_the_command_says_which_alternatives_are_not_among_the_results(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for record in [*trained(GOOD, 8, variant="averaged"), *trained(GOOD, 8, variant="plain", augmentation="rotations")]:
        RecordStore(results).append(record)
    assert main(["advise", "--max-ms", "5", "--results", str(results)]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith("not among these results: plain; a network that turns images upright (canonical); full\n")


COLOUR: dict[str, Any] = {"dataset": "folder", "network": "allcnnc"}


@pytest.mark.parametrize("classes", [10, 5])
def test_networks_for_colour_images_and_any_number_of_classes(
    classes: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = trained(GOOD, 8, **COLOUR)
    for record in records:
        record["data"] |= {"channels": 3, "classes": classes}
        RecordStore(tmp_path).append(record)
    asked = ["advise", "--max-ms", "5", "--results", str(tmp_path)]
    assert main(asked) == 1
    printed = capsys.readouterr().out
    assert "sweep --layer allcnnc --variant separable" in printed
    assert f"--in-channels 3 --num-classes {classes} --batch-size 1" in printed
    RecordStore(tmp_path).append(timed(8, 4.0, layer="allcnnc", in_channels=3, num_classes=15 - classes))
    assert main(asked) == 1  # the network of other images
    RecordStore(tmp_path).append(timed(8, 4.0, layer="allcnnc", in_channels=3, num_classes=classes))
    capsys.readouterr()
    assert main(asked) == 0
    assert "1 within 5 ms" in capsys.readouterr().out


def test_a_users_network_is_a_candidate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = {"network": "mine:net", "variant": "custom", "group": "trivial", "resolution": 1}
    for record in trained(GOOD, 8, **own):
        RecordStore(tmp_path).append(record)
    asked = ["advise", "--max-ms", "5", "--results", str(tmp_path)]
    assert main(asked) == 1
    assert "sweep --layer resnet --variant plain --network mine:net --channels 8" in capsys.readouterr().out
    case: dict[str, Any] = {"layer": "network", "implementation": "mine:net", **own, "kernel_size": 3}
    case.pop("network")
    RecordStore(tmp_path).append(timed(8, 4.0, **case))
    assert main(asked) == 0
    assert "\nmine:net 16²" in capsys.readouterr().out


def test_a_users_network_has_a_width_if_it_was_trained_with_several() -> None:
    own = {"network": "mine:net", "variant": "custom", "group": "trivial", "resolution": 1}
    ours, theirs, wider = trained(GOOD, 8), trained(GOOD, 8, **own), trained(GOOD, 16, **own)
    assert [c.name for c in candidates([*ours, *theirs])] == ["separable SO2(4) C=8", "mine:net"]
    assert [c.name for c in candidates([*theirs, *wider])] == ["mine:net C=8", "mine:net C=16"]
    elsewhere = trained(GOOD, 16, **own, dataset="digits")
    assert [c.name for c in candidates([*theirs, *elsewhere])] == ["mine:net", "mine:net"]


def test_a_network_in_two_tables_of_a_study_is_one_candidate() -> None:
    tables = [trained(GOOD, 8, matched=budget) for budget in ("parameters", "time")]
    assert len(candidates([record for records in tables for record in records])) == 1
    assert len(candidates([*tables[0], *trained(GOOD, 9, matched="time")])) == 2


def test_networks_trained_on_different_numbers_of_images_are_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for size, accuracies in ((100, POOR), (1000, MIDDLE)):
        for record in trained(accuracies, 8, train_limit=size):
            RecordStore(tmp_path).append(record)
    assert main(["advise", "--max-epoch-seconds", "10", "--results", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == (
        "1 configuration on rotated-digits (1000 train images), A, 2 cores; "
        "left out: 1 trained on other images (100 train images: --train-limit 100)"
    )
    assert "93.5 [" in printed
    assert "80.5 [" not in printed
    assert main(["advise", "--train-limit", "100", "--results", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(
        "1 configuration on rotated-digits (100 train images), A, 2 cores; left out: 1 trained on"
    )
    assert "80.5 [" in printed
    assert main(["advise", "--train-limit", "99", "--results", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "error: no results for --train-limit 99; allowed: 100, 1000\n"


def test_the_remark_says_which_machines_and_sizes_are_left_out(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = [{**record, "provenance": {**MACHINE, "cpu": "B"}} for record in trained(POOR, 9)]
    for record in [*elsewhere, *trained(POOR, 8, limit=128, image_size=32)]:
        RecordStore(results).append(record)
    assert main(["advise", "--results", str(results)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        "3 configurations on rotated-digits, A, 2 cores; left out: 1 trained on other images (32 × 32 and at most 128 "
        "images in each part), 1 on another machine (B, 2 cores)"
    )


def test_groups_and_variants_choose_among_the_networks(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for record in trained(GOOD, 8, variant="plain", group="trivial", resolution=1):
        RecordStore(results).append(record)
    place = ["--results", str(results)]
    assert (
        main(["advise", *place, "--max-parameters", "1e9", "--group", "SE(2)", "--variant", "plain", "separable"]) == 0
    )
    printed = capsys.readouterr().out
    assert (
        "4 configurations on rotated-digits, A, 2 cores; of these, the 3 of group SO2 and variant plain, sep" in printed
    )
    assert "plain C=8" not in printed
    assert "not among these results: plain;" not in printed  # it was left out on purpose
    for wrong, said in {
        "--group O2": "no results for group 'O2'; allowed: SO2, trivial",
        "--group SE(3)": "unknown group 'SE(3)'; did you mean SO2? allowed: SO2, trivial",
        "--variant seperable": "unknown variant 'seperable'; did you mean separable? allowed: plain, separable",
        "--variant plain --group SE(2)": "no results for group SO2 and variant plain; allowed: without one of them",
    }.items():
        assert main(["advise", *place, *wrong.split()]) == 2
        assert capsys.readouterr().err == f"error: {said}\n"


def test_the_command_asks_for_a_setting_of_inference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for record in TWO_SETTINGS:
        RecordStore(tmp_path).append(record)
    place = ["advise", "--results", str(tmp_path), "--max-ms", "2.5"]
    assert main(place) == 0
    assert (
        "2 cores; inference at batch 1, 1 thread (2 networks); --batch-size 64: batch 64, 1" in capsys.readouterr().out
    )
    assert main([*place, "--batch-size", "64"]) == 0
    printed = capsys.readouterr().out
    assert "only separable SO2(4) C=8 (97.5%, 0.5 [" in printed
    assert "1 is not judged" in printed
    assert "--num-classes 10 --batch-size 64 --threads 1\n" in printed
    assert main([*place, "--batch-size", "0"]) == 2
    assert "batch-size 0 is not allowed" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["advise", "break-even"])
def test_results_without_a_trained_network_say_why(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    RecordStore(tmp_path).append(timed(8, 8.0))
    asked = [command, "--results", str(tmp_path)]
    assert main(asked) == 2
    train = "train some: python -m benchmarks train\n"
    alone = f"error: {tmp_path} has no trained network: its records are of costs alone; {train}"
    assert capsys.readouterr().err == alone
    RecordStore(tmp_path).append(training_record([0.1, 0.9], status="failed"))
    assert main(asked) == 2
    assert capsys.readouterr().err == f"error: {tmp_path} has no trained network: its runs failed (1); {train}"
