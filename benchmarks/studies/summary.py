"""The report of a study: all tables and verdicts, as lines of text."""

import dataclasses
from typing import Any

from benchmarks.studies.claims import verdicts
from benchmarks.studies.decide import STEP_ROUNDS
from benchmarks.studies.decisions import Decisions
from benchmarks.studies.lost_equivariance import lost_equivariance_lines
from benchmarks.studies.pilot import pilot_lines
from benchmarks.studies.redundancy import redundancy_lines
from benchmarks.studies.results import StudyResults, accuracy_lines, waiting_lines


def training_seconds(results: StudyResults) -> float:
    """Return the seconds of training and evaluation, summed over all runs."""
    ends = [record["epochs"][-1] for records in results.records.values() for record in records]
    return float(sum(end["seconds"] + (end.get("evaluation_seconds") or 0.0) for end in ends))


def decisions_value(decisions: Decisions) -> dict[str, Any]:
    """Return a study, and the widths, seconds of a step and learning rates of its networks, for programs."""
    networks = [
        {
            "matched": matched,
            "contender": contender.label,
            **dataclasses.asdict(width),
            "step_seconds": decisions.step(matched, contender)["median"],
            "learning_rate": decisions.rates.get(decisions.network(matched, contender)),
        }
        for (matched, contender), width in decisions.widths.items()
    ]
    return {"study": decisions.study, "images": decisions.images, "seeds": decisions.seeds, "networks": networks}


def study_value(results: StudyResults) -> dict[str, Any]:
    """Return the decisions of a study, its accuracies (fractions) and verdicts, for programs."""
    value = decisions_value(results.decisions)
    for network, key in zip(value["networks"], results.decisions.widths, strict=True):
        network |= {"test_accuracy": results.accuracy(*key), "by_seed": results.accuracies(*key)}
    return {**value, "verdicts": verdicts(results)}


def study_lines(results: StudyResults) -> list[str]:
    """Return the report of a study."""
    decisions = results.decisions
    study, images = decisions.study, decisions.images
    lines = [
        "",
        f"{study.dataset}, {study.image_size}×{study.image_size}, {images['train']} / {images['validation']} / "
        f"{images['test']} images, {study.network}, {study.epochs} epochs of {decisions.steps_per_epoch} steps of "
        f"{study.batch_size}, {decisions.seeds} seeds; {decisions.provenance.get('device_name')}, "
        f"{study.threads} thread; seconds are the number of steps times the seconds of a step measured alone, in "
        f"{STEP_ROUNDS} processes",
    ]
    for matched in study.matches:
        reference = f"{study.reference.label} C={study.channels}"
        lines += ["", f"## matched by {matched} to {reference}", *accuracy_lines(results, matched)]
        lines += ["", *waiting_lines(results, matched)]
    if any(contender.variant == "full" for contender in study.contenders):
        lines += ["", f"## redundancy, matched by {study.matches[0]}, %", *redundancy_lines(results, study.matches[0])]
    lines += [
        "",
        f"## equivariance, matched by {study.matches[0]}",
        *lost_equivariance_lines(results, study.matches[0]),
    ]
    if pilot := pilot_lines(results):
        lines += ["", "## the pilot", *pilot]
    if found := verdicts(results):
        lines += ["", "## the claims"]
    for verdict in found:
        lines += ["", f"{verdict.word.upper()}: {verdict.claim}", *verdict.evidence]
    return lines
