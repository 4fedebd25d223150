"""Options that several commands share, and the cases and settings that they choose."""

import argparse
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.cases.case import AXES, CHOICES, Case, InvalidCase, is_own
from benchmarks.cases.cores import available_cores
from benchmarks.cases.groups import GROUPS
from benchmarks.cases.meant import unknown
from benchmarks.cases.profiles import (
    Grid,
    asked_cases,
    base_cases,
    own_layer_cases,
    own_network_cases,
    profile_cases,
)
from benchmarks.measure.sampling import Sampling
from benchmarks.records.below import no_results
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.running.devices import find_gpu
from benchmarks.running.environment import use_authors
from benchmarks.sweep.engine import Engine
from benchmarks.sweep.sweep import sweep

Arguments = argparse._ActionsContainer  # a parser, or a group of options
RESULTS = Path("results")
PROFILE_HELP = "quick: one axis at a time, about 5 minutes; standard: pairs of axes, about an hour; full: a day or more"
AXIS_HELP = {
    "layer": "conv, resnet, allcnnc; or a class of your own, package.module:Class, measured next to conv",
    "group": f"{', '.join(GROUPS)}, or a usual name: SE(2), E(2), R2xR+, Sim(2)",
    "resolution": "|H|, number of group elements: rotations × scales, × 2 for O2 (plain ones have 1)",
    "scales": "number of scales of SO2xRPlus, a divisor of |H|",
    "channels": "channels in and out",
    "batch_size": "images in a pass",
    "image_size": "height and width, pixels",
    "kernel_size": "odd, pixels",
    "threads": "threads of torch (default: those of the profile, or all cores)",
    "in_channels": "channels of the images of networks (default: 1)",
    "num_classes": "number of logits of networks (default: 10)",
}
DEVICE_HELP = 'cpu, cuda (default: all that torch can use, but cpu for compare; CUDA_VISIBLE_DEVICES="" hides GPUs)'
SECONDS_HELP, ROUNDS_HELP = "time budget of a case's timed passes, seconds", "fresh processes in which a case is timed"
# The sampling of each profile. With five rounds, the suite found 37 of 40 artificial slowdowns of 5 %; according to a
# simulation, it finds 95 % of them with seven rounds (docs/methodology.md). ``quick`` has four, because each round of
# a block takes 0.5 s for its process and to warm up; its passes are as many as ``statistics.noise`` wants.
PROFILE_SAMPLING = {
    "quick": Sampling(rounds=4, seconds=1.6, min_samples=20),
    "standard": Sampling(rounds=7, seconds=6.0),
    "full": Sampling(rounds=7, seconds=6.0),
}


def add_fields(options: Arguments, kind: type, **texts: str) -> None:
    """Add options of one type, each named like the field that it sets, with their help texts."""
    metavar = {str: "NAME", int: "N"}.get(kind, "X")
    for field, text in texts.items():
        options.add_argument(f"--{field.replace('_', '-')}", type=kind, metavar=metavar, help=text)


def add_results(options: Arguments, folder: Path = RESULTS) -> None:
    """Add the option for the folder of the records, by default ``folder``."""
    text = f"folder of the records (default: {folder})"
    options.add_argument("--results", type=Path, default=folder, metavar="DIR", help=text)


def and_page(results: Path) -> str:
    """Return the end of a result's last line: the command that writes the page of the records in a folder."""
    given = "" if results == RESULTS else f" --results {shlex.quote(str(results))}"
    return f"; write the page: python -m reports{given}"


def add_store_options(options: Arguments, work: str, timeout: float) -> None:
    """Add the options for the records, and for a ``work`` ("case" or "run") that fails or hangs."""
    add_results(options)
    text = f"give a {work} up after this time without a report (default: {timeout:g})"
    options.add_argument("--timeout", type=float, default=timeout, metavar="SECONDS", help=text)
    block = ", with its whole block" if work == "case" else ""
    options.add_argument("--retry-failed", action="store_true", help=f"repeat every {work} that failed before{block}")


def check_timeout(seconds: float, name: str = "timeout") -> None:
    """Raise ``ValueError`` unless a time is a positive, finite number of seconds."""
    if not 0 < seconds < float("inf"):
        raise ValueError(f"{name} {seconds} is not allowed; allowed: positive numbers of seconds")


def check_at_least_one(**values: int) -> None:
    """Raise ``ValueError`` for the first value below 1, and name it."""
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{name} {value} is not allowed; allowed: integers of at least 1")


def add_image_options(options: Arguments) -> None:
    """Add the options for the images of training runs."""
    options.add_argument(
        "--data-root", type=Path, default=Path("data"), metavar="DIR", help="folder of the data sets (default: data)"
    )
    options.add_argument("--download", action="store_true", help="fetch files that are missing or damaged")
    add_fields(options, int, limit="number of images in each part at most", image_size="height and width, pixels")


def stored_records(results: Path) -> list[Record]:
    """Return the records of a folder; raise ``ValueError`` if it has none, for commands that read trained networks."""
    if not (records := RecordStore(results).load()):
        raise ValueError(no_results([results], "see python -m benchmarks train"))
    return records


def add_axes(parser: argparse.ArgumentParser, axes: Sequence[str], owner: str, **texts: str) -> None:
    """Add an option for each axis. ``owner`` says in the help whose values the options replace: "the profile's".

    ``texts`` are help texts for axes, instead of those in ``AXIS_HELP``.
    """
    group = parser.add_argument_group("axes", f"values to use instead of {owner} own")
    for axis in axes:
        kind: dict[str, Any] = {"metavar": "NAME"} if axis in CHOICES else {"metavar": "N", "type": int}
        text = {**AXIS_HELP, **texts}.get(axis) or ", ".join(CHOICES[axis])
        group.add_argument("--" + axis.replace("_", "-"), nargs="+", help=text, **kind)


def add_case_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose cases: a profile, and values on its axes."""
    parser.add_argument("--profile", default="quick", metavar="NAME", help=f"{PROFILE_HELP} (default: quick)")
    add_axes(parser, AXES, "the profile's", device=DEVICE_HELP)
    text = "a network of your own, package.module:factory, measured next to resnet, the paper's network"
    parser.add_argument("--network", nargs="+", metavar="NAME", help=text)
    parser.add_argument("--authors", type=Path, metavar="PATH", help="your checkout of the authors' published layers")


def devices_here() -> tuple[str, ...]:
    """Return the devices of this machine, the processor first, and say in one line why a GPU cannot be used."""
    gpu = find_gpu()
    if gpu is not None and gpu.fault:
        print(f"warning: the GPU cannot be used, only the processor is: {gpu.fault}", file=sys.stderr)
    return ("cpu",) if gpu is None or gpu.fault else ("cpu", "cuda")


def chosen_cases(args: argparse.Namespace) -> list[Case]:
    """Return the cases that the options of ``add_case_options`` choose; raise ``InvalidCase`` if they choose none.

    Without ``--device`` they are for every device of this machine. A user's layers and networks are among them
    whatever the variants are; "custom", their variant, alone chooses nothing else.
    """
    values: dict[str, Any] = {axis: getattr(args, axis) for axis in AXES}
    devices = ("cpu",) if values["device"] else devices_here()
    own_layers, others = own_and_other_layers(values["layer"] or ())
    # Without another layer's name, a user's layer is measured next to layers, and a network next to networks.
    values["layer"] = others or ["conv"] * bool(own_layers) + ["resnet"] * bool(args.network)
    only_own = False
    if own_layers or args.network:
        only_own = set(values["variant"] or ()) == {"custom"}
        values["variant"] = [variant for variant in values["variant"] or () if variant != "custom"]
    given = {axis: tuple(chosen) if chosen else None for axis, chosen in values.items()}
    cases = profile_cases(args.profile, devices=devices, **given)
    own = [case for layer in own_layers for case in own_layer_cases(cases, layer)]
    own += [case for network in args.network or () for case in own_network_cases(cases, network)]
    use_authors(args.authors)
    return list(dict.fromkeys(own if only_own else [*cases, *own]))


def own_and_other_layers(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return a user's layers among the values of ``--layer``, and the others; raise ``InvalidCase`` for a wrong one."""
    own: list[str] = []
    others: list[str] = []
    for name in names:
        if name == "network":
            raise InvalidCase("layer 'network' is a network of your own; allowed: --network package.module:factory")
        if not is_own(name) and name not in CHOICES["layer"]:
            choices = [choice for choice in CHOICES["layer"] if choice != "network"]
            raise InvalidCase(unknown("layer", name, [*choices, "package.module:Class"]))
        (own if is_own(name) else others).append(name)
    return own, others


def add_own_network(options: Arguments) -> None:
    """Add the option for a network of a user, to commands that take one case."""
    options.add_argument("--network", nargs="+", metavar="NAME", help="a network of your own, package.module:factory")


def chosen_case(args: argparse.Namespace, layer: str) -> Case:
    """Return the one case that the options choose; without ``--layer`` and ``--network`` it is a ``layer``.

    Raises:
        ValueError: when they choose several; the message says which.
    """
    values = {axis: tuple(given) for axis in AXES if (given := getattr(args, axis, None))}
    layers = values.pop("layer", ())
    own, others = own_and_other_layers(layers)
    cases = [case for name in others or ([] if own or args.network else [layer]) for case in base_cases(name, values)]
    cases += [case for name in own for case in own_layer_cases(base_cases("conv", values), name)]
    cases += [case for name in args.network or () for case in own_network_cases(base_cases("resnet", values), name)]
    if len(cases) > 1:
        several = {axis: dict.fromkeys(getattr(case, axis) for case in cases) for axis in AXES}
        axes = [
            f"--{axis.replace('_', '-')} {' '.join(map(str, found))}"
            for axis, found in several.items()
            if len(found) > 1
        ]
        raise ValueError(
            f"the options choose {len(cases)} cases; allowed: one case, so give one value of {', '.join(axes)}"
        )
    return cases[0]


def add_isolate(options: Arguments) -> None:
    """Add the options about users' layers: processes of their own, and no check beforehand."""
    text = "give layers of your own processes of their own, which take turns with the others'"
    options.add_argument("--isolate", action="store_true", help=text)
    text = "do not check your own layers and networks first; what fails is then said in their records alone"
    options.add_argument("--no-check", dest="check", action="store_false", help=text)


def add_sweep_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a sweep measures, and where its records are stored."""
    budgets, rounds = (
        ", ".join(f"{profile} {getattr(sampling, field):g}" for profile, sampling in PROFILE_SAMPLING.items())
        for field in ("seconds", "rounds")
    )
    add_fields(parser, float, seconds=f"{SECONDS_HELP} (default: {budgets})")
    add_fields(
        parser,
        int,
        rounds=f"{ROUNDS_HELP} (default: {rounds})",
        min_samples=f"timed passes at least, whatever the budget (default: {Sampling.min_samples})",
    )
    add_isolate(parser)
    add_store_options(parser, "case", Engine.timeout)


def chosen_sampling(args: argparse.Namespace) -> Sampling:
    """Return the sampling that ``add_sweep_options`` lets users choose; raise ``ValueError`` for a wrong value."""
    check_timeout(args.timeout)
    names = ("seconds", "rounds", "min_samples")
    given = {name: value for name in names if (value := getattr(args, name)) is not None}
    most = max(Sampling.max_samples, given.get("min_samples", 0))
    return replace(PROFILE_SAMPLING[args.profile], max_samples=most, **given)


def add_grid_options(parser: argparse.ArgumentParser, axes: Sequence[str], folder: Path = RESULTS) -> None:
    """Add the options of a command that has its own grid of cases; its records are in ``folder`` by default."""
    add_results(parser, folder)
    parser.add_argument(
        "--seconds", type=float, default=Sampling.seconds, help=f"{SECONDS_HELP} (default: %(default)g)"
    )
    parser.add_argument(
        "--rounds", type=int, default=Sampling.rounds, metavar="N", help=f"{ROUNDS_HELP} (default: %(default)d)"
    )
    add_axes(parser, axes, "the command's")


def grid_cases(args: argparse.Namespace, grid: Grid) -> list[Case]:
    """Return the cases of a grid, with the values that the options of ``add_grid_options`` give.

    Raises:
        InvalidCase: for a value that is not allowed, or that is in no case.
    """
    given = {axis: tuple(values) for axis in AXES if (values := getattr(args, axis, None))}
    return asked_cases([{"threads": (available_cores(),), **grid}], given)


def measure_grid(
    cases: Sequence[Case], args: argparse.Namespace, *, retry_failed: bool = False, isolate: bool = False
) -> list[Record]:
    """Measure the cases that the store lacks, and return all records of the store."""
    store = RecordStore(args.results)
    engine = Engine(Sampling(rounds=args.rounds, seconds=args.seconds), isolate=isolate)
    sweep(cases, store, engine, retry_failed=retry_failed)
    return store.load()
