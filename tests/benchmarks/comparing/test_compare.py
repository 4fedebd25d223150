"""Tests of the comparison of two commits or two sets of results, and of its exit status."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import benchmarks.__main__ as command_line
from benchmarks.answers.differences import compare_results, markdown_lines
from benchmarks.cases.case import Case
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.statistics.verdicts import FINE, NOT_COMPARED, REGRESSED, STATUS, UNDECIDED

HERE = {"cpu": "A", "cores": 2, "gpu": None}
TINY = {"channels": 2, "batch_size": 1, "image_size": 8, "kernel_size": 3, "threads": 1}
CASES = [Case(**TINY, resolution=resolution) for resolution in (2, 4)]


# The factor of another measurement of the same code.
AGAIN = 1 + 1e-9


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
    b = stored(tmp_path / "b", record(CASES[0], factor=AGAIN), record(CASES[1], factor=1.3))
    assert command_line.main(["compare", a, b]) == STATUS[REGRESSED]
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("slower  1.300  [")  # the worst first
    assert lines[1].endswith(f"regressed  {CASES[1].label}")
    assert lines[2].startswith("same    1.000  [")
    assert lines[-3:] == [
        "changes below 10.0% are called neither faster nor slower: the results are of different hours; compare commits "
        "to find smaller changes",
        "2 compared: 0 faster, 1 slower, 1 same, 0 ambiguous",
        "regressed: 1 slower, 0 broken",
    ]
    assert command_line.main(["compare", b, a]) == STATUS[FINE]
    assert command_line.main(["compare", a, b, "--at-least", "40"]) == STATUS[FINE]


def test_results_that_may_be_slower_are_undecided(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = (stored(tmp_path / str(factor), record(CASES[0], factor)) for factor in (1.0, 1.09))
    assert command_line.main(["compare", a, b]) == STATUS[UNDECIDED]
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "undecided: 1 may be slower by 10.0% or more"
    assert any("more rounds on both sides (sweep --rounds), or a comparison of the commits" in line for line in lines)


def test_a_results_file_stands_for_its_directory(tmp_path: Path) -> None:
    a, b = (stored(tmp_path / str(factor), record(CASES[0], factor)) for factor in (1.0, AGAIN))
    assert command_line.main(["compare", f"{a}/records.jsonl", b]) == STATUS[FINE]


def test_the_same_records_are_no_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = stored(tmp_path / "a", *(record(case) for case in CASES))
    assert command_line.main(["compare", a, a]) == STATUS[NOT_COMPARED]
    assert capsys.readouterr().out.splitlines()[-1] == "could not compare: the same records: nothing to compare"


def test_results_without_common_cases_are_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = (stored(tmp_path / case.id, record(case)) for case in CASES)
    assert command_line.main(["compare", a, b]) == STATUS[NOT_COMPARED]
    assert capsys.readouterr().out.splitlines()[-1] == "could not compare: no case has times on both sides"


def test_only_a_failure_at_b_alone_is_a_regression() -> None:
    ok, failed = record(CASES[0]), record(CASES[0], status="failed", seconds=None)
    skipped = record(CASES[0], status="skipped", seconds=None)
    assert compare_results([ok], [failed], 0.1).verdict == REGRESSED
    for before, after in ((failed, ok), (ok, skipped), (failed, failed)):
        assert compare_results([before], [after], 0.1).verdict == NOT_COMPARED


def test_machines_are_mixed_only_on_request() -> None:
    ours, theirs = record(CASES[0]), record(CASES[0], factor=AGAIN, provenance={**HERE, "cpu": "B"})
    with pytest.raises(ValueError, match="results of different machines, A, 2 cores against B, 2 cores; say --across"):
        compare_results([ours], [theirs], 0.1)
    report = compare_results([ours], [theirs], 0.1, across_machines=True)
    assert report.verdict == FINE
    assert "different machines" in report.remarks[-1]


def test_records_of_schema_1_have_one_process_and_no_interval() -> None:
    old, new = (record(CASES[0], seconds={"samples": [1.0, 1.1, last]}) for last in (1.2, 1.21))
    (row,) = compare_results([old], [new], 0.1).rows
    assert row.comparison is not None
    assert row.comparison.word == "ambiguous"


def test_markdown_is_a_table_and_a_list() -> None:
    lines = markdown_lines(compare_results([record(CASES[0])], [record(CASES[0], factor=AGAIN)], 0.1))
    assert lines[:2] == [
        "| B is | B / A | 99% interval | A, ms | B, ms | verdict | case |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    assert lines[2].startswith("| same | 1.000 | [")
    assert lines[-1] == "- fine: no case is slower by 10.0% or more"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "no-such-thing .",
            "'no-such-thing' is neither results nor a commit; allowed: a directory or a file ",
        ),
        (
            "tests .",
            "'tests' is neither results (it has no records) nor a commit; allowed: a directory or a file ",
        ),
        ("reports/reference/amd-epyc-2-cores .", "is results, and '.' is not; allowed: two commits, or two sets of "),
        ("HEAD reports/reference/amd-epyc-2-cores", "is results, and 'HEAD' is not; allowed: two commits, or two "),
        (". . --minutes 0", "minutes 0.0 are not allowed; allowed: positive numbers"),
        (". . --at-least 0", "a size of 0.0% is not allowed; allowed: positive percentages"),
        (". . --at-least -1", "at-least -1.0 is not allowed; allowed: percentages of at least 0"),
        (". . --timeout nan", "timeout nan is not allowed; allowed: positive numbers of seconds"),
    ],
)
def test_a_wrong_request_is_one_line(arguments: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["compare", *arguments.split()]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_the_parser_takes_the_options_of_the_command_and_those_of_cases() -> None:
    args = command_line.parser("compare").parse_args(["compare", "HEAD", ".", "--variant", "full", "--markdown"])
    assert isinstance(args, argparse.Namespace)
    assert (args.a, args.b, args.variant, args.markdown, args.minutes) == ("HEAD", ".", ["full"], True, None)
