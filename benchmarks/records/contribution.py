"""The records of a machine as a folder for others: checked, without names of people, hosts and folders, and packed.

Everything here is a pure function of records, or reads one folder; nothing is measured.
"""

import getpass
import json
import lzma
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.records.agreement import DISAGREEMENTS, lines_about
from benchmarks.records.complete import why_incomplete
from benchmarks.records.fields import undeclared_fields
from benchmarks.records.record import SCHEMA, Record, machine_of, machine_text
from benchmarks.records.store import RecordStore, line_of

# An absolute path of two parts or more, such as /home/somebody/data.csv, but not one of the system; of a file the name
# stays. A part may have spaces.
SYSTEM = r"(?:sys|proc|etc)/|dev/(?!shm/)|usr/(?:lib|bin|share|include|local)/|lib/"
PART = r"[\w.+@~-]+(?: [\w.+@~-]+)*"
ABSOLUTE = re.compile(rf"(?:(?<![\w./~:])|(?<=file://))/(?!{SYSTEM})(?:{PART}/)+([\w+@~-]*\.\w+)?[\w.+@~-]*")
WINDOWS = re.compile(r"\b[A-Za-z]:\\(?:[^\\\n\"'<>|]+\\)+[\w.+@~-]*")
# Names that are no name of a person or a host, and words that texts contain.
COMMON = {"root", "user", "users", "localhost", "runner", "ubuntu", "linux", "home", "test"}
STUDIES = "study-*.json"
# The field that says what a record of each kind measured.
NAMED_BY = {"cost": "case", "twin": "case_id", "training": "run"}
# The installed suite knows no commit, so the user has to say from which one it was built.
NO_COMMIT = "name no commit (measure in a checkout, or set GCNN_COMMIT to the commit of the installed code)"


def private_names() -> tuple[str, ...]:
    """Return the names of this host and of this user that are to be taken out."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = ""
    names = {user, socket.gethostname(), socket.gethostname().partition(".")[0]}
    # The longest first, so that a host's name with its domain is taken out as a whole.
    return tuple(
        sorted((name for name in names if len(name) > 2 and name.lower() not in COMMON), key=len, reverse=True)
    )


def without_names(value: Any, names: Sequence[str]) -> Any:
    """Return a value of JSON whose texts have no folder of an absolute path, and none of these names.

    >>> without_names({"message": "cannot read /home/ann/data/x.csv on pc7"}, ["ann", "pc7"])
    {'message': 'cannot read …/x.csv on …'}
    """
    if isinstance(value, str):
        text = ABSOLUTE.sub(lambda found: f"…/{found[1]}" if found[1] else "…", WINDOWS.sub("…", value))
        for name in names:
            text = re.sub(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", "…", text, flags=re.IGNORECASE)
        return text
    if isinstance(value, dict):
        return {without_names(key, names): without_names(each, names) for key, each in value.items()}
    return [without_names(each, names) for each in value] if isinstance(value, list) else value


def packed(records: Iterable[Record]) -> bytes:
    """Return the records as the content of a records.jsonl.xz."""
    return lzma.compress(b"".join(map(line_of, records)), preset=9 | lzma.PRESET_EXTREME)


def problems(folder: Path) -> list[str]:
    """Return what is wrong with a contributed folder, a line for each kind of problem; empty where all is right."""
    store = RecordStore(folder)
    if not store.path.exists():
        return [f"{folder} has no records.jsonl or records.jsonl.xz"]
    records, refused = store.read()
    found = refused_lines(refused)
    for path in sorted(folder.glob(STUDIES)):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            found.append(f"{path} is no JSON ({error})")
        else:
            found += [f"{path} contains a folder of an absolute path"] if without_names(content, ()) != content else []
    return [*found, *(f"{folder}: {text}" for text in problems_of(records, refused))]


def refused_lines(refused: Sequence[str]) -> list[str]:
    """Return one line about the lines of a store that are no records: the first of them, and how many more there are.

    >>> refused_lines(["records.jsonl:1: not a record", "records.jsonl:7: not a record"]), refused_lines([])
    (['records.jsonl:1: not a record; and 1 more lines'], [])
    """
    return [f"{refused[0]}{f'; and {len(refused) - 1} more lines' if len(refused) > 1 else ''}"] if refused else []


def problems_of(records: Sequence[Record], refused: Sequence[str] = ()) -> list[str]:
    """Return what keeps records from being contributed: mixed machines, unknown code, or numbers that do not agree.

    ``refused`` are the messages about the other lines of their store; where no line is a record, these say enough.
    """
    if not records:
        return [] if refused else ["no record; allowed: at least one"]
    machines = sorted({machine_text(machine_of(record)) for record in records})
    found = []
    if len(machines) > 1:
        found.append(f"records of {len(machines)} machines, {'; '.join(machines)}; allowed: one machine a folder")
    checks: dict[str, Callable[[Record], object]] = {
        f"are not of schema {SCHEMA}": lambda record: record["schema"] != SCHEMA,
        NO_COMMIT: lambda record: not _provenance(record).get("commit"),
        "come from a checkout with uncommitted changes": _uncommitted,
        "contain a folder of an absolute path": lambda record: without_names(record, ()) != record,
        "lack what answers need": lambda record: record["status"] == "ok" and why_incomplete(record),
        "do not say what was measured": lambda record: not record.get(NAMED_BY[record["kind"]]),
        **DISAGREEMENTS,
    }
    # A field that nothing declares is never shown on a page, but is published: a host's name, for instance.
    unknown = {name: None for record in records for name in undeclared_fields(record)}
    for name in unknown:
        checks[f"have a field {name!r:.60}, which docs/records.md does not have"] = partial(_has, name)
    return [*found, *lines_about(records, checks)]


def _has(name: str, record: Record) -> bool:
    return name in undeclared_fields(record)


def _provenance(record: Record) -> dict[str, Any]:
    known = record.get("provenance")
    return known if isinstance(known, dict) else {}


def _uncommitted(record: Record) -> bool:
    """Return whether a record names a commit, but not that the code was the commit's."""
    known = _provenance(record)
    return bool(known.get("commit")) and known.get("dirty") is not False
