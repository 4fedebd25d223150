"""Tests of the comparison of two commits or two sets of results, and of its exit status."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import benchmarks.__main__ as command_line
from benchmarks.answers.differences import NO_REGRESSION, NOTHING_COMPARED, REGRESSION, compare_results, markdown_lines
from benchmarks.cases.case import Case
from benchmarks.comparing import commits
from benchmarks.comparing.commits import Pair, compare_commits, measure_commits, resolve, workplace
from benchmarks.comparing.server import Server
from benchmarks.measure.sampling import Sampling
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore

HERE = {"cpu": "A", "cores": 2, "gpu": None}
TINY = {"channels": 2, "batch_size": 1, "image_size": 8, "kernel_size": 3, "threads": 1}
CASES = [Case(**TINY, resolution=resolution) for resolution in (2, 4)]
FAST = Sampling(rounds=2, min_samples=4, seconds=0.01)


def record(case: Case, factor: float = 1.0, **fields: Any) -> Record:
    """Return a cost record; medians of rounds differ by about 1 %."""
    rng = np.random.default_rng(int(case.id, 16))
    rounds = (factor * 1e-3 * np.exp(0.01 * rng.normal(size=(5, 1)) + 0.02 * rng.normal(size=(5, 9)))).tolist()
    base = {"schema": 2, "kind": "cost", "id": case.id, "case": case.fields(), "status": "ok", "message": ""}
    return {**base, "seconds": {"rounds": rounds}, "provenance": HERE, **fields}


def stored(path: Path, *records: Record) -> str:
    for one in records:
        RecordStore(path).append(one)
    return str(path)


def test_slower_results_are_a_regression_and_top_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = stored(tmp_path / "a", *(record(case) for case in CASES))
    b = stored(tmp_path / "b", record(CASES[0]), record(CASES[1], factor=1.3))
    assert command_line.main(["compare", a, b]) == REGRESSION
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("slower  1.300  [")  # the worst first
    assert lines[1].endswith(CASES[1].label)
    assert lines[2].startswith("same    1.000  [")
    assert lines[-3:] == [
        "noise floor 10.0%, given: results of different hours; to find smaller changes, compare commits",
        "2 compared: 0 faster, 1 slower, 1 same, 0 ambiguous",
        "regression: 1 slower beyond the noise floor, 0 broken",
    ]
    assert command_line.main(["compare", b, a]) == NO_REGRESSION
    assert command_line.main(["compare", a, b, "--floor", "40"]) == NO_REGRESSION


def test_a_results_file_stands_for_its_directory(tmp_path: Path) -> None:
    a = stored(tmp_path, record(CASES[0]))
    assert command_line.main(["compare", a, str(tmp_path / "records.jsonl")]) == NO_REGRESSION


def test_results_without_common_cases_are_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = (stored(tmp_path / case.id, record(case)) for case in CASES)
    assert command_line.main(["compare", a, b]) == NOTHING_COMPARED
    assert capsys.readouterr().out.splitlines()[-1].startswith("nothing could be compared")


def test_only_a_failure_at_b_alone_is_a_regression() -> None:
    ok, failed = record(CASES[0]), record(CASES[0], status="failed", seconds=None)
    skipped = record(CASES[0], status="skipped", seconds=None)
    assert compare_results([ok], [failed], 0.1).status == REGRESSION
    for before, after in ((failed, ok), (ok, skipped), (failed, failed)):
        assert compare_results([before], [after], 0.1).status == NOTHING_COMPARED


def test_machines_are_mixed_only_on_request() -> None:
    ours, theirs = record(CASES[0]), record(CASES[0], provenance={**HERE, "cpu": "B"})
    with pytest.raises(ValueError, match="results of different machines, A, 2, None against B, 2, None; say --across"):
        compare_results([ours], [theirs], 0.1)
    report = compare_results([ours], [theirs], 0.1, across_machines=True)
    assert report.status == NO_REGRESSION
    assert "different machines" in report.remarks[-1]


def test_records_of_schema_1_have_one_process_and_no_interval() -> None:
    old = record(CASES[0], seconds={"samples": [1.0, 1.1, 1.2]})
    (row,) = compare_results([old], [old], 0.1).rows
    assert row.comparison is not None
    assert row.comparison.word == "ambiguous"


def test_markdown_is_a_table_and_a_list() -> None:
    lines = markdown_lines(compare_results([record(CASES[0])], [record(CASES[0])], 0.1))
    assert lines[:2] == [
        "| B is | B / A | 99% interval | A, ms | B, ms | case |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    assert lines[2].startswith("| same | 1.000 | [")
    assert lines[-1] == "- no regression: no case is slower beyond the noise floor"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("no-such-thing .", "'no-such-thing' is neither results nor a commit; allowed: a directory, a file, a commit"),
        (". . --rounds 1", "rounds 1 are too few to compare commits; allowed: integers of at least 2"),
        (". . --floor -1", "floor -1.0 is not allowed; allowed: percentages of at least 0"),
    ],
)
def test_a_wrong_request_is_one_line(arguments: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["compare", *arguments.split()]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_twins_are_rounds_of_one_commit_right_after_each_other() -> None:
    # In the order A0 B0, B1 A1, A2 B2, B3 A3.
    a, b = [[[float(10 * side + n)] for n in range(4)] for side in (0, 1)]
    assert Pair(a, b).twins() == ([[10.0], [1.0], [12.0]], [[11.0], [2.0], [13.0]])


def test_a_workplace_has_the_commits_package_and_our_benchmarks() -> None:
    commit = resolve("HEAD")
    with workplace(commit) as place:
        assert (place / "benchmarks").resolve() == commits.ROOT / "benchmarks"
        assert not (place / "gcnn_impl").is_symlink()
        with Server(place, timeout=60) as server:
            assert server.ask(None) == str(place / "gcnn_impl" / "__init__.py")
            assert server.ask(CASES[0]).status == "ok"
    assert not place.exists()


def test_a_commit_without_the_package_is_refused() -> None:
    with pytest.raises(ValueError, match="has no gcnn_impl"), workplace("HEAD:docs"):
        pass


def test_two_commits_are_measured_round_by_round() -> None:
    pairs = measure_commits(resolve("HEAD"), ".", CASES, FAST, timeout=60)
    assert set(pairs) == set(CASES)
    for pair in pairs.values():
        assert pair.failures == {}
        assert [len(pair.a), len(pair.b)] == [2, 2]
        assert all(len(samples) >= 2 for samples in (*pair.a, *pair.b))


def test_the_noise_floor_of_commits_comes_from_their_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)

    def measured(a: str, b: str, cases: list[Case], *_: object) -> dict[Case, Pair]:
        def rounds(factor: float) -> list[list[float]]:
            return [[factor * np.exp(0.002 * x)] for x in rng.normal(size=10)]

        good = {case: Pair(rounds(1.0), rounds(factor)) for case, factor in zip(cases, (1.0, 1.1), strict=False)}
        return {**good, cases[2]: Pair(failures={"B": "failed: no"})}

    monkeypatch.setattr("benchmarks.comparing.commits.measure_commits", measured)
    cases = [Case(**TINY, resolution=resolution) for resolution in (2, 4, 8)]
    report = compare_commits("a", "b", cases, Sampling(rounds=10), 60.0)
    assert [row.comparison and row.comparison.word for row in report.rows] == ["same", "slower", None]
    assert [row.broken for row in report.rows] == [False, False, True]
    assert report.status == REGRESSION
    assert report.remarks[1].startswith("noise floor ")
    assert compare_commits("a", "b", cases, Sampling(rounds=10), 60.0, floor=0.2).rows[1].comparison.word == "same"  # type: ignore[union-attr]


def test_the_parser_takes_the_options_of_the_command_and_those_of_cases() -> None:
    args = command_line.parser("compare").parse_args(["compare", "HEAD", ".", "--variant", "full", "--markdown"])
    assert isinstance(args, argparse.Namespace)
    assert (args.a, args.b, args.variant, args.markdown, args.rounds) == ("HEAD", ".", ["full"], True, 10)
