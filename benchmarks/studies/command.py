"""``python -m benchmarks study NAME``: decide widths and rates, train, and say what becomes of the paper's claims."""

import argparse
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.cases import Case, InvalidCase
from benchmarks.isolation import Report
from benchmarks.measure.clock import Sampling
from benchmarks.measure.environment import software
from benchmarks.plan import minutes
from benchmarks.records import RecordStore, RecordWarning
from benchmarks.runs import TrainingRun
from benchmarks.studies.claims import redundancy_lines, verdicts
from benchmarks.studies.jobs import Here, Workers, complete
from benchmarks.studies.plan import Plan, Width, load_plan, plan_path, save_plan
from benchmarks.studies.results import Results, accuracy_lines, waiting_lines
from benchmarks.studies.search import FOLDER, best_rates, rate_scores, search_lines, search_runs
from benchmarks.studies.study import STUDIES, Study
from benchmarks.sweep import Engine, sweep
from benchmarks.training.places import Places
from benchmarks.training.study import TIMEOUT

# Processes in which every training step is measured.
ROUNDS = 5
# Of inference, for ``advise``: images in a pass, and how long it is timed.
INFERENCE_BATCH = 64
INFERENCE_SAMPLING = Sampling(rounds=3, min_samples=6, seconds=0.2)
EPILOG = """\
examples:
  python -m benchmarks study rotated-digits --scale quick
  python -m benchmarks study rotated-digits --jobs 2 --plan        what it would do, and how long that takes
  python -m benchmarks study rotated-mnist --data-root data --jobs 2
  python -m benchmarks study rotated-mnist --scheduler tcp://host:8786

A command that is run again goes on where it was stopped, and prints the tables again when nothing is left to do.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Compare plain, full, separable and depthwise-separable networks on SE(2) and separable ones on Sim(2), "
        "matched by budgets: accuracy, time to accuracy, redundancy, and the paper's three claims."
    )
    parser.epilog = EPILOG
    parser.add_argument("name", choices=STUDIES, metavar="|".join(STUDIES), help="the study")
    parser.add_argument("--scale", default="standard", help="quick, standard, or paper, for a GPU (default: standard)")
    parser.add_argument("--plan", action="store_true", help="decide widths, say how long the rest takes, and stop")
    parser.add_argument("--no-inference", action="store_true", help="do not time the networks' inference for advise")
    fields = parser.add_argument_group("the study", "values to use instead of the scale's own")
    fields.add_argument("--match", nargs="+", metavar="NAME", help="parameters, macs, time, memory; each is a table")
    fields.add_argument("--resolution", nargs="+", type=int, metavar="N", help="|H|")
    fields.add_argument("--seeds", type=int, metavar="N", help="how many, from 0")
    fields.add_argument("--epochs", type=int, metavar="N", help="of every run")
    fields.add_argument("--channels", type=int, metavar="N", help="C of the reference")
    fields.add_argument("--image-size", type=int, metavar="N", help="pixels")
    fields.add_argument("--limit", type=int, metavar="N", help="at most so many images in each part")
    fields.add_argument("--device", metavar="NAME", help="cpu, cuda")
    where = parser.add_argument_group("execution")
    where.add_argument("--jobs", type=int, default=1, metavar="N", help="training runs at once, one thread each")
    where.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that runs them; see docs/cluster.md")
    where.add_argument("--data-root", type=Path, default=Path("data"), metavar="DIR", help="(default: data)")
    where.add_argument("--download", action="store_true", help="fetch files that are missing or damaged")
    where.add_argument("--results", type=Path, default=Path("results"), metavar="DIR", help="(default: results)")
    where.add_argument(
        "--timeout", type=float, default=TIMEOUT, metavar="SECONDS", help="give a run up after so long without a sign"
    )
    where.add_argument("--retry-failed", action="store_true", help="train again what failed before")


def chosen_study(args: argparse.Namespace) -> Study:
    """The study that is asked for.

    Raises:
        InvalidCase: for a scale or a value that is not allowed.
    """
    scales = STUDIES[args.name]
    if args.scale not in scales:
        raise InvalidCase(f"unknown scale {args.scale!r}; allowed: {', '.join(scales)}")
    names = ("seeds", "epochs", "channels", "image_size", "limit", "device")
    given: dict[str, Any] = {name: value for name in names if (value := getattr(args, name)) is not None}
    if args.match:
        given["matches"] = tuple(args.match)
    if args.resolution:
        given["resolutions"] = tuple(args.resolution)
        reference = scales[args.scale].reference
        if reference.resolution not in args.resolution:
            given["reference"] = replace(reference, resolution=max(args.resolution))
    return replace(scales[args.scale], **given)


def main(args: argparse.Namespace) -> int:
    """Do what is left of the study, and print what it says; returns the exit status.

    Raises:
        ValueError, OSError, RuntimeError: for a wrong request, in one line.
        Interrupted: on Ctrl-C.
    """
    if not args.timeout > 0:
        raise ValueError(f"timeout {args.timeout} is not allowed; allowed: positive numbers of seconds")
    study, store = chosen_study(args), RecordStore(args.results)
    store.prepare()
    begun = time.monotonic()
    with _workers(args) as workers:
        results_root, data_root = args.results.expanduser().resolve(), args.data_root.expanduser().resolve()
        places = Places(data_root, args.download, checkpoints=results_root / "checkpoints")
        path = plan_path(args.results, args.name, study)
        plan = load_plan(path, study)
        if plan is None:
            images = workers.measure(data_task, (study.run(study.reference, study.channels), places), "cpu")
            plan = Plan(study, images)
        warn_of_another_commit(plan, path)
        plan = decide(plan, workers)
        save_plan(plan, path)
        print("\n".join([*plan.lines(), estimate_line(plan, args.jobs, workers.text)]))
        if args.plan:
            return 0
        if not plan.rates.keys() >= set(plan.networks):
            plan = replace(plan, rates=search(plan, workers, places, args))
            save_plan(plan, path)
        trained, failed = complete(plan.all_runs(), store, workers, places, retry_failed=args.retry_failed)
        if not args.no_inference and args.scheduler is None:
            sweep(inference_cases(plan), store, Engine(INFERENCE_SAMPLING))
    results = Results.of(plan, store.load())
    print("\n".join(study_lines(results)))
    total = len(plan.all_runs())
    print(
        f"trained {trained} of {total} runs now, {failed} failed, {minutes(time.monotonic() - begun)}; "
        f"{minutes(training_seconds(results))} of training and evaluation in all; see {store.path} and {path}"
    )
    return 1 if failed and failed == trained else 0


def warn_of_another_commit(plan: Plan, path: Path) -> None:
    """Say that the steps of a plan are those of other code than is there now."""
    then, now = plan.provenance.get("commit"), software()["commit"]
    if then != now and None not in (then, now):
        warnings.warn(
            f"widths and steps in {path} are those of commit {str(then)[:10]}, not of {str(now)[:10]}; remove it, or "
            "give another --results, to measure them anew",
            RecordWarning,
            stacklevel=2,
        )


@contextmanager
def _workers(args: argparse.Namespace) -> Iterator[Workers]:
    if args.scheduler is None:
        yield Here(args.jobs, args.timeout)
        return
    from benchmarks.studies.cluster import Cluster

    cluster = Cluster(args.scheduler, jobs=args.jobs, timeout=args.timeout)
    try:
        yield cluster
    finally:
        cluster.close()


def data_task(task: tuple[TrainingRun, Places], report: Report) -> dict[str, Any]:
    """How many images a run has in each part."""
    from benchmarks.datasets import load

    run, places = task
    data = load(
        run.dataset,
        places.data_root,
        image_size=run.image_size,
        download=places.download,
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


def decide(plan: Plan, workers: Workers) -> Plan:
    """A plan with the widths and the seconds of training steps that it lacks.

    They are measured one by one, nothing else of ours running.
    """
    study, widths = plan.study, dict(plan.widths)
    reference = study.run(study.reference, study.channels)
    pairs = [(matched, contender) for matched in study.matches for contender in study.contenders]
    missing = [pair for pair in pairs if pair not in widths]
    for matched, contender in tqdm(missing, unit="width", desc="match", dynamic_ncols=True, disable=not missing):
        if contender == study.reference:
            widths[matched, contender] = Width(study.channels, 1.0, 1.0)
            continue
        task = (matched, reference, study.run(contender, 1))
        widths[matched, contender] = Width(**workers.measure(match_task, task, study.device))
    plan = replace(plan, widths={pair: widths[pair] for pair in pairs})
    networks = [network for network in plan.networks if network not in plan.steps]
    if not networks:
        return plan
    runs = tuple(study.run(*network) for network in networks)
    rounds = [
        workers.measure(pace_task, (runs, number), study.device)
        for number in tqdm(range(ROUNDS), unit="round", desc="time steps", dynamic_ncols=True)
    ]
    steps = {network: [each["seconds"][i] for each in rounds] for i, network in enumerate(networks)}
    plan = replace(plan, steps={**plan.steps, **steps}, provenance=rounds[0]["provenance"])
    return replace(plan, widths=_as_timed(plan))


def _as_timed(plan: Plan) -> dict[Any, Width]:
    """The widths with ratios of times as measured last, with more samples than the choice was made by."""
    study = plan.study
    widths = dict(plan.widths)
    for matched, contender in plan.widths:
        if matched == "time":
            seconds = plan.step(matched, contender)["median"] / plan.step(matched, study.reference)["median"]
            widths[matched, contender] = replace(plan.widths[matched, contender], achieved=seconds)
    return widths


def search(plan: Plan, workers: Workers, places: Places, args: argparse.Namespace) -> dict[Any, float]:
    """Find the learning rates, and print the scores."""
    study = plan.study
    runs = search_runs(study, plan.networks)
    store = RecordStore(args.results / FOLDER)
    everything = [run for each in runs.values() for run in each]
    complete(everything, store, workers, places, retry_failed=args.retry_failed, text="search")
    scores = rate_scores(runs, store.load())
    print("\n".join(["", *search_lines(study, scores)]))
    return best_rates(scores)


def inference_cases(plan: Plan) -> list[Case]:
    """Inference of every network of the study, kernels cached: those do not depend on how wide the kernel nets are."""
    runs = [plan.study.run(contender, channels) for contender, channels in plan.networks]
    cases = [replace(run.case(), direction="forward", kernels="cached", batch_size=INFERENCE_BATCH) for run in runs]
    return list(dict.fromkeys(cases))


def estimate_line(plan: Plan, jobs: int, text: str) -> str:
    """How long the rest takes."""
    search_seconds, study_seconds = plan.estimated_seconds(jobs)
    runs = len(plan.widths) * plan.study.seeds
    tries = len(plan.networks) * len(plan.study.search_rates) * len(plan.study.search_seeds)
    return (
        f"{tries} runs of {plan.study.search_epochs} epochs to find learning rates, about {minutes(search_seconds)}, "
        f"and {runs} runs of {plan.study.epochs} epochs, about {minutes(study_seconds)}: {text}, if they do not "
        "slow each other down"
    )


def training_seconds(results: Results) -> float:
    """Of training and evaluation, of all runs together."""
    lasts = [record["epochs"][-1] for records in results.records.values() for record in records]
    return sum(last["seconds"] + (last.get("evaluation_seconds") or 0.0) for last in lasts)


def study_lines(results: Results) -> list[str]:
    """All that the study says."""
    plan = results.plan
    study, images = plan.study, plan.images
    lines = [
        "",
        f"{study.dataset}, {study.image_size}×{study.image_size}, {images['train']} / {images['validation']} / "
        f"{images['test']} images, {study.epochs} epochs of {plan.steps_per_epoch} steps of {study.batch_size}, "
        f"{study.seeds} seeds; {plan.provenance.get('device_name')}, {study.threads} thread; seconds are steps times "
        f"those of a step alone on the machine, {ROUNDS} processes",
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
