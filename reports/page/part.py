"""The parts of the page: one for each machine, and one for each commit where several measured the same cases."""

from dataclasses import dataclass, replace

import pandas as pd

from benchmarks.records.record import Record
from reports.arithmetic.prepared import Prepared, StudyRuns
from reports.figures.draw import Figure
from reports.figures.sections import sections, study_suffixes
from reports.frames.frames import Frames, frames, machine_name, newest
from reports.frames.selection import PASSES
from reports.tables import of_layers, of_training, of_trust
from reports.tables.cells import Table
from reports.words.headline import Sentence, headline
from reports.words.names import study_title
from reports.words.of_layers import bends
from reports.words.of_training import target
from reports.words.of_trust import undecided

# The most commits with a part of their own, the newest ones, where several commits measured the same cases.
MOST_COMMITS = 4


@dataclass(frozen=True)
class TrainingTables:
    """The tables of one study. `suffix` ends the names of its sections of figures."""

    suffix: str
    title: str
    networks: Table
    accuracy: Table
    target: Table
    target_words: str


@dataclass(frozen=True)
class Part:
    """One set of results; all of them were measured on the same machine."""

    id: str
    title: str
    remark: str
    sentences: list[Sentence]
    table: Table
    figures: dict[str, list[Figure]]
    studies: list[TrainingTables]
    more_studies: int
    exponents: Table
    bends: list[str]
    roofline: Table
    peers: Table
    findings: Table
    undecided: Table
    undecided_words: str
    not_measured: Table

    @property
    def anchors(self) -> set[str]:
        """The records that this part links to."""
        shown = [self.table, self.peers, self.findings, self.not_measured, *(study.networks for study in self.studies)]
        linked = {anchor for sentence in self.sentences for _, anchor in sentence.records}
        return linked.union(*(table.anchors for table in shown))


def parts(records: list[Record], data: Frames) -> list[Part]:
    """Return a part for every machine, and one for every commit where several measured the same cases.

    Args:
        data: the frames of the newest of these records, anchored.
    """
    found: list[Part] = []
    for machine in data.machines:
        here = data.on(machine)
        both = pd.concat([here.costs, here.runs])
        commits = both["commit"].nunique()
        remark = f"These results come from {commits} commits: of each case the newest counts." if commits > 1 else ""
        found.append(part(f"m{len(found) + 1}", machine, remark, here))
        mine = [record for record in records if machine_name(record) == machine]
        rivals = _rival_commits(mine)
        for commit in rivals[:MOST_COMMITS]:
            of_commit = [record for record in mine if _commit(record) == commit]
            older = _known(frames(newest(of_commit)), data)
            found.append(part(f"m{len(found) + 1}", f"{machine}, commit {commit[:10]} only", "", older))
    return found


def _commit(record: Record) -> str:
    provenance = record.get("provenance")
    return str(provenance.get("commit") or "") if isinstance(provenance, dict) else ""


def _rival_commits(records: list[Record]) -> list[str]:
    """Return the commits that measured a case which another commit measured too, the newest first."""
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
    """Add the anchors to frames of older records; records that a newer one replaced have no row to link to."""
    key = ["machine", "id", "commit"]
    anchored = [
        frame.merge(whole[[*key, "anchor"]], on=key, how="left").fillna({"anchor": ""})
        for frame, whole in ((data.costs, everything.costs), (data.runs, everything.runs))
    ]
    return replace(data, costs=anchored[0], runs=anchored[1])


def part(name: str, title: str, remark: str, data: Frames) -> Part:
    """Return the part of one set of results; `name` is its id in the page."""
    results = Prepared(data)
    pairs, peers = results.separable_against_full, results.against_peers
    return Part(
        id=name,
        title=title,
        remark=remark,
        sentences=headline(results),
        table=of_layers.headline(results),
        figures=sections(results, name),
        studies=[
            _tables(study, suffix)
            for study, suffix in zip(results.shown_studies, study_suffixes(results), strict=True)
            if len(study.runs)
        ],
        more_studies=max(0, len(results.studies) - len(results.shown_studies)),
        exponents=of_layers.exponents(results.growths),
        bends=[bends(results.growths, direction) for direction in PASSES] if len(results.growths) else [],
        roofline=of_layers.roofline(results.steps),
        peers=of_layers.peers(peers),
        findings=of_trust.findings(results.measured),
        undecided=of_trust.undecided(pairs, peers),
        undecided_words=undecided(pd.concat([pairs["word"], peers["word"]])),
        not_measured=of_trust.not_measured(data.costs, data.runs),
    )


def _tables(study: StudyRuns, suffix: str) -> TrainingTables:
    return TrainingTables(
        suffix=suffix,
        title=study_title(study.runs),
        networks=of_training.networks(study.networks),
        accuracy=of_training.accuracy(study.runs),
        target=of_training.target(study.spent, study.target),
        target_words=target(study.spent, study.target),
    )
