"""The studies in folders of results: their decisions and records, without any measurement."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.records.below import named_places
from benchmarks.records.contribution import STUDIES
from benchmarks.records.record import machine_of
from benchmarks.records.store import RecordStore
from benchmarks.studies.contenders import Contender
from benchmarks.studies.decisions import Decisions, load_decisions
from benchmarks.studies.results import StudyResults
from benchmarks.studies.study import Study

BEGIN, END = "study-", ".json"


def kept_studies(folders: Iterable[Path]) -> dict[str, list[StudyResults]]:
    """Return the parts of each study that some of the folders hold, by its name; parts are in the order of their sizes.

    Parts of one study differ in the train images alone; another scale, other options or another machine make another
    study, whose name has a number. Studies without learning rates are left out: nothing of them is trained.

    Raises:
        ValueError: when no folder has a study, or a file does not hold the decisions of a study.
    """
    by_folder = {folder: sorted(folder.glob(STUDIES)) for folder in folders}
    if not any(by_folder.values()):
        raise ValueError(f"no study in {named_places(by_folder)}; allowed: folders of `python -m benchmarks study`")
    found: dict[tuple[str, Study, str], list[StudyResults]] = {}
    for folder, paths in by_folder.items():
        if not paths:
            continue
        records = RecordStore(folder).load()
        for path in paths:
            decisions = read_decisions(path)
            if decisions.rates.keys() >= set(decisions.networks):
                name = path.name.removeprefix(BEGIN).removesuffix(f"-{decisions.study.id}{END}")
                same = replace(decisions.study, train_limit=None, dataset=_without_pose(decisions.study.dataset))
                key = name, same, str(machine_of({"provenance": dict(decisions.provenance)}))
                found.setdefault(key, []).append(StudyResults.of(decisions, records))
    named: dict[str, list[StudyResults]] = {}
    counts: Counter[str] = Counter()
    for (name, *_), parts in found.items():
        parts.sort(key=lambda part: (part.decisions.study.train_limit or 0, part.decisions.study.dataset))
        counts[name] += 1
        named[name if counts[name] == 1 else f"{name}-{counts[name]}"] = parts
    return named


def _without_pose(dataset: str) -> str:
    """Return the data set; the parts of ``pose`` have the same images in several poses."""
    return "mnist-upright" if dataset == "mnist-tilted" else dataset


def read_decisions(path: Path) -> Decisions:
    """Return the decisions in a file, with the study that they are of.

    Raises:
        ValueError: for a file that does not hold the decisions of a study.
    """
    try:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["study"]
        lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        study = Study(**{**fields, **lists, "reference": Contender(**fields["reference"])})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} holds no study ({error})") from None
    decisions = load_decisions(path, study)
    if decisions is None:
        raise ValueError(f"{path} is missing")
    return decisions
