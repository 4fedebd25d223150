"""`python -m reports gallery DIR`: a page that lists the reports in a folder, each by what it says of itself."""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from benchmarks.records.printable import printable
from reports import wording
from reports.overview import Overview
from reports.page import TEMPLATES

META = "report-overview"
# It stands in the head; a page that has come so far without it has none.
MOST_HEAD = 1_000_000  # characters


@dataclass(frozen=True)
class Entry:
    """A report: where it is from the gallery's page, and what it says of itself; None where it says nothing."""

    name: str
    link: str
    overview: Overview | None


def gallery(directory: Path, output: Path) -> tuple[str, list[str]]:
    """The page, and a line for every HTML file that is no report.

    Raises:
        ValueError: when there is no report in the directory.
        OSError: when it cannot be read.
    """
    if not directory.is_dir():
        raise ValueError(f"{directory} is no directory; allowed: one that holds reports")
    entries, remarks = [], []
    for path in sorted(directory.rglob("*.html")):
        if path.resolve() == output.resolve():
            continue
        found, is_report = read(path)
        name = path.relative_to(directory).as_posix()
        if not is_report:
            remarks.append(f"{path} is no report, left out")
        else:
            link = quote(os.path.relpath(path.resolve(), output.resolve().parent))
            entries.append(Entry(printable(name, 200), link, found))
    if not entries:
        raise ValueError(
            f"no report in {directory}; make one with `python -m reports --output {directory}/report.html`"
        )
    css = (TEMPLATES / "style.css").read_text()
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = wording.unbroken
    machines = {machine for entry in entries if entry.overview for machine in entry.overview.machines}
    template = environment.get_template("gallery.html")
    page = template.render(entries=_newest_first(entries), machines=machines, css=Markup(css), css_hash=_hash(css))
    return page, remarks


def read(path: Path) -> tuple[Overview | None, bool]:
    """What a page says of itself, and whether it is a report at all: older ones have our title alone."""
    head = _Head()
    with path.open(encoding="utf-8", errors="replace") as file:
        head.feed(file.read(MOST_HEAD))
    if head.content is not None:
        try:
            return _overview(json.loads(head.content)), True
        except (AttributeError, TypeError, ValueError, RecursionError):
            return None, True
    return None, "group equivariance" in head.title


def _overview(content: dict[str, Any]) -> Overview:
    """An overview of texts alone, whatever the page says."""

    def text(name: str) -> str:
        return printable(str(content.get(name) or ""))

    def texts(name: str) -> tuple[str, ...]:
        return tuple(printable(str(each)) for each in content.get(name) or ())

    return Overview(
        title=text("title"),
        machines=texts("machines"),
        commits=texts("commits"),
        measured=text("measured"),
        counts=text("counts"),
        remarks=texts("remarks"),
        sentences=texts("sentences"),
    )


def _newest_first(entries: Sequence[Entry]) -> list[Entry]:
    """By the last day that was measured; reports that do not say come last."""
    return sorted(entries, key=lambda entry: entry.overview.measured[-10:] if entry.overview else "", reverse=True)


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


class _Head(HTMLParser):
    """The title and the overview of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.content: str | None = None
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "meta" and attributes.get("name") == META and self.content is None:
            self.content = attributes.get("content") or ""
        self._inside = tag == "title" and not self.title

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.title += data
