"""The parts of the page: one per machine, and one per commit where several commits measured the same cases."""

import json
from dataclasses import replace

import pandas as pd

from benchmarks.records.record import Record
from benchmarks.statistics.choosing import MARGIN_WORDS
from benchmarks.statistics.over_seeds import DECIDING_SEEDS
from benchmarks.statistics.written import TOO_FEW
from reports.arithmetic.prepared import Prepared, StudyRuns
from reports.figures.draw import Figure
from reports.figures.sections import sections
from reports.frames.frames import Frames, frames, machine_name, newest
from reports.frames.selection import PASSES, opening_order
from reports.tables import of_layers, of_operators, of_training, of_trust
from reports.words.headline import headline
from reports.words.names import study_title
from reports.words.of_choice import PRICE_WORDS
from reports.words.of_layers import bends
from reports.words.of_operators import first_answers
from reports.words.of_training import learning_rates, matching, target
from reports.words.of_trust import undecided
from reports.words.overview import device

# At most this many commits get parts of their own: the newest of those that measured the same cases.
MOST_COMMITS = 4


class TrainingTables:
    """The tables of one study. The names of the study's sections of figures end with `suffix`."""

    def __init__(self, study: StudyRuns) -> None:
        self.suffix, self.title = study.suffix, study_title(study.runs)
        self.price, self.seeds, self.fewest = study.price, study.accuracies.seeds, DECIDING_SEEDS
        self.points, self.too_few, self.fronts = MARGIN_WORDS, TOO_FEW, json.dumps(PRICE_WORDS)
        self.networks = of_training.networks(study)
        self.pairs = of_training.pairs(study)
        self.accuracy = of_training.accuracy(study)
        self.rates = learning_rates(study.runs)
        self.target = of_training.target(study.spent, study.target, study.looks)
        self.target_words = target(study.spent, study.target)
        self.matching = matching(study)


class Part:
    """What the page shows of one set of results, measured on one machine. `id` is the part's id in the page."""

    def __init__(self, id: str, title: str, remark: str, data: Frames) -> None:
        results = Prepared(data)
        pairs, peers, studies = results.separable_against_full, results.against_peers, results.shown_studies
        self.id, self.title, self.remark = id, title, remark
        self.device_words, self.device = device(data), pd.concat([data.costs["device"], data.runs["device"]]).iloc[0]
        self.sentences = headline(results)
        self.table = of_layers.headline(results)
        self.has_equal_maps = len(results.against_equal_maps) > 0
        drawn = sections(results, id)
        self.figures = {name: shown(figures) for name, figures in drawn.items()}
        self.not_shown = [
            figure.takeaway for name in drawn for figure in drawn[name] if figure not in self.figures[name]
        ]
        self.studies = [TrainingTables(study) for study in studies if len(study.runs)]
        self.all_studies = of_training.all_studies(results.studies)
        self.exponents = of_layers.exponents(results.growths)
        self.bends = [bends(results.growths, direction) for direction in PASSES] if len(results.growths) else []
        self.operators = of_operators.operators(results.operators)
        self.first_answers = of_operators.first_answers(results.first_answers, results.looks)
        self.first_answer_words = first_answers(results.all_first_answers)
        self.roofline = of_layers.roofline(results.steps)
        self.peers = of_layers.peers(peers)
        self.findings, self.noisy = of_trust.findings(results.measured), int((data.costs["noise"] == "noisy").sum())
        self.undecided = of_trust.undecided(pairs, peers)
        self.undecided_words = undecided(pd.concat([pairs["word"], peers["word"]]))
        self.not_measured = of_trust.not_measured(data.costs, data.runs)

    @property
    def anchors(self) -> set[str]:
        """The row ids of the records that this part links to."""
        shown = [
            self.table,
            self.first_answers,
            self.peers,
            self.findings,
            self.not_measured,
            *(study.networks for study in self.studies),
        ]
        linked = {link for each in self.sentences for source in each.records for _, link in source.records}
        return linked.union(*(table.anchors for table in shown))


def shown(figures: list[Figure]) -> list[Figure]:
    """Return the figures of a section that show anything; all of them where none does, as they say why."""
    return [figure for figure in figures if figure.panels] or figures


def parts(records: list[Record], data: Frames) -> list[Part]:
    """Return a part per machine, and one per commit where several commits measured the same cases.

    The first part is the one with which the page opens, by the rule of `opening_order`.

    Args:
        data: the frames of the newest of these records, with the column `anchor`.
    """
    found: list[Part] = []
    machines = opening_order(data)
    for machine in machines:
        here = data.on(machine)
        both = pd.concat([here.costs, here.runs])
        commits = both["commit"].nunique()
        remark = (
            f"These results come from {commits} commits; each case is shown with its newest record."
            if commits > 1 and len(machines) > 1  # of one machine, the page itself says so
            else ""
        )
        found.append(Part(f"m{len(found) + 1}", machine, remark, here))
        mine = [record for record in records if machine_name(record) == machine]
        rivals, kinds = rival_commits(mine)
        for commit in rivals[:MOST_COMMITS]:
            of_commit = [
                record for record in mine if _provenance(record, "commit") == commit and record.get("kind") in kinds
            ]
            older = _known(frames(newest(of_commit)), data)
            found.append(Part(f"m{len(found) + 1}", f"{machine}, commit {commit[:10]} only", "", older))
    return found


def _provenance(record: Record, name: str) -> str:
    provenance = record.get("provenance")
    return str(provenance.get(name) or "") if isinstance(provenance, dict) else ""


def rival_commits(records: list[Record]) -> tuple[list[str], set[object]]:
    """Return the commits that share a case or a run with another commit, the newest first, and the kinds of these.

    Where commits share cases alone, their parts need no training runs: each run stands once, in the machine's part.
    """
    of_id: dict[str, set[str]] = {}
    kind_of: dict[str, object] = {}
    latest: dict[str, str] = {}
    for record in records:
        commit = _provenance(record, "commit")
        of_id.setdefault(str(record.get("id")), set()).add(commit)
        kind_of[str(record.get("id"))] = record.get("kind")
        latest[commit] = max(latest.get(commit, ""), _provenance(record, "measured_at"))
    shared = {name: commits for name, commits in of_id.items() if len(commits) > 1}
    rivals = set().union(*shared.values())
    kinds = {kind_of[name] for name in shared}
    kinds |= {"twin"} if "cost" in kinds else set()
    return sorted(rivals - {""}, key=lambda commit: latest[commit], reverse=True), kinds


def _known(data: Frames, everything: Frames) -> Frames:
    """Add `anchor` to the frames of one commit; it is empty for records that a newer one replaced in the page."""
    key = ["machine", "id", "commit"]
    anchored = [
        frame.merge(whole[[*key, "anchor"]], on=key, how="left").fillna({"anchor": ""})
        for frame, whole in ((data.costs, everything.costs), (data.runs, everything.runs))
    ]
    return replace(data, costs=anchored[0], runs=anchored[1])
