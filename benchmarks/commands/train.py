"""``python -m benchmarks train``: train the networks that the store lacks, and print their accuracies."""

import argparse
import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks.cases.case import InvalidCase
from benchmarks.cases.datasets import DATASETS
from benchmarks.cases.groups import GROUPS
from benchmarks.cases.training_run import AUGMENTATIONS, BUDGET_UNITS, DTYPES, NETWORKS, TrainingRun
from benchmarks.cases.variants import NETWORK_VARIANTS
from benchmarks.commands.options import (
    add_fields,
    add_image_options,
    add_store_options,
    and_page,
    check_timeout,
    devices_here,
)
from benchmarks.records.store import RecordStore
from benchmarks.running.environment import MEASURING_ENVIRONMENT, set_measuring_environment
from benchmarks.running.outstanding import failed_jobs
from benchmarks.running.temporary import environment_of_a_replacement
from benchmarks.sweep.own_check import check_own
from benchmarks.terminal.result import Result
from benchmarks.training.folders import Folders
from benchmarks.training.missing import TIMEOUT, train_missing
from benchmarks.training.profiles import TRAINING_PROFILES, accuracies, accuracy_table, profile_runs

EPILOG = """\
examples:
  python -m benchmarks train --profile quick             three seeds, a few minutes on two cores
  python -m benchmarks train --variant separable --resolution 8 --seeds 5 --epochs 30
  python -m benchmarks train --dataset rotated-mnist --data-root data --download --seconds 600
  python -m benchmarks train --group SO2xRPlus --scales 2 --variant separable separable2d --resolution 8
  torchrun --nproc-per-node 2 -m benchmarks train --device cuda --profile paper
                                                         two devices share every batch

A repeated command trains only the runs that are missing in the results directory.
"""
# The options that take several values; each combination of values is a run.
LISTS = ("variant", "group", "resolution")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = "Train plain networks and networks on groups, and record their accuracies and costs."
    parser.epilog = EPILOG
    quick, standard = TRAINING_PROFILES["quick"], TRAINING_PROFILES["standard"]
    text = (
        f"quick: {quick.seeds} seeds, {quick.runs['budget']} epochs, minutes; "
        f"standard: {standard.seeds} seeds, {standard.runs['budget']} epochs, hours; "
        "paper: its network, recipe and rotated MNIST, for a GPU (default: quick)"
    )
    parser.add_argument("--profile", default="quick", metavar="NAME", help=text)
    add_store_options(parser, "run", TIMEOUT)

    data = parser.add_argument_group("data")
    add_fields(data, str, dataset=", ".join(DATASETS))
    add_image_options(data)
    add_fields(data, int, data_seed="seed of the split and of generated poses (default: 0)")

    fields = parser.add_argument_group("runs", "values to use instead of the profile's own")
    for name, text in {"variant": ", ".join(NETWORK_VARIANTS), "group": f"{', '.join(GROUPS)} (default: SO2)"}.items():
        fields.add_argument(f"--{name}", nargs="+", metavar="NAME", help=text)
    fields.add_argument("--resolution", nargs="+", type=int, metavar="N", help="|H|, number of group elements")
    add_fields(
        fields,
        int,
        scales="number of scales of SO2xRPlus, a divisor of |H|",
        channels="C: resnet has widths (C, C, 2C), allcnnc (C, 2C)",
        kernel_size="odd, pixels",
        hidden_features="width of the kernel nets (default: 64)",
        train_limit="number of train images at most",
        epoch_images="images in an epoch (default: each train image once)",
        test_angles="number of angles by which the test images are turned after training (default: 0)",
        batch_size="images in a step (default: 64)",
        seeds="how many seeds: N trains the seeds 0 to N − 1",
    )
    fields.add_argument("--sampled", action="store_true", default=None, help="train on a random grid in every step")
    budget = fields.add_mutually_exclusive_group()
    for unit, kind in (("epochs", int), ("seconds", float), ("macs", float)):
        add_fields(budget, kind, **{unit: f"length of the training in {unit}"})
    add_fields(
        fields,
        str,
        network=f"{', '.join(NETWORKS)}, or a function of your own, package.module:factory (docs/own-network.md)",
        augmentation=f"random poses of the train images in every step: {', '.join(AUGMENTATIONS)}",
        recipe="paper: 300 epochs at 1e-4, a cosine; short: fewer epochs, higher rates, a warm-up",
    )
    add_fields(
        fields,
        float,
        learning_rate="highest learning rate of the schedule (default: the recipe's)",
        weight_decay="weight decay of Adam",
        dropout="factor of the network's own probabilities of dropout, 0 to 1 (default: 1)",
    )

    where = parser.add_argument_group("execution")
    text = "cpu, cuda (default: cuda where torch can use a GPU, else cpu; under torchrun cpu)"
    add_fields(where, str, device=text, dtype=f"{', '.join(DTYPES)} by autocast")
    add_fields(where, int, threads="threads of torch (default: 1)")
    where.add_argument("--compile", action="store_true", default=None, help="compile the network by torch.compile")
    where.add_argument("--channels-last", action="store_true", default=None, help="store images with channels last")
    where.add_argument(
        "--checkpoints", type=Path, metavar="DIR", help="folder of unfinished runs (default: inside --results)"
    )
    text = f"seconds between two checkpoints at least (default: {Folders.checkpoint_seconds:g})"
    where.add_argument("--checkpoint-seconds", type=float, default=Folders.checkpoint_seconds, metavar="X", help=text)
    where.add_argument("--tensorboard", type=Path, metavar="DIR", help="folder of event files (default: none)")


def _restart_with_measuring_environment() -> None:
    """Start this process again, before it imports torch, if it lacks variables of ``MEASURING_ENVIRONMENT``."""
    if not MEASURING_ENVIRONMENT.keys() <= os.environ.keys():
        set_measuring_environment()
        os.execve(sys.executable, sys.orig_argv, environment_of_a_replacement())


def main(args: argparse.Namespace) -> Result:
    """Train the missing runs, and collect the accuracies; the status is 1 if every run failed, now or before."""
    check_timeout(args.timeout)
    names = {field.name for field in dataclasses.fields(TrainingRun)} - set(LISTS)
    values: dict[str, Any] = {name: value for name, value in vars(args).items() if name in names}
    for unit in BUDGET_UNITS:
        if getattr(args, unit) is not None:
            values |= {"budget_unit": unit, "budget": getattr(args, unit)}
    processes = values["processes"] = int(os.environ.get("WORLD_SIZE", "1"))  # set by torchrun
    if values["device"] is None and processes == 1:
        values["device"] = devices_here()[-1]
    lists = {f"{name}s": getattr(args, name) for name in LISTS}
    runs = profile_runs(args.profile, **lists, seeds=args.seeds, **values)
    without_width = check_own([run.case() for run in runs])
    if args.channels is not None and without_width:
        raise InvalidCase(f"--channels does not go with {', '.join(without_width)}, whose factory takes no channels")
    store = RecordStore(args.results)
    folders = Folders(args.data_root, args.download, args.checkpoints, args.checkpoint_seconds, args.tensorboard)
    options: dict[str, Any] = {"folders": folders, "timeout": args.timeout, "retry_failed": args.retry_failed}
    if processes > 1:
        _restart_with_measuring_environment()
        from benchmarks.training.torchrun import train_missing_together  # not at the top: it imports torch

        result = train_missing_together(runs, store, **options)
        if result is None:
            return Result({})
        trained, failed = result
    else:
        trained, failed = train_missing(runs, store, **options)
    records, there, succeeded = store.load(), len(runs) - trained, trained - failed
    counted = f"trained {succeeded}, failed {failed}, {there} already there; see {store.path}{and_page(args.results)}"
    counts = {"trained": succeeded, "already_there": there, "failed": failed, "records": store.path}
    lines = [*accuracy_table(runs, records), counted]
    status = 1 if len(failed_jobs(runs, store)) == len(runs) else 0
    return Result({**counts, "networks": accuracies(runs, records)}, lines, status)
