"""The finished studies in a folder of results: their decisions and records, without any measurement."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.records.store import RecordStore
from benchmarks.studies.contenders import Contender
from benchmarks.studies.decisions import Decisions, load_decisions
from benchmarks.studies.results import StudyResults
from benchmarks.studies.study import Study

BEGIN, END = "study-", ".json"


def kept_studies(folders: Iterable[Path]) -> dict[str, list[StudyResults]]:
    """Return the parts of each study that some of the folders hold, by its name; parts are in the order of their sizes.

    Studies without learning rates are left out, because nothing of them is trained.

    Raises:
        ValueError: when no folder has a study, or a file does not hold the decisions of a study.
    """
    by_folder = {folder: sorted(folder.glob(f"{BEGIN}*{END}")) for folder in folders}
    if not any(by_folder.values()):
        names = ", ".join(map(str, by_folder))
        raise ValueError(f"no study in {names}; allowed: folders of `python -m benchmarks study`")
    found: dict[str, list[StudyResults]] = {}
    for folder, paths in by_folder.items():
        if not paths:
            continue
        records = RecordStore(folder).load()
        for path in paths:
            decisions = read_decisions(path)
            if decisions.rates.keys() >= set(decisions.networks):
                name = path.name.removeprefix(BEGIN).removesuffix(f"-{decisions.study.id}{END}")
                found.setdefault(name, []).append(StudyResults.of(decisions, records))
    for parts in found.values():
        parts.sort(key=lambda part: (part.decisions.study.train_limit or 0, part.decisions.study.dataset))
    return found


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
