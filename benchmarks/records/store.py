"""The store of records: a file with one JSON object per line, to which records are only appended.

A record has at least the fields ``schema``, ``kind``, ``id`` and ``status``. ``load`` returns only the newest
record of an id on a machine. This module needs only the standard library.
"""

import contextlib
import errno
import json
import lzma
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

from benchmarks.records.agreement import lines_about
from benchmarks.records.durable import sync_folder
from benchmarks.records.fields import record_problem
from benchmarks.records.kinds import shown
from benchmarks.records.outcome import FAILURES, STATUSES, SUCCESSES
from benchmarks.records.printable import escaped_texts
from benchmarks.records.record import KINDS, READABLE_SCHEMAS, Machine, Record, StoredRecord, machine_of

try:
    import fcntl
except ImportError:  # neither Linux nor macOS: records can be read, but not written
    fcntl = None  # type: ignore[assignment]


class RecordWarning(UserWarning):
    """A line of a results file that is no record, and that ``load`` leaves out; or records that are not as measured."""


PACKED = ".xz"
# The most messages of one kind that are shown one by one.
MOST_MESSAGES = 3


def warn_of_all(messages: Sequence[str], what: str) -> None:
    """Warn with the first messages, and with one line that counts the others; ``what`` names one of them."""
    for message in messages[:MOST_MESSAGES]:
        warnings.warn(message, RecordWarning, stacklevel=3)
    if len(messages) > MOST_MESSAGES:
        warnings.warn(f"and {len(messages) - MOST_MESSAGES} more {what}", RecordWarning, stacklevel=3)


class RecordStore:
    """The records in ``directory``/records.jsonl, or in records.jsonl.xz, which can only be read.

    A file lock protects appending from other processes. A record is appended by one write and fsync, so a crash can
    only leave a truncated last line, which ``load`` leaves out. The records of a block are appended together and
    numbered: those of a block that a crash has cut short are loaded, but do not count as completed.
    """

    def __init__(self, directory: Path | str) -> None:
        self.path = Path(directory) / "records.jsonl"
        packed = self.path.with_suffix(f".jsonl{PACKED}")
        if packed.exists() and not self.path.exists():
            self.path = packed
        self._lock = Path(directory) / "measuring.lock"

    @classmethod
    def at(cls, path: Path) -> "RecordStore":
        """Return the store of a directory, or of a file of records with any name."""
        store = cls(path.parent if path.is_file() else path)
        store.path = path if path.is_file() else store.path
        return store

    def prepare(self) -> None:
        """Make the directory and the file, so that missing write access is noticed before anything runs.

        Raises:
            OSError: when the file cannot be written; the message names the file and the reason.
        """
        self._check_writable()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.open("ab").close()
        except OSError as error:
            reason = f"{error.strerror}; allowed: a writable directory"
            raise OSError(f"cannot write results to {self.path}: {reason}") from error

    @contextlib.contextmanager
    def measuring(self) -> Iterator[None]:
        """Keep other processes from measuring for this store, so that nothing is measured twice or at the same time.

        The system releases the lock when this process ends, also after a crash.

        Raises:
            OSError: when another process is measuring, or the results cannot be written.
        """
        _check_locks()
        self.prepare()
        with self._lock.open("a+", encoding="utf-8", errors="replace") as file:
            try:
                _lock(file, self.path.parent, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                raise OSError(
                    f"process {file.read().strip() or 'unknown'} is measuring into {self.path.parent}; "
                    "allowed: one at a time, or another --results"
                ) from error
            with contextlib.suppress(OSError):  # a full disk: the number only serves the message above
                os.ftruncate(file.fileno(), 0)
                os.write(file.fileno(), f"{os.getpid()}\n".encode())
            try:
                yield
            finally:
                # Closing the file is not enough while a starting child process has a copy of the descriptor.
                fcntl.flock(file, fcntl.LOCK_UN)

    def append(self, *records: Record) -> None:
        """Append a record, or the records of a block, to the file; when this returns, they are on the disk.

        Raises:
            ValueError: for a record that is not strict JSON (nan, infinity), lacks a field or has an unknown status.
            OSError: when the records cannot be written; the file is then unchanged.
        """
        self._check_writable()
        for record in records:
            _check(record)
        _check_locks()
        lines = b"".join(map(line_of, _numbered(records)))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b", buffering=0) as file:
            _lock(file, self.path.parent, fcntl.LOCK_EX)
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - 1, 0))
            if file.read(1) not in (b"", b"\n"):  # begin a new line after a truncated one
                lines = b"\n" + lines
            try:
                if file.write(lines) != len(lines):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
                if end == 0:  # the file may be new
                    sync_folder(self.path.parent)
            except OSError as error:
                file.truncate(end)
                raise OSError(f"cannot write a record to {self.path}: {error.strerror}") from error

    def _check_writable(self) -> None:
        if self.path.suffix == PACKED:
            raise OSError(f"{self.path} is packed and can only be read; allowed: xz -d {self.path}, or other --results")

    def load(self) -> list[Record]:
        """Return the newest record of each id on each machine, oldest first; an empty list if there is no file.

        Warns:
            RecordWarning: for lines that are not records, with the file and the line number, and for records whose
                numbers disagree, which are returned all the same.
        """
        records = self._load()
        for line in lines_about(records):
            warnings.warn(f"{self.path}: {line}; they are used all the same", RecordWarning, stacklevel=2)
        return list(records)

    def _load(self) -> list[StoredRecord]:
        records, refused = self.read()
        warn_of_all(refused, f"lines of {self.path} that are not records are left out")
        return records

    def read(self) -> tuple[list[StoredRecord], list[str]]:
        """Return what ``load`` returns, and a message about each line that is not a record."""
        if not self.path.exists():
            return [], []
        refused: list[str] = []
        newest: dict[tuple[Machine, str], StoredRecord] = {}
        together: list[StoredRecord] = []
        with self.path.open("rb") as file:
            if fcntl is not None:
                with contextlib.suppress(OSError):  # a file system without locks; reading needs none
                    fcntl.flock(file, fcntl.LOCK_SH)  # wait until no line is half written
            for number, line in enumerate(self._lines(file, refused), start=1):
                if not line.strip():
                    continue
                try:
                    record = _read(line)
                except ValueError as error:
                    refused.append(f"{self.path}:{number}: not a record, left out ({error})")
                    continue
                record.place = f"{self.path}:{number}"
                together = _joined(together, record)
                key = machine_of(record), record["id"]
                newest.pop(key, None)
                newest[key] = record
        return list(newest.values()), refused

    def _lines(self, file: IO[bytes], refused: list[str]) -> Iterator[bytes]:
        """Yield the lines of the file, unpacked; note it as refused where a packed file is damaged."""
        if self.path.suffix != PACKED:
            yield from file
            return
        try:
            with lzma.open(file) as unpacked:
                yield from unpacked
        except (lzma.LZMAError, EOFError) as error:
            refused.append(f"{self.path}: the packed file is damaged, and read up to there only ({error})")

    def completed(self, *, retry_failed: bool = False) -> set[tuple[Machine, str]]:
        """Return the machine and id of each record that needs no new measurement.

        Failed and skipped cases need none unless ``retry_failed``; interrupted cases are always measured again. Either
        all records of a block need none, or all are measured again, because only times of one block can be paired.
        """
        done = {"ok"} if retry_failed else {*SUCCESSES, *FAILURES}
        found = self._load()
        return {
            (machine_of(one), one["id"]) for one in found if one.statuses is not None and done.issuperset(one.statuses)
        }


def line_of(record: Record) -> bytes:
    """Return the line of a record in a file."""
    text = json.dumps(escaped_texts(record), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"


def _lock(file: IO[Any], folder: Path, kind: int) -> None:
    """Lock a file; raise ``BlockingIOError`` if another process has it, and an ``OSError`` that names the folder."""
    try:
        fcntl.flock(file, kind)
    except BlockingIOError:
        raise
    except OSError as error:
        remedy = "allowed: a folder on a file system with locks, such as a local disk"
        raise OSError(f"cannot lock files in {folder}: {error.strerror}; {remedy}") from error


def _check_locks() -> None:
    if fcntl is None:
        raise OSError("measuring needs Linux or macOS: this system has no file locks (fcntl); reports can be made here")


def _numbered(records: Sequence[Record]) -> Sequence[Record]:
    """Return the records that are stored together, each with its position and their number; one alone has neither."""
    if len(records) < 2:
        return records
    return [{**one, "block_position": n, "block_records": len(records)} for n, one in enumerate(records, start=1)]


def _joined(together: list[StoredRecord], record: StoredRecord) -> list[StoredRecord]:
    """Return the records that were stored together, up to this one; when they are complete, note their statuses."""
    position, count = record.get("block_position"), record.get("block_records")
    if position is None:
        record.statuses = (record["status"],)
        return []
    before = together if position > 1 and together and together[0].get("block") == record.get("block") else []
    together = [*before, record] if position == len(before) + 1 else []
    if len(together) == count:
        for one in together:
            one.statuses = tuple(each["status"] for each in together)
    return together


def _read(line: bytes) -> StoredRecord:
    """Return the record in a line.

    Raises:
        ValueError: when the line is no record, or a field is not of its declared kind.
    """
    try:
        record = json.loads(line, parse_constant=_reject)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _check(record)
    if wrong := record_problem(record):
        raise ValueError(wrong)
    return StoredRecord(record)


def _check(record: object) -> None:
    """Raise ``ValueError`` unless the four fields of every record are present and allowed."""
    if not isinstance(record, dict):
        raise ValueError(f"a record is a JSON object, not {type(record).__name__}")
    missing = [name for name in ("schema", "kind", "id", "status") if name not in record]
    if missing:
        raise ValueError(f"a record has the fields schema, kind, id and status; missing: {', '.join(missing)}")
    for name, allowed in (("schema", READABLE_SCHEMAS), ("kind", KINDS), ("status", STATUSES)):
        if isinstance(record[name], bool | float) or record[name] not in allowed:
            raise ValueError(f"unknown {name} {shown(record[name])}; allowed: {', '.join(map(str, allowed))}")
    if not isinstance(record["id"], str):
        raise ValueError(f"an id is a string, not {shown(record['id'])}")


def _reject(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not strict JSON")
