"""No record is lost: appending is durable; loading skips remains of crashes and returns the newest record of an id."""

import errno
import json
import lzma
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.records.outcome import STATUSES
from benchmarks.records.record import machine_of
from benchmarks.records.store import RecordStore, RecordWarning


def record(identity: str = "a", status: str = "ok", **fields: Any) -> dict[str, Any]:
    return {"schema": 1, "kind": "cost", "id": identity, "status": status, **fields}


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "results")


def test_appended_records_are_loaded(store: RecordStore) -> None:
    records = [record("a", note="μs · ∅"), record("b", seconds={"samples": [1e-6, 0.1 + 0.2]})]
    for each in records:
        store.append(each)
    assert store.load() == records
    assert len(store.path.read_bytes().splitlines()) == 2


def test_a_record_whose_median_was_changed_is_loaded_with_a_warning(store: RecordStore) -> None:
    samples = [[1.0, 2.0, 3.0]]
    records = [record("a", seconds={"rounds": samples, "median": 2.0}), record("b", seconds={"rounds": samples})]
    tampered = record("c", seconds={"rounds": samples, "median": 1.0})
    store.append(*records)
    assert len(store.load()) == 2
    store.append(tampered)
    message = r"records\.jsonl: 1 of 3 records have a median that is not that of their samples, the first is c"
    with pytest.warns(RecordWarning, match=message):
        assert [each["id"] for each in store.load()] == ["a", "b", "c"]


def test_a_store_without_a_file_is_empty(store: RecordStore) -> None:
    assert store.load() == []
    assert store.completed() == set()


def test_the_newest_record_of_an_id_wins_and_the_older_stays_in_the_file(store: RecordStore) -> None:
    for each in (record("a", "failed"), record("b"), record("a", "ok")):
        store.append(each)
    assert store.load() == [record("b"), record("a", "ok")]
    assert len(store.path.read_text().splitlines()) == 3


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_truncated_last_line_loses_only_its_record(store: RecordStore, cut: int) -> None:
    store.append(record("a"))
    store.append(record("b"))
    whole = store.path.read_bytes()
    store.path.write_bytes(whole[: -1 - cut])
    with pytest.warns(RecordWarning, match=r"records\.jsonl:2: not a record, left out"):
        assert {identity for _, identity in store.completed()} == {"a"}
    store.append(record("c"))
    with pytest.warns(RecordWarning, match=r"records\.jsonl:2: "):
        assert [each["id"] for each in store.load()] == ["a", "c"]
    assert store.path.read_bytes().startswith(whole[: -1 - cut])  # nothing is deleted


def test_a_missing_last_newline_loses_nothing(store: RecordStore) -> None:
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
        b'{"schema": 3, "kind": "cost", "id": "x", "status": "ok"}',
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
def test_a_record_that_is_not_strict_json_never_reaches_the_file(store: RecordStore, value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.append(record("a", seconds=value))
    with pytest.raises(ValueError, match="unknown status 'great'"):
        store.append(record("a", "great"))
    assert store.load() == []


def test_completed_records_need_no_measurement(store: RecordStore) -> None:
    for status in STATUSES:
        store.append(record(status, status))
    assert {identity for _, identity in store.completed()} == set(STATUSES) - {"interrupted"}
    assert {identity for _, identity in store.completed(retry_failed=True)} == {"ok"}


def block_of(*statuses: str, block: str = "b") -> list[dict[str, Any]]:
    return [record(f"{block}{number}", status, block=block) for number, status in enumerate(statuses)]


def completed(store: RecordStore, **options: Any) -> set[str]:
    return {identity for _, identity in store.completed(**options)}


@pytest.mark.parametrize("kept", range(1, 4))
def test_a_block_that_is_cut_short_is_loaded_but_not_completed(store: RecordStore, kept: int) -> None:
    store.append(record("a"))
    store.append(*block_of("ok", "ok", "ok"))
    lines = store.path.read_bytes().splitlines(keepends=True)
    store.path.write_bytes(b"".join(lines[: 1 + kept]))
    assert len(store.load()) == 1 + kept
    assert completed(store) == ({"a"} if kept < 3 else {"a", "b0", "b1", "b2"})
    store.append(*block_of("ok", "ok", "ok"))
    assert completed(store) == {"a", "b0", "b1", "b2"}
    assert store.path.read_bytes().startswith(b"".join(lines[: 1 + kept]))  # nothing is deleted


def test_a_block_that_lacks_a_line_is_not_completed_and_its_neighbours_are(store: RecordStore) -> None:
    for block in "abc":
        store.append(*block_of("ok", "failed", "ok", block=block))
    lines = store.path.read_bytes().splitlines(keepends=True)
    store.path.write_bytes(b"".join([*lines[:4], b"\xff{damaged\n", *lines[5:]]))
    with pytest.warns(RecordWarning, match=r"records\.jsonl:5: not a record"):
        assert completed(store) == {"a0", "a1", "a2", "c0", "c1", "c2"}


def test_a_block_is_repeated_as_a_whole_if_one_of_it_failed(store: RecordStore) -> None:
    store.append(*block_of("ok", "failed", block="a"))
    store.append(*block_of("ok", "ok", block="b"))
    assert completed(store) == {"a0", "a1", "b0", "b1"}
    assert completed(store, retry_failed=True) == {"b0", "b1"}


def test_a_block_is_on_the_disk_after_one_write(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    store.append(record("a"))
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(len(store.path.read_bytes().splitlines())))
    store.append(*block_of("ok", "ok", "ok"))
    assert synced == [4]


def test_two_machines_in_one_file_do_not_replace_each_other(store: RecordStore) -> None:
    here, there = ({"cpu": "EPYC", "cores": cores, "gpu": None} for cores in (2, 64))
    for provenance in (here, there, here):
        store.append(record("a", provenance=provenance))
    assert [each["provenance"] for each in store.load()] == [there, here]
    assert store.completed() == {(machine_of({"provenance": provenance}), "a") for provenance in (here, there)}


def test_records_of_older_versions_are_read(store: RecordStore) -> None:
    old = {"schema": 1, "kind": "cost", "id": "a", "status": "ok", "seconds": {"samples": [1.0]}}
    store.append(old)
    assert store.load() == [old]


def test_a_full_disk_is_an_error_in_one_line_and_leaves_the_file_unchanged(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append(record("a"))
    before = store.path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"^cannot write a record to .*records\.jsonl: No space left on device$"):
        store.append(record("b"))
    assert store.path.read_bytes() == before


def test_one_process_measures_at_a_time_and_a_killed_one_releases_the_lock(store: RecordStore) -> None:
    with store.measuring(), pytest.raises(OSError, match=rf"^process {os.getpid()} is measuring into .*; allowed: one"):
        store.measuring().__enter__()
    context = multiprocessing.get_context("spawn")  # a server of processes would be found by later tests
    measuring = context.Event()
    holder = context.Process(target=measure_for_ever, args=(store.path.parent, measuring))
    holder.start()
    assert measuring.wait(30)
    assert is_taken(store)
    holder.kill()
    holder.join()
    assert not is_taken(store)


def measure_for_ever(directory: Path, measuring: Any) -> None:
    with RecordStore(directory).measuring():
        measuring.set()
        time.sleep(60)


def is_taken(store: RecordStore) -> bool:
    try:
        with store.measuring():
            return False
    except OSError:
        return True


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"^cannot write results to .*file/results/records\.jsonl: .*; allowed: "):
        RecordStore(tmp_path / "file" / "results").prepare()


def append_many(directory: Path, name: str) -> None:
    for i in range(50):
        RecordStore(directory).append(record(f"{name}{i}", padding="x" * 10_000))


def test_processes_that_append_at_once_do_not_mix_their_lines(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")  # a server of processes would be found by later tests
    writers = [context.Process(target=append_many, args=(tmp_path, name)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    lines = (tmp_path / "records.jsonl").read_text().splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == len(lines) == 150


def test_reading_needs_no_locks_and_writing_names_the_folder_that_has_none(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append(record("a"))

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", no_locks)
    assert store.load() == [record("a")]
    message = rf"^cannot lock files in {store.path.parent}: No locks available; allowed: a folder on a file system with"
    with pytest.raises(OSError, match=message):
        store.append(record("b"))
    with pytest.raises(OSError, match=message):
        store.measuring().__enter__()


def test_a_new_file_of_records_is_on_the_disk_with_its_name(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr("benchmarks.records.store.sync_folder", synced.append)
    store.append(record("a"))
    store.append(record("b"))
    assert synced == [store.path.parent]


class TestPackedRecords:
    """Records that are kept for reference may be packed by xz."""

    @pytest.fixture
    def packed(self, tmp_path: Path) -> Path:
        store = RecordStore(tmp_path)
        for number in range(3):
            store.append({"schema": 2, "kind": "cost", "id": f"{number}", "status": "failed"})
        file = store.path.with_suffix(".jsonl.xz")
        file.write_bytes(lzma.compress(store.path.read_bytes()))
        store.path.unlink()
        return file

    def test_they_are_read_like_others(self, packed: Path) -> None:
        for store in (RecordStore(packed.parent), RecordStore.at(packed)):
            assert [record["id"] for record in store.load()] == ["0", "1", "2"]

    def test_they_cannot_be_changed(self, packed: Path) -> None:
        store = RecordStore(packed.parent)
        before = packed.read_bytes()
        for change in (store.prepare, lambda: store.append({"schema": 2, "kind": "cost", "id": "3", "status": "ok"})):
            with pytest.raises(OSError, match=r"records\.jsonl\.xz is packed and can only be read; allowed: xz -d "):
                change()
        assert packed.read_bytes() == before

    def test_new_records_beside_them_come_first(self, packed: Path) -> None:
        (packed.parent / "records.jsonl").write_text("")
        assert RecordStore(packed.parent).load() == []

    @pytest.mark.parametrize("kept", [10, 0.9])
    def test_a_damaged_file_is_read_as_far_as_possible(self, packed: Path, kept: float) -> None:
        content = packed.read_bytes()
        packed.write_bytes(content[: int(kept if kept > 1 else kept * len(content))])
        with pytest.warns(RecordWarning, match="the packed file is damaged"):
            assert len(RecordStore(packed.parent).load()) <= 3
