"""All that a study says, as lines of text."""

from benchmarks.studies.claims import redundancy_lines, verdicts
from benchmarks.studies.decide import ROUNDS
from benchmarks.studies.results import Results, accuracy_lines, waiting_lines


def training_seconds(results: Results) -> float:
    """Of training and evaluation, of all runs together."""
    lasts = [record["epochs"][-1] for records in results.records.values() for record in records]
    return sum(last["seconds"] + (last.get("evaluation_seconds") or 0.0) for last in lasts)


def study_lines(results: Results) -> list[str]:
    """All that the study says."""
    decisions = results.decisions
    study, images = decisions.study, decisions.images
    lines = [
        "",
        f"{study.dataset}, {study.image_size}×{study.image_size}, {images['train']} / {images['validation']} / "
        f"{images['test']} images, {study.epochs} epochs of {decisions.steps_per_epoch} steps of {study.batch_size}, "
        f"{study.seeds} seeds; {decisions.provenance.get('device_name')}, {study.threads} thread; seconds are steps "
        f"times those of a step alone on the machine, {ROUNDS} processes",
    ]
    for matched in study.matches:
        reference = f"{study.reference.label} C={study.channels}"
        lines += ["", f"## matched by {matched} to {reference}", *accuracy_lines(results, matched)]
        lines += ["", *waiting_lines(results, matched)]
    lines += ["", f"## redundancy, matched by {study.matches[0]}, %", *redundancy_lines(results, study.matches[0])]
    lines += ["", "## the paper's claims"]
    for verdict in verdicts(results):
        lines += ["", f"{verdict.word.upper()}: {verdict.claim}", *verdict.evidence]
    return lines
