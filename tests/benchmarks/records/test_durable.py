"""Tests of files that are written whole or not at all."""

import os
from pathlib import Path

import pytest

from benchmarks.records.durable import check_folder, check_writable, partial_files, write_whole


def test_a_file_is_replaced_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_whole(path, b"1")
    write_whole(path, b"2")
    assert path.read_bytes() == b"2"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_a_write_that_fails_or_is_interrupted_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_whole(path, b"1")
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):

        def fail(_: int, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(type(error)):
            write_whole(path, b"2")
        assert path.read_bytes() == b"1"
        assert partial_files(path) == []


def test_the_remains_of_a_killed_process_are_found(tmp_path: Path) -> None:
    (tmp_path / ".file.123.part").write_text("half")
    (tmp_path / ".other.123.part").write_text("half")
    assert [path.name for path in partial_files(tmp_path / "file")] == [".file.123.part"]


@pytest.mark.parametrize("output", ["new/folder/page", "page", "file"])
def test_a_file_that_can_be_written_is_checked_without_a_trace(tmp_path: Path, output: str) -> None:
    (tmp_path / "file").write_text("old")
    check_writable(tmp_path / output)
    check_folder(tmp_path / "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "old")]


@pytest.mark.parametrize("output", ["file/page", "file/folder/page", "folder"])
def test_a_file_that_cannot_be_written_is_refused_without_a_trace(tmp_path: Path, output: str) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=rf"^cannot write {tmp_path / output}: .*; allowed: a file in a directory you "):
        check_writable(tmp_path / output)
    with pytest.raises(OSError, match=rf"^cannot write {tmp_path}/file: .*; allowed: a directory you may write to$"):
        check_folder(tmp_path / "file")
    assert {path.name for path in tmp_path.rglob("*")} == {"file", "folder"}
