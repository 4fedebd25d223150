"""Tests of outcomes: every exception becomes one line that can be stored and shown."""

import json
from pathlib import Path

import pytest

from benchmarks.records.outcome import MESSAGE_LENGTH, InvalidResult, Skipped, outcome_of
from benchmarks.records.printable import UNPRINTABLE, escaped, escaped_texts
from benchmarks.records.store import RecordStore

HOSTILE = "lone \udc80 surrogate, \x1b[31mred, \x1b]0;title\x07, \u202e from the right, \x00"


class TextlessError(RuntimeError):
    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (RuntimeError("broken\nin two lines"), "failed", "RuntimeError: broken in two lines"),
        (MemoryError(), "out_of_memory", "MemoryError: "),
        (RuntimeError("CUDA out of memory"), "out_of_memory", "RuntimeError: CUDA out of memory"),
        (InvalidResult("nan"), "invalid", "InvalidResult: nan"),
        (Skipped("no CUDA device"), "skipped", "no CUDA device"),
        (TextlessError(), "failed", "TextlessError: its message cannot be shown (ValueError)"),
        (type("Bad\x1b[2J", (Exception,), {})("x"), "failed", r"Bad\x1b[2J: x"),
    ],
)
def test_an_exception_is_a_status_and_one_line(error: Exception, status: str, message: str) -> None:
    outcome = outcome_of(error)
    assert (outcome.status, outcome.message.strip()) == (status, message.strip())


@pytest.mark.parametrize("kind", [RuntimeError, InvalidResult, Skipped])
def test_surrogates_and_escapes_of_terminals_are_written_out(kind: type[Exception]) -> None:
    message = outcome_of(kind(HOSTILE)).message
    assert message.endswith(r"lone \udc80 surrogate, \x1b[31mred, \x1b]0;title\x07, \u202e from the right, \x00")
    assert UNPRINTABLE.search(message) is None
    assert len(outcome_of(kind("\x1b" * 10_000)).message) == MESSAGE_LENGTH


def test_no_text_anywhere_in_a_record_breaks_the_store_or_reaches_it_raw(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    record = {"schema": 2, "kind": "cost", "id": "a", "status": "failed", "message": HOSTILE}
    store.append({**record, "provenance": {"glibc_tunables": HOSTILE, HOSTILE: [HOSTILE, ("\ud800", 1, None)]}})
    (line,) = store.path.read_text(encoding="utf-8").splitlines()
    assert UNPRINTABLE.search(line) is None
    found = json.loads(line)
    assert found["message"] == found["provenance"]["glibc_tunables"] == escaped(HOSTILE)
    assert UNPRINTABLE.search(repr(found)) is None
    assert [each["id"] for each in store.load()] == ["a"]


def test_ordinary_values_stay_as_they_are() -> None:
    value = {"a": [1, 2.5, None, True, "× µ ² „text“\ttab\nline"], "b": {"c": "|H| ≥ 2"}}
    assert escaped_texts(value) == value
