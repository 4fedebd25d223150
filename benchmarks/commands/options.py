"""Options that several commands share, and what they stand for."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.cases.case import AXES, CHOICES, Case, is_own_layer
from benchmarks.cases.cores import available_cores
from benchmarks.cases.profiles import Grid, expand, own_layer_cases, profile_cases
from benchmarks.measure.sampling import Sampling
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.running.environment import use_authors
from benchmarks.sweep.engine import Engine
from benchmarks.sweep.sweep import sweep

PROFILE_HELP = "quick: one axis at a time, minutes; standard: pairs of axes, half an hour; full: a day or more"
AXIS_HELP = {
    "layer": "conv, resnet; or a class of your own, package.module:Class, measured with the others",
    "resolution": "|H|, number of group elements (plain ones have 1)",
    "scales": "of SO2xRPlus, a divisor of |H|",
    "channels": "channels in and out",
    "batch_size": "images in a pass",
    "image_size": "height and width, pixels",
    "kernel_size": "odd, pixels",
    "threads": "of torch (default: all cores, and what the profile says)",
}
# The time budget of a case's timed passes, and the processes that time it: what the profiles have time for. With five
# rounds, 37 of 40 planted slowdowns of 5 % were found; by simulation, seven find 95 % (docs/methodology.md).
PROFILE_SECONDS = {"quick": 0.5, "standard": 6.0, "full": 6.0}
PROFILE_ROUNDS = {"quick": 5, "standard": 7, "full": 7}


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add the option for the folder of the records."""
    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="folder of the records (default: results)"
    )


def add_axes(parser: argparse.ArgumentParser, axes: Sequence[str], owner: str) -> None:
    """Add an option for each axis, with values to use instead of those that ``owner`` has."""
    group = parser.add_argument_group("axes", f"values to use instead of {owner} own")
    for axis in axes:
        kind: dict[str, Any] = {"metavar": "NAME"} if axis in CHOICES else {"metavar": "N", "type": int}
        text = AXIS_HELP.get(axis) or ", ".join(CHOICES[axis])
        group.add_argument("--" + axis.replace("_", "-"), nargs="+", help=text, **kind)


def add_case_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose cases: a profile, and values on its axes."""
    parser.add_argument("--profile", default="quick", metavar="NAME", help=f"{PROFILE_HELP} (default: quick)")
    add_axes(parser, AXES, "the profile's")
    parser.add_argument(
        "--authors",
        type=Path,
        metavar="PATH",
        help="a checkout of the authors' published layers, for that implementation",
    )


def chosen_cases(args: argparse.Namespace) -> list[Case]:
    """Return the cases that the options of ``add_case_options`` choose.

    Raises:
        InvalidCase: for values that are not allowed, or that leave no case.
    """
    values: dict[str, Any] = {axis: getattr(args, axis) for axis in AXES}
    own_layers = [name for name in values["layer"] or () if is_own_layer(name)]
    values["layer"] = [name for name in values["layer"] or () if name not in own_layers]
    cases = profile_cases(args.profile, **{axis: tuple(v) if v else None for axis, v in values.items()})
    own = [case for layer in own_layers for case in own_layer_cases(cases, layer)]
    use_authors(args.authors)
    return list(dict.fromkeys([*cases, *own]))


def add_sweep_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a sweep measures, and where its records go."""
    budgets = ", ".join(f"{profile} {seconds:g}" for profile, seconds in PROFILE_SECONDS.items())
    rounds = ", ".join(f"{profile} {number}" for profile, number in PROFILE_ROUNDS.items())
    add_results(parser)
    parser.add_argument("--seconds", type=float, help=f"time budget of a case's timed passes (default: {budgets})")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help=f"fresh processes a case is timed in (default: {rounds})"
    )
    parser.add_argument(
        "--min-samples",
        type=int,
        default=Sampling.min_samples,
        metavar="N",
        help=f"timed passes at least, whatever the budget (default: {Sampling.min_samples})",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="give a case up after so long without a sign of life (default: 600)",
    )
    parser.add_argument("--retry-failed", action="store_true", help="measure again what failed or was skipped before")


def chosen_sampling(args: argparse.Namespace) -> Sampling:
    """Return how often the options of ``add_sweep_options`` repeat a pass.

    Raises:
        ValueError: for values that are not allowed.
    """
    check_timeout(args.timeout)
    seconds = PROFILE_SECONDS.get(args.profile, 1.0) if args.seconds is None else args.seconds
    rounds = PROFILE_ROUNDS.get(args.profile, Sampling.rounds) if args.rounds is None else args.rounds
    most = max(Sampling.max_samples, args.min_samples)
    return Sampling(rounds=rounds, min_samples=args.min_samples, max_samples=most, seconds=seconds)


def check_timeout(seconds: float) -> None:
    """Raise ``ValueError`` unless a timeout is a positive, finite number of seconds."""
    if not 0 < seconds < float("inf"):
        raise ValueError(f"timeout {seconds} is not allowed; allowed: positive numbers of seconds")


def add_grid_options(parser: argparse.ArgumentParser, axes: Sequence[str]) -> None:
    """Add the options of a command that measures a grid of its own."""
    add_results(parser)
    parser.add_argument("--seconds", type=float, default=Sampling.seconds, help="time budget of a case")
    parser.add_argument("--rounds", type=int, default=Sampling.rounds, metavar="N", help="processes it is timed in")
    add_axes(parser, axes, "the command's")


def grid_cases(args: argparse.Namespace, grid: Grid) -> list[Case]:
    """Return the cases of a grid, with the values that the options of ``add_grid_options`` give."""
    given = {axis: tuple(values) for axis in AXES if (values := getattr(args, axis, None))}
    return expand({"threads": (available_cores(),), **grid, **given})


def measure_grid(cases: Sequence[Case], args: argparse.Namespace, *, retry_failed: bool = False) -> list[Record]:
    """Measure those of the cases that the store lacks, and return all records of the store."""
    store = RecordStore(args.results)
    sweep(cases, store, Engine(Sampling(rounds=args.rounds, seconds=args.seconds)), retry_failed=retry_failed)
    return store.load()
