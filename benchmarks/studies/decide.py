"""Make the decisions of a study: widths by its budgets, and the seconds of training steps, measured here."""

from dataclasses import replace
from typing import Any

from tqdm import tqdm

from benchmarks.cases.training_run import TrainingRun
from benchmarks.running.isolated import Report
from benchmarks.studies.decisions import Decisions, Width
from benchmarks.studies.workers import Workers
from benchmarks.training.folders import Folders

# Processes in which every training step is measured.
ROUNDS = 5


def data_task(task: tuple[TrainingRun, Folders], report: Report) -> dict[str, Any]:
    """How many images a run has in each part."""
    from benchmarks.datasets import load

    run, folders = task
    data = load(
        run.dataset,
        folders.data_root,
        image_size=run.image_size,
        download=folders.download,
        seed=run.data_seed,
        limit=run.limit,
    )
    return {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)}


def match_task(task: Any, report: Report) -> dict[str, Any]:
    """``matching.match_task``, imported where it runs."""
    from benchmarks.studies import matching

    return matching.match_task(task, report)


def pace_task(task: Any, report: Report) -> dict[str, Any]:
    """``matching.pace_task``, imported where it runs."""
    from benchmarks.studies import matching

    return matching.pace_task(task, report)


def decide(decisions: Decisions, workers: Workers) -> Decisions:
    """Return the decisions, completed by the widths and the seconds of training steps that they lack.

    They are measured one by one, nothing else of ours running.
    """
    study, widths = decisions.study, dict(decisions.widths)
    reference = study.run(study.reference, study.channels)
    pairs = [(matched, contender) for matched in study.matches for contender in study.contenders]
    missing = [pair for pair in pairs if pair not in widths]
    for matched, contender in tqdm(missing, unit="width", desc="match", dynamic_ncols=True, disable=not missing):
        if contender == study.reference:
            widths[matched, contender] = Width(study.channels, 1.0, 1.0)
            continue
        task = (matched, reference, study.run(contender, 1))
        widths[matched, contender] = Width(**workers.measure(match_task, task, study.device))
    decisions = replace(decisions, widths={pair: widths[pair] for pair in pairs})
    networks = [network for network in decisions.networks if network not in decisions.steps]
    if not networks:
        return decisions
    runs = tuple(study.run(*network) for network in networks)
    rounds = [
        workers.measure(pace_task, (runs, number), study.device)
        for number in tqdm(range(ROUNDS), unit="round", desc="time steps", dynamic_ncols=True)
    ]
    steps = {network: [each["seconds"][i] for each in rounds] for i, network in enumerate(networks)}
    decisions = replace(decisions, steps={**decisions.steps, **steps}, provenance=rounds[0]["provenance"])
    return replace(decisions, widths=_as_timed(decisions))


def _as_timed(decisions: Decisions) -> dict[Any, Width]:
    """The widths with ratios of times as measured last, with more samples than the choice was made by."""
    study = decisions.study
    widths = dict(decisions.widths)
    for matched, contender in decisions.widths:
        if matched == "time":
            seconds = decisions.step(matched, contender)["median"] / decisions.step(matched, study.reference)["median"]
            widths[matched, contender] = replace(decisions.widths[matched, contender], achieved=seconds)
    return widths
