"""Make the decisions of a study: the widths that meet its budgets, and the measured seconds of training steps."""

from dataclasses import replace
from typing import Any

from benchmarks.cases.training_run import TrainingRun
from benchmarks.running.isolated import Report
from benchmarks.running.progress import Progress
from benchmarks.studies.decisions import Decisions, Width
from benchmarks.studies.workers import Workers
from benchmarks.training.folders import Folders

# Number of processes in which each training step is measured.
STEP_ROUNDS = 5


def data_task(task: tuple[TrainingRun, Folders], report: Report) -> dict[str, Any]:
    """Count the images that a run has in each part, their channels and their classes."""
    from benchmarks.training.images import load_images

    data = load_images(*task)
    counts = {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)}
    return {**counts, "channels": data.channels, "classes": data.num_classes}


def match_task(task: Any, report: Report) -> dict[str, Any]:
    """Call ``matching.match_widths``; only the process that measures imports ``matching``."""
    from benchmarks.studies import matching

    return matching.match_widths(task, report)


def pace_task(task: Any, report: Report) -> dict[str, Any]:
    """Call ``matching.measure_pace``; only the process that measures imports ``matching``."""
    from benchmarks.studies import matching

    return matching.measure_pace(task, report)


def decide(decisions: Decisions, workers: Workers) -> Decisions:
    """Measure missing widths and seconds of training steps, and return the completed decisions.

    Measurements run one at a time, and never together with training runs.
    """
    study, widths = decisions.study, dict(decisions.widths)
    reference = study.run(study.reference, study.channels)
    pairs = [(matched, contender) for matched in study.matches for contender in study.contenders]
    missing = [pair for pair in pairs if pair not in widths]
    for matched, contender in Progress(missing, unit="width", desc="match", disable=not missing):
        if contender == study.reference:
            widths[matched, contender] = Width(study.channels, 1.0, 1.0)
            continue
        # The width of a network that takes none; a sweep of it then has the same, so that advise finds its cost.
        task = (matched, reference, study.run(contender, study.channels))
        widths[matched, contender] = Width(**workers.measure(match_task, task, study.device))
    widths = {pair: widths[pair] for pair in pairs}
    decisions = replace(decisions, widths=widths)
    networks = [network for network in decisions.networks if network not in decisions.steps]
    if not networks:
        return decisions
    runs = tuple(study.run(*network) for network in networks)
    rounds = [
        workers.measure(pace_task, (runs, number), study.device)
        for number in Progress(range(STEP_ROUNDS), unit="round", desc="time steps")
    ]
    steps = {network: [each["seconds"][i] for each in rounds] for i, network in enumerate(networks)}
    decisions = replace(decisions, steps={**decisions.steps, **steps}, provenance=rounds[0]["provenance"])
    # These steps have more samples than those that chose the widths, so they give the ratios of times.
    medians = {pair: decisions.step(*pair)["median"] for pair in pairs if pair[0] == "time"}
    timed = {
        pair: replace(widths[pair], achieved=seconds / medians["time", study.reference])
        for pair, seconds in medians.items()
    }
    return replace(decisions, widths={**widths, **timed})
