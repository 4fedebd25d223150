import copy
import json

import pytest

from benchmarks.statistics.verdicts import FINE, NOT_COMPARED, REGRESSED, STATUS, UNDECIDED
from reports.__main__ import main
from reports.exports.difference import difference
from reports.exports.difference_text import as_markdown, as_text

from ..conftest import cost_record, failed_record, old, on_gpu, training_record

SEEDS = range(5)


def times(record, factor):
    changed = copy.deepcopy(record)
    changed["seconds"]["rounds"] = [[factor * x for x in samples] for samples in record["seconds"]["rounds"]]
    return changed


def again(record):
    """Return the record of another measurement of the same code: some samples differ a little."""
    changed = times(record, 1 + 1e-9) if record["kind"] == "cost" else copy.deepcopy(record)
    changed["provenance"]["measured_at"] = "2030-01-01T00:00:00+00:00"
    return changed


def runs(*accuracies, variant="full"):
    return [training_record(variant, 4, seed, accuracy) for seed, accuracy in enumerate(accuracies)]


def words(found):
    return [row.comparison.word for row in found.times.rows]


def stored(path, *records):
    path.mkdir()
    (path / "records.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)


def test_times_are_judged_as_compare_judges_them():
    cases = [cost_record(variant=variant) for variant in ("full", "separable", "lifting")]
    changed = [times(case, factor) for case, factor in zip(cases, (2.0, 0.5, 1.0001), strict=True)]
    found = difference(cases, changed, 0.1)
    assert words(found) == ["slower", "faster", "same"]
    assert found.verdict == REGRESSED
    assert difference(cases, changed, 1.5).verdict == FINE


def test_only_what_changed_is_listed_unless_everything_is_asked_for():
    cases = [cost_record(variant=variant) for variant in ("full", "separable")]
    found = difference(cases, [times(cases[0], 2.0), again(cases[1])], 0.1)
    assert [line.split()[0] for line in as_text(found) if " [" in line] == ["slower"]
    assert [line.split()[0] for line in as_text(found, everything=True) if " [" in line] == ["slower", "same"]
    assert "2 compared: 0 faster, 1 slower, 1 same, 0 ambiguous" in as_text(found)


def test_a_case_that_makes_the_verdict_undecided_is_listed():
    cases = [cost_record(variant=variant) for variant in ("full", "separable")]
    found = difference(cases, [times(cases[0], 1.09), again(cases[1])], 0.1)
    assert found.verdict == UNDECIDED
    [line] = [line for line in as_text(found) if " [" in line]
    assert " undecided " in line
    assert " full " in line


def test_new_lost_and_broken_cases_are_named():
    a, b, c, d = (cost_record(channels=channels) for channels in (8, 16, 32, 64))
    found = difference([a, b, c], [b, failed_record("no", channels=32), d], 0.1)
    assert found.verdict == REGRESSED
    assert [row.broken for row in found.times.rows] == [False, True]
    assert [len(found.lost), len(found.new)] == [1, 1]
    assert "C=8" in found.lost[0]
    assert "C=64" in found.new[0]
    lines = as_text(found)
    assert any(line.startswith("broken") and line.endswith("at B: failed") for line in lines)
    assert "IN A ALONE" in lines
    assert "IN B ALONE" in lines


def test_counts_have_no_noise_and_peaks_hardly_any():
    a, b = cost_record(variant="full"), cost_record(variant="full")
    b["macs"]["convolution"] += 1
    b["memory"]["peak_bytes"] = round(1.02 * b["memory"]["peak_bytes"])
    b["parameters"] = a["parameters"]
    found = difference([a], [b], 0.1)
    assert [count.what for count in found.counts] == ["MACs, convolution", "peak memory"]
    assert difference([a], [a], 0.1).counts == []
    b["memory"]["peak_bytes"] = round(1.005 * a["memory"]["peak_bytes"])
    assert [count.what for count in difference([a], [b], 0.1).counts] == ["MACs, convolution"]


@pytest.mark.parametrize(
    ("before", "after", "word", "verdict"),
    [
        ((0.90, 0.91, 0.92, 0.93, 0.94), (0.80, 0.82, 0.81, 0.84, 0.83), "worse", REGRESSED),
        ((0.80, 0.82, 0.81, 0.84, 0.83), (0.90, 0.91, 0.92, 0.93, 0.94), "better", FINE),
        ((0.90, 0.91, 0.92, 0.93, 0.94), (0.90, 0.91, 0.92, 0.93, 0.94), "same", FINE),
        ((0.90, 0.95, 0.92, 0.99, 0.94), (0.95, 0.90, 0.99, 0.93, 0.93), "ambiguous", UNDECIDED),
        ((0.90,), (0.50,), "ambiguous", UNDECIDED),  # one seed is too few for a verdict
    ],
)
def test_accuracies_are_judged_over_pairs_of_equal_seeds(before, after, word, verdict):
    found = difference(runs(*before), list(map(again, runs(*after))), 0.1)
    [row] = found.accuracies
    assert (row.word, row.n) == (word, len(before))
    assert row.b - row.a == pytest.approx(sum(after) / len(after) - sum(before) / len(before))
    assert found.verdict == verdict


def test_seeds_are_paired_by_their_numbers():
    before = runs(0.80, 0.85, 0.90)
    after = [training_record("full", 4, seed, accuracy) for seed, accuracy in ((2, 0.90), (0, 0.80), (7, 0.10))]
    [row] = difference(before, list(map(again, after)), 0.1).accuracies
    assert (row.n, row.a, row.b) == (2, pytest.approx(0.85), pytest.approx(0.85))


def test_a_network_of_one_side_is_lost_or_new():
    found = difference(runs(0.9, variant="full"), runs(0.9, variant="separable"), 0.1)
    assert found.accuracies == []
    assert [name.split()[0] for name in (*found.lost, *found.new)] == ["full", "separable"]
    assert found.verdict == NOT_COMPARED


def test_a_training_run_that_fails_at_b_alone_is_a_regression():
    before = runs(0.9, 0.9)
    after = [before[0], {**before[1], "status": "killed", "message": "signal 9"}]
    found = difference(before, after, 0.1)
    assert found.verdict == REGRESSED
    assert found.broken == [f"training run {before[1]['id']}: killed: signal 9"]


def test_machines_are_not_mixed_without_saying_so(tmp_path, capsys):
    here, there = cost_record(), again(cost_record())
    there["provenance"]["cpu"] = "Another CPU"
    a, b = stored(tmp_path / "a", here, *runs(0.9)), stored(tmp_path / "b", there)
    assert main(["diff", a, b]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: results of different machines, Made-up CPU, 2 cores against Another CPU, 2 cores")
    assert error.count("\n") == 1
    assert main(["diff", a, b, "--across-machines"]) == STATUS[FINE]
    assert "differences need not be the code's" in capsys.readouterr().out


def test_the_command_says_the_same_as_markdown(tmp_path, capsys):
    case, hostile = cost_record(), cost_record(channels=99)
    hostile["case"]["layer"], hostile["id"] = "<script>|@you", "<script>|@you [x](http://evil)"
    a = stored(tmp_path / "a", case, *runs(0.9, 0.91, 0.92))
    b = stored(tmp_path / "b", times(case, 3), hostile, *map(again, runs(0.9, 0.91, 0.92)))
    assert main(["diff", a, b, "--markdown"]) == STATUS[REGRESSED]
    said = capsys.readouterr().out
    assert "### Times\n\n| B is | B / A |" in said
    assert "| slower | 3.000 | [" in said
    assert "### Test accuracy\n\n| B is | B − A, points |" in said
    assert "### In B alone\n\n- &#60;script&#62;" in said
    assert "<script" not in said
    assert "@you" not in said
    assert "](http" not in said


def test_the_same_records_are_no_comparison(tmp_path, capsys):
    a = stored(tmp_path / "a", cost_record(), cost_record(channels=99), *runs(0.9))
    assert main(["diff", a, str(tmp_path / "a" / "records.jsonl")]) == STATUS[NOT_COMPARED]
    said = capsys.readouterr().out
    assert "could not compare: the same records: nothing to compare" in said
    assert "may be slower" not in said
    b = stored(tmp_path / "b", again(cost_record()), cost_record(channels=99), *runs(0.9))
    assert main(["diff", a, b]) == STATUS[FINE]
    assert "1 case with the same record at A and B, not compared" in capsys.readouterr().out


def test_undecided_results_say_what_would_decide_them():
    case = cost_record()
    lines = as_text(difference([case], [times(case, 1.09)], 0.1))
    assert any(line.startswith("undecided: what decides is more rounds on both sides") for line in lines)


@pytest.mark.parametrize("floor", ["-1", "nan", "inf"])
def test_a_floor_that_is_none_is_one_line(tmp_path, capsys, floor):
    a = stored(tmp_path / "a", cost_record())
    assert main(["diff", a, a, f"--floor={floor}"]) == 2
    assert capsys.readouterr().err.startswith("error: floor ")


def test_old_records_and_records_without_samples_are_compared_where_they_can_be():
    a = old(cost_record())
    b = copy.deepcopy(a)
    b["seconds"]["samples"][0] *= 1 + 1e-9
    found = difference([a], [b], 0.1)
    assert words(found) == ["ambiguous"]  # one process shows no spread
    empty = {**cost_record(), "seconds": {"rounds": [[], []]}}
    assert difference([empty], [empty], 0.1).verdict == NOT_COMPARED


def test_markdown_of_nothing_in_common():
    lines = as_markdown(difference([cost_record()], [cost_record(channels=8)], 0.1))
    assert "- could not compare: no case has times on both sides" in lines


def test_devices_are_compared_each_with_itself_and_named():
    before = [cost_record(), on_gpu(cost_record()), *runs(0.9, 0.9), *(on_gpu(run) for run in runs(0.9, 0.9))]
    after = [again(cost_record()), on_gpu(times(cost_record(), 2.0)), *map(again, before[2:])]
    found = difference(before, after, 0.1)
    assert {row.label.split()[-1]: row.comparison.word for row in found.times.rows} == {
        "cpu×1": "same",
        "cuda": "slower",
    }
    labels = [row.label for row in found.accuracies]
    assert [label.endswith(", cuda") for label in labels] == [False, True]
    assert difference([before[0]], [before[0], before[1]], 0.1).new == ["conv separable SO2(8) " + CASE + " cuda"]


CASE = "C=16 B=16 28×28 k=5 forward cached"


def test_two_gpus_are_never_compared_with_one_another():
    one, other = on_gpu(cost_record(), "A"), on_gpu(times(cost_record(), 2.0), "B")
    with pytest.raises(ValueError, match="results of different machines"):
        difference([one], [other], 0.1)
    found = difference([one, other], [again(one), again(other)], 0.1)
    assert words(found) == ["same", "same"]
    ends = [row.label.partition(", ")[2] for row in found.times.rows]
    assert ends == ["A in Made-up CPU, 2 cores", "B in Made-up CPU, 2 cores"]


def test_a_run_that_no_answer_can_use_is_one_line_on_stderr(tmp_path, capsys):
    lacking = training_record("plain", 1, 0, 0.5)
    del lacking["run"]["seed"]
    folder = str(tmp_path)
    (tmp_path / "records.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in (cost_record(), lacking)))
    main(["diff", folder, folder])
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all(line.startswith(f"warning: {folder}/records.jsonl:2: left out") for line in lines)
