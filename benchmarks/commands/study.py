"""``python -m benchmarks study NAME``: decide widths and rates, train, and say what becomes of the paper's claims."""

import argparse
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.cases.case import Case, InvalidCase
from benchmarks.measure.sampling import Sampling
from benchmarks.records.provenance import software
from benchmarks.records.store import RecordStore, RecordWarning
from benchmarks.studies.decide import data_task, decide
from benchmarks.studies.decisions import Decisions, decisions_path, load_decisions, save_decisions
from benchmarks.studies.results import Results
from benchmarks.studies.search import FOLDER, best_rates, rate_scores, search_lines, search_runs
from benchmarks.studies.study import STUDIES, Study
from benchmarks.studies.summary import study_lines, training_seconds
from benchmarks.studies.workers import Here, Workers, complete
from benchmarks.sweep.engine import Engine
from benchmarks.sweep.estimate import minutes
from benchmarks.sweep.sweep import sweep
from benchmarks.training.folders import Folders
from benchmarks.training.missing import TIMEOUT

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
        folders = Folders(data_root, args.download, checkpoints=results_root / "checkpoints")
        path = decisions_path(args.results, args.name, study)
        decisions = load_decisions(path, study)
        if decisions is None:
            images = workers.measure(data_task, (study.run(study.reference, study.channels), folders), "cpu")
            decisions = Decisions(study, images)
        warn_of_another_commit(decisions, path)
        decisions = decide(decisions, workers)
        save_decisions(decisions, path)
        print("\n".join([*decisions.lines(), estimate_line(decisions, args.jobs, workers.text)]))
        if args.plan:
            return 0
        if not decisions.rates.keys() >= set(decisions.networks):
            decisions = replace(decisions, rates=search(decisions, workers, folders, args))
            save_decisions(decisions, path)
        trained, failed = complete(decisions.all_runs(), store, workers, folders, retry_failed=args.retry_failed)
        if not args.no_inference and args.scheduler is None:
            sweep(inference_cases(decisions), store, Engine(INFERENCE_SAMPLING))
    results = Results.of(decisions, store.load())
    print("\n".join(study_lines(results)))
    total = len(decisions.all_runs())
    print(
        f"trained {trained} of {total} runs now, {failed} failed, {minutes(time.monotonic() - begun)}; "
        f"{minutes(training_seconds(results))} of training and evaluation in all; see {store.path} and {path}"
    )
    return 1 if failed and failed == trained else 0


def warn_of_another_commit(decisions: Decisions, path: Path) -> None:
    """Warn when the widths and steps were measured with other code than the present one."""
    then, now = decisions.provenance.get("commit"), software()["commit"]
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


def search(decisions: Decisions, workers: Workers, folders: Folders, args: argparse.Namespace) -> dict[Any, float]:
    """Find the learning rates, and print the scores."""
    study = decisions.study
    runs = search_runs(study, decisions.networks)
    store = RecordStore(args.results / FOLDER)
    everything = [run for each in runs.values() for run in each]
    complete(everything, store, workers, folders, retry_failed=args.retry_failed, text="search")
    scores = rate_scores(runs, store.load())
    print("\n".join(["", *search_lines(study, scores)]))
    return best_rates(scores)


def inference_cases(decisions: Decisions) -> list[Case]:
    """Inference of every network of the study, kernels cached: those do not depend on how wide the kernel nets are."""
    runs = [decisions.study.run(contender, channels) for contender, channels in decisions.networks]
    cases = [replace(run.case(), direction="forward", kernels="cached", batch_size=INFERENCE_BATCH) for run in runs]
    return list(dict.fromkeys(cases))


def estimate_line(decisions: Decisions, jobs: int, text: str) -> str:
    """How long the rest takes."""
    search_seconds, study_seconds = decisions.estimated_seconds(jobs)
    study = decisions.study
    runs = len(decisions.widths) * study.seeds
    tries = len(decisions.networks) * len(study.search_rates) * len(study.search_seeds)
    return (
        f"{tries} runs of {study.search_epochs} epochs to find learning rates, about {minutes(search_seconds)}, "
        f"and {runs} runs of {study.epochs} epochs, about {minutes(study_seconds)}: {text}, if they do not slow each "
        "other down"
    )
