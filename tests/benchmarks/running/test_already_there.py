"""A user is told what speaks against the records that are already there."""

import warnings
from typing import Any

import pytest

from benchmarks.records.store import RecordWarning
from benchmarks.running.already_there import warn_of

COMMIT, OTHER = "a" * 40, "b" * 40


def record(status: str = "ok", **provenance: Any) -> dict[str, Any]:
    return {"id": "1", "status": status, "message": "it is broken", "provenance": {"commit": COMMIT, **provenance}}


def said(*records: dict[str, Any], commit: str | None = COMMIT, retried: bool = False, **code: str) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RecordWarning)
        warn_of(records, commit, code, retried=retried)
    return [str(each.message) for each in caught]


def test_records_of_this_commit_that_succeeded_need_no_word() -> None:
    assert said(record(), record(own_code={"mine": "1"}), mine="1") == []


def test_records_of_another_commit_are_counted() -> None:
    assert said(record(commit=OTHER), record(commit=None), record()) == [
        "2 of the 3 records already there are of another commit than aaaaaaaaaa; give another --results to measure "
        "this one"
    ]
    assert said(record(), commit=None) == []  # the installed suite knows no commit


def test_records_of_code_of_a_user_that_has_changed_since_are_counted() -> None:
    assert said(record(own_code={"mine": "1", "other": "7"}), record(own_code={"mine": "2"}), mine="2", other="7") == [
        "mine has changed since 1 of the 2 records already there were measured; give another --results to measure it "
        "as it is now"
    ]


def test_code_that_was_or_is_not_found_is_not_called_changed() -> None:
    assert said(record(own_code={"mine": "1"})) == []
    assert said(record(), mine="1") == []


@pytest.mark.parametrize("status", ["failed", "interfered", "out_of_memory"])
def test_records_of_failures_are_counted_unless_they_are_measured_again(status: str) -> None:
    assert said(record(status), record("skipped"), record()) == [
        f"1 of the 3 records already there are of failures ({status}: it is broken); --retry-failed measures them again"
    ]
    assert said(record(status), retried=True) == []
