"""The command ``python -m benchmarks train``."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks.cases.groups import GROUPS
from benchmarks.cases.training_run import BUDGET_UNITS, DATASETS, DTYPES, NETWORKS
from benchmarks.cases.variants import NETWORK_VARIANTS
from benchmarks.records.store import RecordStore
from benchmarks.running.environment import MEASURING_ENVIRONMENT
from benchmarks.training.folders import Folders
from benchmarks.training.missing import TIMEOUT, train_missing
from benchmarks.training.profiles import PROFILES, accuracy_table, profile_runs

EPILOG = """\
examples:
  python -m benchmarks train --profile quick             three seeds, a few minutes on two cores
  python -m benchmarks train --variant separable --resolution 8 --seeds 5 --epochs 30
  python -m benchmarks train --dataset rotated-mnist --data-root data --download --seconds 600
  python -m benchmarks train --group SO2xRPlus --scales 2 --variant separable separable2d --resolution 8
  torchrun --nproc-per-node 2 -m benchmarks train --device cuda --profile paper
                                                         every batch shared by two devices

A command that is run again trains only what is missing in the results directory.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``python -m benchmarks train``."""
    parser.description = "Train networks, plain ones and ones on groups, and record accuracy against what it took."
    parser.epilog = EPILOG
    quick, standard = PROFILES["quick"], PROFILES["standard"]
    parser.add_argument(
        "--profile",
        default="quick",
        metavar="NAME",
        help=f"quick: {quick.seeds} seeds, {quick.runs['budget']} epochs, minutes; "
        f"standard: {standard.seeds} seeds, {standard.runs['budget']} epochs, hours; "
        "paper: its network, recipe and rotated MNIST, for a GPU (default: quick)",
    )
    data = parser.add_argument_group("data")
    data.add_argument("--dataset", metavar="NAME", help=", ".join(DATASETS))
    data.add_argument(
        "--data-root", type=Path, default=Path("data"), metavar="DIR", help="where its files are (default: data)"
    )
    data.add_argument("--download", action="store_true", help="fetch files that are missing or damaged")
    data.add_argument("--limit", type=int, metavar="N", help="at most so many images in each part")
    data.add_argument("--image-size", type=int, metavar="N", help="pixels (default: the images' own)")
    data.add_argument("--data-seed", type=int, metavar="N", help="of the split and of generated poses (default: 0)")

    fields = parser.add_argument_group("runs", "values to use instead of the profile's own")
    fields.add_argument("--network", metavar="NAME", help=", ".join(NETWORKS))
    fields.add_argument("--variant", nargs="+", metavar="NAME", help=", ".join(NETWORK_VARIANTS))
    fields.add_argument("--group", nargs="+", metavar="NAME", help=f"{', '.join(GROUPS)} (default: SO2)")
    fields.add_argument("--resolution", nargs="+", type=int, metavar="N", help="|H|, number of group elements")
    fields.add_argument("--scales", type=int, metavar="N", help="of SO2xRPlus, a divisor of |H|")
    fields.add_argument("--channels", type=int, metavar="N", help="C, of widths (C, C, 2C), allcnnc: (C, 2C)")
    fields.add_argument("--kernel-size", type=int, metavar="N", help="odd, pixels")
    fields.add_argument("--hidden-features", type=int, metavar="N", help="width of the kernel nets (default: 64)")
    fields.add_argument("--sampled", action="store_true", default=None, help="train on a random grid in every step")
    fields.add_argument("--batch-size", type=int, metavar="N", help="images in a step (default: 64)")
    fields.add_argument("--seeds", type=int, metavar="N", help="how many, from 0")

    budget = fields.add_mutually_exclusive_group()
    for unit, kind in (("epochs", int), ("seconds", float), ("macs", float)):
        budget.add_argument(f"--{unit}", type=kind, metavar="X", help=f"train for so many {unit}")
    fields.add_argument(
        "--recipe", metavar="NAME", help="paper: 300 epochs at 1e-4, a cosine; short: fewer, faster, warmed up"
    )
    fields.add_argument(
        "--learning-rate", type=float, metavar="X", help="the highest of the schedule (default: the recipe's)"
    )
    fields.add_argument("--weight-decay", type=float, metavar="X", help="of Adam")

    where = parser.add_argument_group("execution")
    where.add_argument("--device", metavar="NAME", help="cpu, cuda (default: cpu)")
    where.add_argument("--threads", type=int, metavar="N", help="of torch (default: 1)")
    where.add_argument("--dtype", metavar="NAME", help=f"{', '.join(DTYPES)} by autocast")
    where.add_argument("--compile", action="store_true", default=None, help="the network, by torch.compile")
    where.add_argument("--channels-last", action="store_true", default=None, help="images in that memory format")

    where.add_argument(
        "--checkpoints", type=Path, metavar="DIR", help="where runs in progress are kept (default: inside --results)"
    )
    where.add_argument(
        "--checkpoint-seconds",
        type=float,
        default=Folders.checkpoint_seconds,
        metavar="X",
        help=f"how often, at most (default: {Folders.checkpoint_seconds:g})",
    )
    where.add_argument("--tensorboard", type=Path, metavar="DIR", help="write event files there")

    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="where records go (default: results)"
    )
    parser.add_argument(
        "--timeout", type=float, default=TIMEOUT, metavar="SECONDS", help="give a run up after (default: 3600)"
    )
    parser.add_argument("--retry-failed", action="store_true", help="train again what failed before")


def _measure_as_always() -> None:
    """Start this process again, before it imports torch, if it lacks what processes that measure are given."""
    missing = {name: value for name, value in MEASURING_ENVIRONMENT.items() if name not in os.environ}
    if missing:
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **missing})


SAME_NAME = (
    *("dataset", "limit", "image_size", "data_seed", "network", "scales", "channels", "kernel_size", "hidden_features"),
    *("sampled", "batch_size", "recipe", "learning_rate", "weight_decay", "device", "threads", "dtype", "compile"),
    "channels_last",
)


def main(args: argparse.Namespace) -> int:
    """Train what ``args`` ask for and print the accuracies; returns the exit status.

    Raises:
        ValueError, OSError: for a wrong request, in one line.
        Interrupted: on Ctrl-C.
    """
    if not args.timeout > 0:
        raise ValueError(f"timeout {args.timeout} is not allowed; allowed: positive numbers of seconds")
    values: dict[str, Any] = {name: getattr(args, name) for name in SAME_NAME}
    for unit in BUDGET_UNITS:
        if getattr(args, unit) is not None:
            values |= {"budget_unit": unit, "budget": getattr(args, unit)}
    processes = values["processes"] = int(os.environ.get("WORLD_SIZE", "1"))  # of torchrun
    runs = profile_runs(
        args.profile,
        variants=args.variant,
        groups=args.group,
        resolutions=args.resolution,
        seeds=args.seeds,
        **values,
    )
    store = RecordStore(args.results)
    folders = Folders(args.data_root, args.download, args.checkpoints, args.checkpoint_seconds, args.tensorboard)
    options: dict[str, Any] = {"folders": folders, "timeout": args.timeout, "retry_failed": args.retry_failed}
    if processes > 1:
        _measure_as_always()
        from benchmarks.training.torchrun import train_missing_together  # late: with torch

        result = train_missing_together(runs, store, **options)
        if result is None:
            return 0
        trained, failed = result
    else:
        trained, failed = train_missing(runs, store, **options)
    print(accuracy_table(runs, store.load()))
    print(f"trained {trained}, skipped {len(runs) - trained} already there, failed {failed}; see {store.path}")
    return 1 if failed == len(runs) else 0
