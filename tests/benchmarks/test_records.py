"""No record is ever lost: appended durably, read past whatever a crash left behind, the newest of an id counting."""

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from benchmarks.records import FAILURES, STATUSES, RecordStore, RecordWarning


def record(identity: str = "a", status: str = "ok", **fields: Any) -> dict[str, Any]:
    return {"schema": 1, "kind": "cost", "id": identity, "status": status, **fields}


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "results")


def test_what_is_appended_is_loaded(store: RecordStore) -> None:
    records = [record("a", note="μs · ∅"), record("b", seconds={"samples": [1e-6, 0.1 + 0.2]})]
    for each in records:
        store.append(each)
    assert store.load() == records
    assert len(store.path.read_bytes().splitlines()) == 2


def test_a_store_without_a_file_is_empty(store: RecordStore) -> None:
    assert store.load() == []
    assert store.completed_ids() == set()


def test_the_newest_record_of_an_id_wins_and_the_older_stays_in_the_file(store: RecordStore) -> None:
    for each in (record("a", "failed"), record("b"), record("a", "ok")):
        store.append(each)
    assert store.load() == [record("b"), record("a", "ok")]
    assert len(store.path.read_text().splitlines()) == 3


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_truncated_last_line_costs_that_record_only(store: RecordStore, cut: int) -> None:
    store.append(record("a"))
    store.append(record("b"))
    whole = store.path.read_bytes()
    store.path.write_bytes(whole[: -1 - cut])
    with pytest.warns(RecordWarning, match=r"records\.jsonl:2: not a record, left out"):
        assert store.completed_ids() == {"a"}
    store.append(record("c"))
    with pytest.warns(RecordWarning, match=r"records\.jsonl:2: "):
        assert [each["id"] for each in store.load()] == ["a", "c"]
    assert store.path.read_bytes().startswith(whole[: -1 - cut])  # nothing is deleted


def test_a_missing_last_newline_costs_nothing(store: RecordStore) -> None:
    store.append(record("a"))
    store.path.write_bytes(store.path.read_bytes().rstrip(b"\n"))
    store.append(record("b"))
    assert [each["id"] for each in store.load()] == ["a", "b"]


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b'"text"',
        b'{"schema": 1, "kind": "cost", "status": "ok"}',
        b'{"schema": 2, "kind": "cost", "id": "x", "status": "ok"}',
        b'{"schema": 1, "kind": "dream", "id": "x", "status": "ok"}',
        b'{"schema": 1, "kind": "cost", "id": "x", "status": "great"}',
        b'{"schema": 1, "kind": "cost", "id": ["x"], "status": "ok"}',
        b'{"schema": 1, "kind": "cost", "id": "x", "status": "ok", "seconds": NaN}',
    ],
)
def test_a_line_that_is_no_record_is_warned_about_and_left_out(store: RecordStore, line: bytes) -> None:
    store.append(record("a"))
    with store.path.open("ab") as file:
        file.write(line + b"\n")
    store.append(record("b"))
    with pytest.warns(RecordWarning, match=r"records\.jsonl:2: not a record") as caught:
        assert [each["id"] for each in store.load()] == ["a", "b"]
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_strict_json_is_refused_before_it_reaches_the_file(store: RecordStore, value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.append(record("a", seconds=value))
    with pytest.raises(ValueError, match="unknown status 'great'"):
        store.append(record("a", "great"))
    assert store.load() == []


def test_what_needs_no_measuring(store: RecordStore) -> None:
    for status in STATUSES:
        store.append(record(status, status))
    assert store.completed_ids() == set(STATUSES) - {"interrupted"}
    assert store.completed_ids(retry_failed=True) == set(STATUSES) - {"interrupted", *FAILURES}


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"^cannot write results to .*file/results/records\.jsonl: .*; allowed: "):
        RecordStore(tmp_path / "file" / "results").prepare()


def append_many(directory: Path, name: str) -> None:
    for i in range(50):
        RecordStore(directory).append(record(f"{name}{i}", padding="x" * 10_000))


def test_processes_that_append_at_once_do_not_mix_their_lines(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    writers = [context.Process(target=append_many, args=(tmp_path, name)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    lines = (tmp_path / "records.jsonl").read_text().splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == len(lines) == 150
