"""Frames → one self-contained HTML file: styles, script, figures and data are all inside of it."""

import base64
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from benchmarks.records.record import Record
from reports import analysis, figures, history, learning, overview, style, tables, wording
from reports.figures import Figure
from reports.figures.history import trend
from reports.frames import Frames, frames, machine_of, newest
from reports.tables import Table
from reports.tidy import csv, figure_csv, named
from reports.wording import Sentence

TEMPLATES = Path(__file__).parent / "templates"
# Of several commits that measured the same cases, so many have a part of their own; the newest ones.
COMMITS = 4
# Data that is larger than this (compressed) is not put into the page a second time: the reader has it on disk.
LARGEST_DOWNLOAD = 3_000_000
# Data of a figure that is larger is compressed.
LARGEST_PLAIN = 100_000


@dataclass(frozen=True)
class Study:
    """The training runs that may be compared: their tables."""

    title: str
    networks: Table
    accuracies: Table
    targets: Table
    target: str


@dataclass(frozen=True)
class Part:
    """One set of results: nothing in it was measured on another machine."""

    id: str
    title: str
    remark: str
    sentences: list[Sentence]
    table: Table
    figures: dict[str, list[Figure]]
    studies: list[Study]
    more_studies: int
    exponents: Table
    bends: list[str]
    limits: Table
    peers: Table
    findings: Table
    undecided: Table
    undecided_words: str
    not_measured: Table

    @property
    def anchors(self) -> set[str]:
        """The records that something in this part links to."""
        shown = [self.table, self.peers, self.findings, self.not_measured, *(study.networks for study in self.studies)]
        linked = {anchor for sentence in self.sentences for _, anchor in sentence.records}
        return linked.union(*(table.anchors for table in shown))


@dataclass(frozen=True)
class Download:
    """A file inside of the page. base64 cannot end the attribute it stands in, whatever the records hold."""

    name: str
    what: str
    uri: str


def render(records: Iterable[Record], commits: pd.DataFrame | None = None) -> str:
    """The page of these records.

    Args:
        commits: the history of asv and pytest-benchmark, as `history.history` has it.

    Raises:
        ValueError: when there is nothing to report on.
    """
    given = list(records)
    commits = history.history() if commits is None else commits
    kept = newest(given)
    data = anchored(frames(kept))
    if not data.machines:
        raise ValueError("no record to report on")
    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["unbroken"] = wording.unbroken
    environment.filters["csv"] = _csv_file
    parts = _parts(given, data)
    linked = set().union(*(part.anchors for part in parts))
    script, css = library() + (TEMPLATES / "page.js").read_text(), (TEMPLATES / "style.css").read_text()
    downloads, left_out = _downloads(kept, data)
    return environment.get_template("report.html").render(
        parts=parts,
        environments=tables.environments([data.costs, data.runs]),
        remarks=overview.remarks(data),
        period=overview.period(data),
        machines=data.machines,
        counts=overview.counts(data),
        overview=overview.overview(data, [sentence.text for part in parts for sentence in part.sentences]).json(),
        records_tables=[
            found
            for found in (
                tables.records(data.costs, tables.COST, "costs", "Every cost record", linked),
                tables.records(data.runs, tables.RUNS, "runs", "Every training run", linked),
            )
            if found.number
        ],
        history=trend(commits, "history"),
        regressions=tables.regressions(commits),
        downloads=downloads,
        left_out=left_out,
        look=style.look,
        css=Markup(css),
        css_hash=_hash(css),
        script=Markup(script),
        script_hash=_hash(script),
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def library() -> str:
    """DataTables as `itables` ships it (MIT, its licence inside), as statements that leave `DataTable` behind."""
    package = find_spec("itables")
    if package is None or not package.submodule_search_locations:
        raise ValueError(
            "itables is not installed; get it with the report's dependencies, `pip install --group report`"
        )
    source = (Path(package.submodule_search_locations[0]) / "html" / "dt_bundle.js").read_text(encoding="utf-8")
    exports = re.search(r"export\{([^}]*)\};?", source)
    name = exports and re.search(r"(\S+) as jQuery", exports[1].replace(",", " "))
    if exports is None or not name or "</script" in source.lower():
        raise ValueError("the tables of this itables cannot be put into a page; allowed: itables 2.9 and its like")
    return f"{source[: exports.start()]}const DataTable = {name[1]}.fn.dataTable;{source[exports.end() :]}\n"


def anchored(data: Frames) -> Frames:
    """Every record gets the id of its row in the page; numbers, because ids of records may hold anything."""
    costs, runs = (
        frame.assign(anchor=[f"{kind}-{number}" for number in range(len(frame))])
        for kind, frame in (("cost", data.costs), ("run", data.runs))
    )
    return replace(data, costs=costs, runs=runs)


def _parts(records: list[Record], data: Frames) -> list[Part]:
    """A part for every machine; and one for every commit, where several commits measured the same thing there."""
    parts: list[Part] = []
    for machine in data.machines:
        here = data.on(machine)
        both = pd.concat([here.costs, here.runs])
        commits = both["commit"].nunique()
        remark = f"These results come from {commits} commits: of each case the newest counts." if commits > 1 else ""
        parts.append(_part(f"m{len(parts) + 1}", machine, remark, here))
        mine = [record for record in records if machine_of(record) == machine]
        rivals = _rival_commits(mine)
        for commit in rivals[:COMMITS]:
            of_commit = [record for record in mine if _commit(record) == commit]
            found = _known(frames(newest(of_commit)), data)
            parts.append(_part(f"m{len(parts) + 1}", f"{machine}, commit {commit[:10]} only", "", found))
    return parts


def _commit(record: Record) -> str:
    provenance = record.get("provenance")
    return str(provenance.get("commit") or "") if isinstance(provenance, dict) else ""


def _rival_commits(records: list[Record]) -> list[str]:
    """The commits that measured something another one measured too, the newest first."""
    of_id: dict[str, set[str]] = {}
    latest: dict[str, str] = {}
    for record in records:
        of_id.setdefault(str(record.get("id")), set()).add(_commit(record))
        when = record.get("provenance")
        when = str(when.get("measured_at") or "") if isinstance(when, dict) else ""
        latest[_commit(record)] = max(latest.get(_commit(record), ""), when)
    rivals = set().union(*(commits for commits in of_id.values() if len(commits) > 1))
    return sorted(rivals - {""}, key=lambda commit: latest[commit], reverse=True)


def _known(data: Frames, everything: Frames) -> Frames:
    """The frames of older records, whose rows are in the table of records only if nothing newer replaced them."""
    key = ["machine", "id", "commit"]
    anchored = [
        frame.merge(whole[[*key, "anchor"]], on=key, how="left").fillna({"anchor": ""})
        for frame, whole in ((data.costs, everything.costs), (data.runs, everything.runs))
    ]
    return replace(data, costs=anchored[0], runs=anchored[1])


def headline(data: Frames) -> tuple[list[Sentence], Table]:
    """What one set of results answers in short: the sentences, and the table of what they are about."""
    measured, finished = analysis.latest(figures.ok(data.costs)), figures.ok(data.runs)
    costs, runs = analysis.usual_threads(analysis.comparable(measured)), learning.one_recipe(finished)
    return wording.headline(costs, runs, data.twins), tables.headline(costs, runs)


def _part(name: str, title: str, remark: str, data: Frames) -> Part:
    measured, finished = analysis.latest(figures.ok(data.costs)), figures.ok(data.runs)
    every_study = learning.studies(finished)
    ours = analysis.comparable(measured)
    costs = analysis.usual_threads(ours)
    steps = analysis.usual_threads(analysis.comparable(measured, (*analysis.PASSES, analysis.STEP)))
    sentences, table = headline(data)
    growths = analysis.growths(costs)
    pairs, peers = analysis.realised_speedup(costs, data.twins), analysis.peers(measured, data.twins)
    return Part(
        id=name,
        title=title,
        remark=remark,
        sentences=sentences,
        table=table,
        figures=figures.every(data, name),
        studies=[_study(study, ours, data.epochs) for study in every_study[: figures.STUDIES]],
        more_studies=max(0, len(every_study) - figures.STUDIES),
        exponents=tables.exponents(growths),
        bends=[wording.bends(growths, direction) for direction in analysis.PASSES] if len(growths) else [],
        limits=tables.limits(steps),
        peers=tables.peers(peers),
        findings=tables.findings(measured),
        undecided=tables.undecided(pairs, peers),
        undecided_words=wording.undecided(pd.concat([pairs["word"], peers["word"]])),
        not_measured=tables.not_measured(data.costs, data.runs),
    )


def _study(runs: pd.DataFrame, costs: pd.DataFrame, epochs: pd.DataFrame) -> Study:
    mine = epochs[epochs["id"].isin(runs["id"])]
    target = learning.common_target(mine)
    return Study(
        title=wording.study(runs),
        networks=tables.networks(learning.networks(costs, runs)),
        accuracies=tables.accuracies(runs),
        targets=tables.targets(mine, target),
        target=wording.to_target(mine, target),
    )


def _downloads(records: list[Record], data: Frames) -> tuple[list[Download], list[str]]:
    """The files inside of the page, and the names of those that are too large for it."""
    files: list[tuple[str, str, Iterable[str]]] = [
        # ASCII, because a text may hold half a character.
        ("records.jsonl", "every record with its raw samples, a line each", (f"{json.dumps(r)}\n" for r in records))
    ]
    files += [(f"{name}.csv", what, [csv(frame)]) for name, what, frame in named(data) if len(frame)]
    downloads, left_out = [], []
    for name, what, parts in files:
        content = _compressed(parts, LARGEST_DOWNLOAD)
        if content is None:
            left_out.append(name)
        else:
            downloads.append(Download(f"{name}.gz", what, _uri("application/gzip", content)))
    return downloads, left_out


def _compressed(parts: Iterable[str], most: int) -> bytes | None:
    """The parts in a gzip file; None where that is larger than `most`, which is found out on the way."""
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    content = b""
    for part in parts:
        content += packer.compress(part.encode())
        if len(content) > most:
            return None
    content += packer.flush()
    return content if len(content) <= most else None


def _csv_file(figure: Figure) -> Download:
    """The data of a figure; compressed where there is much of it."""
    content = figure_csv(figure).encode()
    if len(content) <= LARGEST_PLAIN:
        return Download(f"{figure.key}.csv", "data (CSV)", _uri("text/csv", content))
    return Download(
        f"{figure.key}.csv.gz", "data (CSV, gzip)", _uri("application/gzip", gzip.compress(content, mtime=0))
    )


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
