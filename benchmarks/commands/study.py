"""``python -m benchmarks study NAME``: decide widths and learning rates, train, and judge the paper's claims."""

import argparse
import dataclasses
import itertools
import time
import warnings
from collections.abc import Iterable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.cases.case import Case, InvalidCase
from benchmarks.cases.meant import unknown
from benchmarks.commands.options import add_fields, add_image_options, add_store_options, and_page, check_timeout
from benchmarks.measure.sampling import Sampling
from benchmarks.records.provenance import software
from benchmarks.records.store import RecordStore, RecordWarning
from benchmarks.studies.catalogue import STUDIES
from benchmarks.studies.contenders import KINDS
from benchmarks.studies.decide import data_task, decide
from benchmarks.studies.decisions import Decisions, decisions_path, load_decisions, save_decisions
from benchmarks.studies.parts import lines_over_parts
from benchmarks.studies.pilot import pilot_lines, seeds_to_train
from benchmarks.studies.results import StudyResults
from benchmarks.studies.search import (
    FOLDER,
    MOST_BEYOND,
    best_rates,
    rate_scores,
    rates_beyond,
    search_lines,
    search_runs,
)
from benchmarks.studies.study import Study
from benchmarks.studies.summary import decisions_value, study_lines, study_value, training_seconds
from benchmarks.studies.workers import Here, Workers, complete
from benchmarks.sweep.engine import Engine
from benchmarks.sweep.estimate import minutes
from benchmarks.sweep.own_check import check_own
from benchmarks.sweep.sweep import sweep
from benchmarks.terminal.result import Result
from benchmarks.training.folders import Folders
from benchmarks.training.missing import TIMEOUT

# The timing of inference, which ``advise`` and the page's recommendation quote: images in a pass, and the sampling.
INFERENCE_BATCH = 64
INFERENCE_SAMPLING = Sampling(rounds=7, min_samples=20, seconds=3.0)
EPILOG = """\
examples:
  python -m benchmarks study rotated-digits --scale quick
  python -m benchmarks study rotated-digits --jobs 2 --plan        how long the study would take
  python -m benchmarks study rotated-mnist --data-root data --jobs 2
  python -m benchmarks study data-efficiency --data-root data --jobs 2
  python -m benchmarks study rotated-mnist --scheduler tcp://host:8786

A repeated command continues where it was stopped. When nothing is left to do, it prints the tables again.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = (
        "Compare networks on groups with plain ones, with augmentation, and with networks that see turned copies, "
        "matched by budgets: accuracy, time to accuracy, redundancy, the paper's claims, and augmentation. "
        "docs/studies.md describes the studies."
    )
    parser.epilog = EPILOG
    parser.add_argument("name", choices=STUDIES, metavar="|".join(STUDIES), help="the study")
    parser.add_argument("--scale", default="standard", help="quick, standard, or paper, for a GPU (default: standard)")
    parser.add_argument("--plan", action="store_true", help="decide widths, estimate the time of the rest, and stop")
    parser.add_argument("--no-inference", action="store_true", help="do not time the networks' inference for advise")
    fields = parser.add_argument_group("the study", "values to use instead of the scale's own")
    text = "parameters, macs, time, memory, maps; one table for each"
    fields.add_argument("--match", dest="matches", nargs="+", metavar="NAME", help=text)
    fields.add_argument("--resolution", dest="resolutions", nargs="+", type=int, metavar="N", help="|H|")
    fields.add_argument("--kinds", nargs="+", metavar="NAME", help=f"contenders: {', '.join(KINDS)} (+: augmented)")
    text = "a network of your own that competes, too, package.module:factory"
    fields.add_argument("--network", dest="own_networks", nargs="+", metavar="NAME", help=text)
    add_fields(
        fields,
        int,
        seeds="how many seeds: N trains the seeds 0 to N − 1, without a pilot",
        epochs="epochs of each run",
        channels="C of the network whose cost the others match",
    )
    add_fields(fields, str, device="cpu, cuda")
    add_image_options(fields)
    where = parser.add_argument_group("execution")
    where.add_argument("--jobs", type=int, default=1, metavar="N", help="training runs at once, one thread each")
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask cluster for the runs; see docs/cluster.md")
    add_store_options(where, "run", TIMEOUT)


def chosen_studies(args: argparse.Namespace) -> tuple[Study, ...]:
    """Return the parts of the study that the options choose.

    Raises:
        InvalidCase: for a scale or a value that is not allowed.
    """
    scales = STUDIES[args.name]
    if args.scale not in scales:
        raise InvalidCase(unknown("scale", args.scale, scales))
    names = {field.name for field in dataclasses.fields(Study)}
    given: dict[str, Any] = {name: value for name, value in vars(args).items() if name in names and value is not None}
    given |= {name: tuple(values) for name, values in given.items() if isinstance(values, list)}
    return tuple(_with(study, given) for study in scales[args.scale])


def _with(study: Study, given: dict[str, Any]) -> Study:
    if study.reference.resolution not in given.get("resolutions", study.resolutions):
        given = {**given, "reference": replace(study.reference, resolution=max(given["resolutions"]))}
    return replace(study, **given)


def main(args: argparse.Namespace) -> Result:
    """Do what the study still lacks, and print its tables; the status is 1 if all runs of this call failed, else 0."""
    check_timeout(args.timeout)
    studies, store = chosen_studies(args), RecordStore(args.results)
    store.prepare()
    check_own([study.run(each, study.channels).case() for study in studies for each in study.contenders])
    begun, trained, failed, parts = time.monotonic(), 0, 0, []
    with _workers(args) as workers:
        results_root, data_root = args.results.expanduser().resolve(), args.data_root.expanduser().resolve()
        folders = Folders(data_root, args.download, checkpoints=results_root / "checkpoints")
        begun_with = [begun_decisions(study, workers, folders, args) for study in studies]  # finds missing images
        decided = [decided_from(decisions, workers, args) for decisions in begun_with]
        if args.plan:
            return Result({"parts": [_plan_value(decisions, args.jobs) for decisions in decided]})
        for decisions in decided:
            decisions = with_rates(decisions, workers, folders, args)
            decisions, done = trained_to_end(decisions, store, workers, folders, args)
            trained, failed = trained + done[0], failed + done[1]
            if not args.no_inference and args.scheduler is None:
                sweep(inference_cases(decisions), store, Engine(INFERENCE_SAMPLING))
            parts.append(StudyResults.of(decisions, store.load()))
            print(*study_lines(parts[-1]), sep="\n")
    total, seconds = sum(len(part.decisions.all_runs()) for part in parts), sum(map(training_seconds, parts))
    counted = (
        f"trained {trained} of {total} runs now, {failed} failed, {minutes(time.monotonic() - begun)}; "
        f"{minutes(seconds)} of training and evaluation in all; see {store.path}{and_page(args.results)}"
    )
    counts = {"trained": trained, "failed": failed, "runs": total, "training_seconds": seconds, "records": store.path}
    value = {**counts, "parts": [study_value(part) for part in parts]}
    return Result(value, [*lines_over_parts(parts), counted], 1 if failed and failed == trained else 0)


def _plan_value(decisions: Decisions, jobs: int) -> dict[str, Any]:
    search_seconds, study_seconds = decisions.estimated_seconds(jobs)
    return {**decisions_value(decisions), "search_seconds": search_seconds, "study_seconds": study_seconds}


def begun_decisions(study: Study, workers: Workers, folders: Folders, args: argparse.Namespace) -> Decisions:
    """Return the decisions that a study has in its file, or those of a new study: the numbers of its images.

    Raises:
        ValueError: for images that are missing or damaged, or fewer than a batch has.
    """
    decisions = load_decisions(decisions_path(args.results, args.name, study), study)
    if decisions is not None:
        return decisions
    images = workers.measure(data_task, (study.run(study.reference, study.channels), folders), "cpu")
    if study.batch_size > (most := study.epoch_images or images["train"]):
        few = f"an epoch has {most} images, and a batch {study.batch_size}"
        raise InvalidCase(f"{few}; allowed: at least {study.batch_size} train images (--limit)")
    return Decisions(study, images)


def decided_from(decisions: Decisions, workers: Workers, args: argparse.Namespace) -> Decisions:
    """Return the widths and steps of a study, those that it lacks measured, and print them."""
    path = decisions_path(args.results, args.name, decisions.study)
    warn_of_another_commit(decisions, path)
    decisions = decide(decisions, workers)
    save_decisions(decisions, path)
    print(*decisions.lines(), estimate_line(decisions, args.jobs, workers.text), sep="\n")
    return decisions


def with_rates(decisions: Decisions, workers: Workers, folders: Folders, args: argparse.Namespace) -> Decisions:
    """Return the decisions with the learning rates of all networks, searched or from their file."""
    if decisions.rates.keys() >= set(decisions.networks):
        return decisions
    decisions = replace(decisions, rates=search(decisions, workers, folders, args))
    save_decisions(decisions, decisions_path(args.results, args.name, decisions.study))
    return decisions


def trained_to_end(
    decisions: Decisions, store: RecordStore, workers: Workers, folders: Folders, args: argparse.Namespace
) -> tuple[Decisions, tuple[int, int]]:
    """Train the runs of the pilot, and those of the further seeds that the pilot asks for.

    Returns:
        The decisions with the number of seeds; how many runs were trained, and how many of them failed.
    """
    if args.seeds is not None:  # the user's number is final, also where an earlier call trained more
        decisions = replace(decisions, seeds=args.seeds)
    done = complete(decisions.all_runs(), store, workers, folders, retry_failed=args.retry_failed)
    results = StudyResults.of(decisions, store.load())
    seeds = seeds_to_train(results) if args.seeds is None else args.seeds
    if seeds == decisions.seeds:
        return decisions, done
    more = replace(decisions, seeds=seeds)
    save_decisions(more, decisions_path(args.results, args.name, more.study))
    print(*pilot_lines(replace(results, decisions=more)), sep="\n")
    then = complete(more.all_runs(), store, workers, folders, retry_failed=args.retry_failed)
    return more, (done[0] + then[0], done[1] + then[1])


def warn_of_another_commit(decisions: Decisions, path: Path) -> None:
    """Warn when widths and times of training steps were measured with another commit than the present one."""
    then, now = decisions.provenance.get("commit"), software()["commit"]
    if then != now and None not in (then, now):
        warnings.warn(
            f"widths and steps in {path} are those of commit {str(then)[:10]}, not of {str(now)[:10]}; to measure them "
            "again, remove this file or give another --results",
            RecordWarning,
            stacklevel=2,
        )


def _workers(args: argparse.Namespace) -> AbstractContextManager[Workers]:
    if args.scheduler is None:
        return nullcontext(Here(args.jobs, args.timeout))
    from benchmarks.studies.cluster import Cluster  # not at the top: it needs ``distributed``

    return closing(Cluster(args.scheduler, jobs=args.jobs, timeout=args.timeout))


def search(decisions: Decisions, workers: Workers, folders: Folders, args: argparse.Namespace) -> dict[Any, float]:
    """Search the learning rate of each network, and print the scores."""
    study = decisions.study
    store = RecordStore(args.results / FOLDER)
    tries: Iterable[Any] = itertools.product(decisions.networks, study.search_rates)
    scores: dict[Any, float] = {}
    for _ in range(1 + MOST_BEYOND):
        runs = search_runs(study, tries)
        all_seeds = list(itertools.chain(*runs.values()))
        complete(all_seeds, store, workers, folders, retry_failed=args.retry_failed, text="search")
        scores |= rate_scores(runs, store.load())
        tries = rates_beyond(scores)
        if not tries:
            break
    print("", *search_lines(study, scores), sep="\n")
    return best_rates(scores)


def inference_cases(decisions: Decisions) -> list[Case]:
    """Return the inference cases of all networks. (Networks that differ only in how they are trained share a case.)"""
    images = decisions.images
    found = []
    for contender, channels in decisions.networks:
        case = decisions.study.run(contender, channels).case()
        in_channels, classes = images.get("channels", case.in_channels), images.get("classes", case.num_classes)
        inference: dict[str, Any] = {"direction": "forward", "kernels": "cached", "batch_size": INFERENCE_BATCH}
        found.append(replace(case, in_channels=in_channels, num_classes=classes, **inference))
    return list(dict.fromkeys(found))


def estimate_line(decisions: Decisions, jobs: int, text: str) -> str:
    """Write how long the runs of the study take; ``text`` describes the workers."""
    search_seconds, study_seconds = decisions.estimated_seconds(jobs)
    study = decisions.study
    runs = len(decisions.widths) * decisions.seeds
    tries = len(decisions.networks) * len(study.search_rates) * len(study.search_seeds)
    return (
        f"{tries} runs of {study.search_epochs} epochs to find learning rates, about {minutes(search_seconds)} "
        "(longer where the best rate is the largest or the smallest), "
        f"and {runs} runs of {study.epochs} epochs, about {minutes(study_seconds)}: {text}, if simultaneous runs do "
        "not slow each other down"
    )
