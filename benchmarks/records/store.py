"""Records and the store that keeps them: one JSON object a line, only ever appended to.

A record is a dictionary with at least ``schema``, ``kind`` ("cost", "twin" or "training"), ``id`` and ``status``; the
newest record of an id on a machine is the one that counts. This module needs the standard library alone.
"""

import contextlib
import errno
import json
import os
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NoReturn

from benchmarks.records.fields import record_problem
from benchmarks.records.kinds import shown
from benchmarks.records.outcome import FAILURES, STATUSES, SUCCESSES
from benchmarks.records.record import KINDS, READABLE_SCHEMAS, Machine, Record, machine_of

try:
    import fcntl
except ImportError:  # neither Linux nor macOS: records can be read there, and none can be made
    fcntl = None  # type: ignore[assignment]


class RecordWarning(UserWarning):
    """A line of a results file that is no record; it is left out, and left where it is."""


class RecordStore:
    """The records in ``directory``/records.jsonl.

    Appending is safe against other processes that append (file lock) and against a crash at any moment (one write,
    then fsync): what a crash can leave is a truncated last line, which ``load`` leaves out.
    """

    def __init__(self, directory: Path | str) -> None:
        self.path = Path(directory) / "records.jsonl"
        self._lock = Path(directory) / "measuring.lock"

    @classmethod
    def at(cls, path: Path) -> "RecordStore":
        """The store of a directory, or of a file of records by whatever name."""
        store = cls(path.parent if path.is_file() else path)
        store.path = path if path.is_file() else store.path
        return store

    def prepare(self) -> None:
        """Make the directory and the file, so that a place that cannot be written to is found out before anything runs.

        Raises:
            OSError: when it cannot be written to; the message names the place and the reason.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.open("ab").close()
        except OSError as error:
            raise OSError(
                f"cannot write results to {self.path}: {error.strerror}; allowed: a writable directory"
            ) from error

    @contextlib.contextmanager
    def measuring(self) -> Iterator[None]:
        """While this lasts, nobody else measures for this store: nothing is measured twice, or beside another.

        The system gives the lock back when its process ends, however it ends.

        Raises:
            OSError: when somebody else is measuring, or the results cannot be written.
        """
        _check_locks()
        self.prepare()
        with self._lock.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                raise OSError(
                    f"process {file.read().strip() or 'unknown'} is measuring into {self.path.parent}; "
                    "allowed: one at a time, or another --results"
                ) from error
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            try:
                yield
            finally:
                # Closing leaves it locked while a process that is just being started has a copy of the descriptor.
                fcntl.flock(file, fcntl.LOCK_UN)

    def append(self, record: Record) -> None:
        """Add a record durably: when this returns, it is on the disk.

        Raises:
            ValueError: for a record that is not strict JSON (nan, infinity), or lacks a field or a status we know.
            OSError: when it cannot be written; the file is then as it was.
        """
        _check(record)
        _check_locks()
        line = json.dumps(record, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - 1, 0))
            if file.read(1) not in (b"", b"\n"):  # a truncated line stays what it is: begin a new one after it
                line = b"\n" + line
            try:
                if file.write(line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except OSError as error:
                file.truncate(end)
                raise OSError(f"cannot write a record to {self.path}: {error.strerror}") from error

    def load(self) -> list[Record]:
        """The newest record of every id on every machine, oldest first; an empty list where there is no file.

        Warns:
            RecordWarning: for every line that is not a record, with the file and the line number.
        """
        if not self.path.exists():
            return []
        newest: dict[tuple[Machine, str], Record] = {}
        with self.path.open("rb") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_SH)  # not while a line is half written
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    record = _read(line)
                except ValueError as error:
                    message = f"{self.path}:{number}: not a record, left out ({error})"
                    warnings.warn(message, RecordWarning, stacklevel=2)
                    continue
                key = machine_of(record), record["id"]
                newest.pop(key, None)
                newest[key] = record
        return list(newest.values())

    def completed(self, *, retry_failed: bool = False) -> set[tuple[Machine, str]]:
        """What needs no measuring, machine and id: what is ok and, unless ``retry_failed``, what failed or was skipped.

        What was interrupted is always measured again.
        """
        done = ("ok",) if retry_failed else (*SUCCESSES, *FAILURES)
        return {(machine_of(record), record["id"]) for record in self.load() if record["status"] in done}

    def warn_of_other_commits(self, ids: Collection[str], commit: str | None) -> None:
        """Say how many of these records are of other code than ``commit``: they are kept, not measured again."""
        commits = [(record.get("provenance") or {}).get("commit") for record in self.load() if record["id"] in ids]
        others = sum(other != commit for other in commits)
        if others and commit is not None:
            warnings.warn(
                f"{others} of the {len(commits)} records already there are of another commit than {commit[:10]}; "
                "give another --results to measure this one",
                RecordWarning,
                stacklevel=2,
            )


def _check_locks() -> None:
    if fcntl is None:
        raise OSError("measuring needs Linux or macOS: this system has no file locks (fcntl); reports can be made here")


def _read(line: bytes) -> Record:
    """The record of a line, every field of it of the type that it must be."""
    try:
        record: Record = json.loads(line, parse_constant=_reject)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _check(record)
    if wrong := record_problem(record):
        raise ValueError(wrong)
    return record


def _check(record: object) -> None:
    if not isinstance(record, dict):
        raise ValueError(f"a record is a JSON object, not {type(record).__name__}")
    missing = [name for name in ("schema", "kind", "id", "status") if name not in record]
    if missing:
        raise ValueError(f"a record has the fields schema, kind, id and status; missing: {', '.join(missing)}")
    if type(record["schema"]) is not int or record["schema"] not in READABLE_SCHEMAS:
        raise ValueError(f"unknown schema {shown(record['schema'])}; allowed: {', '.join(map(str, READABLE_SCHEMAS))}")
    if record["kind"] not in KINDS:
        raise ValueError(f"unknown kind {shown(record['kind'])}; allowed: {', '.join(KINDS)}")
    if record["status"] not in STATUSES:
        raise ValueError(f"unknown status {shown(record['status'])}; allowed: {', '.join(STATUSES)}")
    if not isinstance(record["id"], str):
        raise ValueError(f"an id is a string, not {shown(record['id'])}")


def _reject(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not strict JSON")
