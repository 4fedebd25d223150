"""Frames → one self-contained HTML file: styles, script, figures and data are all inside of it."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from benchmarks.records import Record
from reports import analysis, figures, style, tables, wording
from reports.figures import Figure
from reports.frames import Frames, frames, newest
from reports.tables import Table

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Part:
    """The results of one machine: nothing in it was measured anywhere else."""

    number: int
    machine: str
    sentences: list[str]
    table: Table
    figures: dict[str, list[Figure]]
    accuracies: Table
    limits: Table
    peers: Table
    findings: Table
    not_measured: Table


@dataclass(frozen=True)
class Download:
    """A file inside of the page. base64 cannot end the attribute it stands in, whatever the records hold."""

    name: str
    what: str
    uri: str


def render(records: Iterable[Record]) -> str:
    """The page of these records.

    Raises:
        ValueError: when there is nothing to report on.
    """
    kept = newest(records)
    data = _anchored(frames(kept))
    if not data.machines:
        raise ValueError("no record to report on")
    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["unbroken"] = wording.unbroken
    script = (TEMPLATES / "sort.js").read_text()
    return environment.get_template("report.html").render(
        parts=[_part(number, machine, data.on(machine)) for number, machine in enumerate(data.machines, start=1)],
        environments=tables.environments([data.costs, data.runs]),
        remarks=_remarks(data),
        period=_period(data),
        counts=_counts(data),
        costs=tables.records(data.costs, tables.COST, "Every cost record"),
        runs=tables.records(data.runs, tables.RUNS, "Every training run"),
        downloads=_downloads(kept, data),
        look=style.look,
        css=Markup((TEMPLATES / "style.css").read_text()),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _anchored(data: Frames) -> Frames:
    """Every record gets the id of its row in the page; numbers, because ids of records may hold anything."""
    costs, runs = (
        frame.assign(anchor=[f"{kind}-{number}" for number in range(len(frame))])
        for kind, frame in (("cost", data.costs), ("run", data.runs))
    )
    return Frames(costs, runs, data.epochs, data.twins)


def _part(number: int, machine: str, data: Frames) -> Part:
    measured, runs = analysis.latest(figures.ok(data.costs)), analysis.one_recipe(figures.ok(data.runs))
    costs = analysis.usual_threads(analysis.comparable(measured))
    steps = analysis.usual_threads(analysis.comparable(measured, (*analysis.PASSES, analysis.STEP)))
    return Part(
        number=number,
        machine=machine,
        sentences=wording.headline(costs, runs, data.twins),
        table=tables.headline(costs, runs),
        figures=figures.every(data, f"m{number}"),
        accuracies=tables.accuracies(runs),
        limits=tables.limits(steps),
        peers=tables.peers(analysis.peers(measured, data.twins)),
        findings=tables.findings(measured),
        not_measured=tables.not_measured(data.costs, data.runs),
    )


def _counts(data: Frames) -> str:
    statuses = pd.concat([data.costs["status"], data.runs["status"]]).value_counts()
    words = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in statuses.items())
    costs, runs = wording.plural(len(data.costs), "cost record"), wording.plural(len(data.runs), "training run")
    return f"{costs} and {runs}: {words}."


def _period(data: Frames) -> str:
    times = pd.concat([data.costs["measured_at"], data.runs["measured_at"]])
    days = sorted(time[:10] for time in times if time)
    if not days:
        return "at an unknown time"
    return f"on {days[0]}" if days[0] == days[-1] else f"from {days[0]} to {days[-1]}"


# A measurement on all cores keeps them busy itself, with a little of its parent process on top.
OWN_LOAD = 0.5


def _remarks(data: Frames) -> list[str]:
    """What a reader must know before trusting the numbers of this very report."""
    both = pd.concat([data.costs, data.runs])
    remarks = []
    if len(data.machines) > 1:
        remarks.append(f"Results of {len(data.machines)} machines: each has its own part, and none are compared.")
    busy = both[["load_before", "load_after"]].max(axis=1) > both["cores"] + OWN_LOAD
    if busy.any():
        remarks.append(
            f"{busy.sum()} of {len(both)} records were taken while more processes wanted to run than the machine has "
            "cores: their times may be too long."
        )
    noisy = (data.costs["noise"] == "noisy").sum()
    if noisy:
        remarks.append(
            f"{noisy} of {len(data.costs)} cost records are called noisy; “Noise” says why, and what would help."
        )
    commits = both["commit"].nunique()
    if commits > 1:
        remarks.append(f"The records come from {commits} commits; the newest record of each case counts.")
    if (both["dirty"] == "True").any():
        remarks.append("Some records were taken from a checkout with uncommitted changes.")
    return remarks


def _downloads(records: list[Record], data: Frames) -> list[Download]:
    csvs = {
        "costs.csv": ("one row per cost record", data.costs),
        "runs.csv": ("one row per training run", data.runs),
        "epochs.csv": ("one row per epoch of a run", data.epochs),
        "twins.csv": ("one row per A/A pair", data.twins),
    }
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    downloads = [_download("records.jsonl", "every record with its raw samples", "application/x-ndjson", lines)]
    for name, (what, frame) in csvs.items():
        csv = frame.drop(columns="anchor", errors="ignore").map(_flat).to_csv(index=False)
        downloads.append(_download(name, what, "text/csv", csv))
    return downloads


def _flat(value: Any) -> Any:
    """A tuple as text: numbers apart by spaces, the parts of tuples in it by colons and themselves by semicolons."""
    if not isinstance(value, tuple):
        return value
    nested = any(isinstance(part, tuple) for part in value)
    return "; ".join(": ".join(part) for part in value) if nested else " ".join(map(repr, value))


def _download(name: str, what: str, kind: str, text: str) -> Download:
    return Download(name, what, f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}")
