"""Findings: lines of JSON, each on the disk before the next measurement begins.

A finding has at least the name of its part. The line {"part": …, "begins": …} begins a run of a part, and the line
{"part": …, "status": …} ends it.
"""

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Finding = dict[str, Any]


def append(path: Path, finding: Finding) -> None:
    """Append a finding; when this returns, the finding is on the disk. Numbers that are not finite become texts."""
    line = json.dumps(_strict(finding), ensure_ascii=False, allow_nan=False).encode() + b"\n"
    with path.open("a+b", buffering=0) as file:
        file.seek(max(file.seek(0, os.SEEK_END) - 1, 0))
        if file.read(1) not in (b"", b"\n"):  # a process was killed while it wrote
            line = b"\n" + line
        file.write(line)
        os.fsync(file.fileno())


def load(path: Path) -> list[Finding]:
    """Return all complete findings, oldest first; none if there is no file."""
    return list(_read(path)) if path.exists() else []


def latest(findings: list[Finding], part: str) -> list[Finding]:
    """Return the findings of a part's last run."""
    own = [finding for finding in findings if finding.get("part") == part]
    begins = max((number for number, finding in enumerate(own) if "begins" in finding), default=-1)
    return own[begins + 1 :]


def _read(path: Path) -> Iterator[Finding]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                finding = json.loads(line)
            except ValueError:
                continue  # a line that a killed process left incomplete
            if isinstance(finding, dict):
                yield finding


def _strict(value: Any) -> Any:
    """Return a value in strict JSON: nan and infinity as texts."""
    if isinstance(value, dict):
        return {str(key): _strict(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
