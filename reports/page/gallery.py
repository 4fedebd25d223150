"""`python -m reports gallery DIR`: a page that lists the reports in a folder, each with its overview."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from benchmarks.records.printable import printable
from reports.page.html import environment, policy_hash, style_sheet
from reports.words.overview import Overview

META = "report-overview"
# How many characters from the start of a report are searched for its overview.
MOST_HEAD = 1_000_000


@dataclass(frozen=True)
class Entry:
    """A report: its name, its link from the gallery's page, and its overview, which older reports lack."""

    name: str
    link: str
    overview: Overview | None


def gallery(directory: Path, output: Path) -> tuple[str, list[str]]:
    """Return the page, and a line for every HTML file that is no report.

    Raises:
        ValueError: when there is no report in the directory.
        OSError: when the directory cannot be read.
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
    css = style_sheet()
    machines = {machine for entry in entries if entry.overview for machine in entry.overview.machines}
    template = environment().get_template("gallery.html")
    shown = _newest_first(entries)
    page = template.render(entries=shown, machines=machines, css=Markup(css), css_hash=policy_hash(css))
    return page, remarks


def read(path: Path) -> tuple[Overview | None, bool]:
    """Return the overview of a page, if any, and whether the page is a report; an old report is known by its title."""
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
    """Return the overview, with all texts made printable."""

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
        about=text("about"),
        sentences=texts("sentences"),
    )


def _newest_first(entries: Sequence[Entry]) -> list[Entry]:
    """Sort by the last day of the measurements; reports without an overview come last."""
    return sorted(entries, key=lambda entry: entry.overview.measured[-10:] if entry.overview else "", reverse=True)


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
