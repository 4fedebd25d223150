"""What is known of the suites' benchmarks: thresholds of single benchmarks, and changes of commits that are ignored.

Every entry has a reason, which the gate, the history and the report's page print. ``benchmarks/suites/known.toml`` is
the project's file. This module needs only the standard library.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT_FILE = Path(__file__).parents[1] / "suites/known.toml"
HASH = re.compile(r"[0-9a-f]{7,40}")
# The keys of an entry of each kind.
KEYS = {"threshold": ("benchmark", "at_least", "reason"), "ignore": ("commit", "benchmark", "reason")}


@dataclass(frozen=True)
class Threshold:
    """The least change of the benchmarks that match a pattern which counts as a step, as a fraction."""

    benchmark: str
    at_least: float
    reason: str


@dataclass(frozen=True)
class Ignored:
    """A commit whose change of the benchmarks that match a pattern is intended."""

    commit: str  # the first seven or more digits of its hash
    benchmark: str
    reason: str


@dataclass(frozen=True)
class Known:
    """The entries of a file; where several match, the first one counts."""

    thresholds: tuple[Threshold, ...] = ()
    ignored: tuple[Ignored, ...] = ()

    def threshold(self, benchmark: str) -> Threshold | None:
        return next((entry for entry in self.thresholds if re.search(entry.benchmark, benchmark)), None)

    def ignores(self, commit: str, benchmark: str) -> Ignored | None:
        """Return the entry by which a change of a benchmark at a commit (its full hash) is ignored."""
        matching = (entry for entry in self.ignored if commit.startswith(entry.commit))
        return next((entry for entry in matching if re.search(entry.benchmark, benchmark)), None)


NOTHING_KNOWN = Known()


def read_known(path: Path) -> Known:
    """Return the entries of a file.

    Raises:
        OSError: when the file cannot be read.
        ValueError: for a file that is not TOML, or with a wrong entry; the message names the file and the entry.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not TOML: {error}") from None
    if unknown := sorted(content.keys() - KEYS.keys()):
        raise ValueError(f"{path}: {unknown[0]!r} is not allowed; allowed: {', '.join(f'[[{kind}]]' for kind in KEYS)}")
    found = {kind: list(_entries(path, kind, content.get(kind, []))) for kind in KEYS}
    return Known(
        tuple(Threshold(**entry) for entry in found["threshold"]), tuple(Ignored(**entry) for entry in found["ignore"])
    )


def project_known() -> Known:
    """Return the entries of the project's file; none where the file is missing, as in an installed package.

    Raises:
        ValueError: as ``read_known``.
    """
    return read_known(PROJECT_FILE) if PROJECT_FILE.exists() else NOTHING_KNOWN


def _entries(path: Path, kind: str, entries: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError(f"{path}: {kind!r} is not a list of tables; allowed: [[{kind}]]")
    for number, entry in enumerate(entries, 1):
        if problem := _problem(kind, entry):
            raise ValueError(f"{path}, [[{kind}]] number {number}: {problem}")
    return entries


def _problem(kind: str, entry: Mapping[str, Any]) -> str | None:
    """Return what is wrong with an entry, and what is allowed; None for a correct one."""
    keys = KEYS[kind]
    if differing := sorted(entry.keys() ^ set(keys)):
        return f"{differing[0]!r} is {'missing' if differing[0] in keys else 'not allowed'}; allowed: {', '.join(keys)}"
    for key in ("benchmark", "reason"):
        if not isinstance(entry[key], str) or not entry[key].strip():
            return f"{key} = {entry[key]!r} is not allowed; allowed: a text that is not empty"
    try:
        re.compile(entry["benchmark"])
    except re.error as error:
        return f"benchmark = {entry['benchmark']!r} is no regular expression: {error}"
    if kind == "ignore" and not (isinstance(entry["commit"], str) and HASH.fullmatch(entry["commit"])):
        return f"commit = {entry['commit']!r} is not allowed; allowed: 7 to 40 digits of a hash"
    if kind == "threshold" and not (isinstance(entry["at_least"], float) and 0 < entry["at_least"] < 10):
        return f"at_least = {entry['at_least']!r} is not allowed; allowed: a fraction such as 0.1 for 10 %"
    return None
