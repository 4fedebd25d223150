"""The command line: ``python -m benchmarks list|plan|sweep|compare|train|peers|answer``."""

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from benchmarks import compare
from benchmarks.blocks import blocks
from benchmarks.cases import AXES, CHOICES, PROFILES, Case, beside, is_own_layer, profile_cases
from benchmarks.measure.clock import Sampling
from benchmarks.plan import minutes, plan_lines, survey
from benchmarks.records import RecordStore, RecordWarning
from benchmarks.sweep import SEED, Engine, Interrupted, sweep, there_already

EPILOG = """\
examples:
  python -m benchmarks list --profile quick            what would be measured
  python -m benchmarks plan --profile standard         how long it would take, what it would skip and why
  python -m benchmarks sweep --profile quick           measure it, two minutes on two cores
  python -m benchmarks sweep --variant full separable --resolution 4 8 16 --batch-size 1
                                                       other values on some of the profile's axes
  python -m benchmarks sweep --layer my_package.layers:MyConv
                                                       your own layer beside ours
  python -m benchmarks sweep --implementation gcnn_impl torch escnn authors --authors PATH
                                                       other people's layers beside ours
  python -m benchmarks compare HEAD~1 . --variant separable
                                                       is the work tree slower? exit status 1 if so
  python -m benchmarks compare results/old results/new
                                                       the same for two sets of results
  python -m benchmarks train --profile quick           accuracy on rotated digits
  python -m reports                                    make the report of all results

Results are appended to results/records.jsonl. A command that is run again measures only what is missing there;
Ctrl-C loses nothing but the block in progress.
"""

PROFILE_HELP = "quick: one axis at a time, minutes; standard: pairs of axes, half an hour; full: a day or more"
AXIS_HELP = {
    "layer": "conv, resnet; or a class of your own, package.module:Class, beside the others",
    "implementation": ", ".join(CHOICES["implementation"]),
    "resolution": "|H|, number of group elements (plain ones have 1)",
    "scales": "of SO2xRPlus, a divisor of |H|",
    "channels": "channels in and out",
    "batch_size": "images in a pass",
    "image_size": "height and width, pixels",
    "kernel_size": "odd, pixels",
    "threads": "of torch (default: all cores, and what the profile says)",
}
# Seconds of timed passes for a case, and processes: what the profiles have time for. With five rounds, 37 of 40 planted
# slowdowns of 5 % were found; by simulation that takes seven (docs/methodology.md).
PROFILE_SECONDS = {"quick": 0.5, "standard": 6.0, "full": 6.0}
PROFILE_ROUNDS = {"quick": 5, "standard": 7, "full": 7}
# Commands in modules of their own, with ``add_arguments`` and ``main``: these come with torch, which takes two seconds
# that the others need not wait.
MODULES = {
    "train": ("benchmarks.training.command", "accuracy against epochs, seconds and MACs"),
    "peers": ("benchmarks.side_by_side", "our layers beside torch's, escnn's, the authors' and your own, in a table"),
    "study": ("benchmarks.studies.command", "networks matched by budgets, over seeds, and the paper's three claims"),
    "advise": ("benchmarks.advise", "the networks worth taking within a budget of time, memory, MACs or parameters"),
    "break-even": ("benchmarks.break_even", "epochs, seconds and MACs to an accuracy, and who overtakes whom"),
    "answer": ("benchmarks.answers", "what the speed-up of separable is, or the share of kernel generation"),
}
COMMANDS = "|".join(("list", "plan", "sweep", "compare", *MODULES))


class Parser(argparse.ArgumentParser):
    """Errors in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def parser(command: str | None) -> Parser:
    """The parser of all commands; the options of those in ``MODULES`` are there for ``command`` alone."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog="python -m benchmarks",
        description="Measure what group convolutions cost and what they are worth.",
        epilog=EPILOG,
        formatter_class=raw,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar=COMMANDS)

    listing = commands.add_parser("list", help="print the cases of a profile", formatter_class=raw, epilog=EPILOG)
    _add_case_options(listing)

    planning = commands.add_parser(
        "plan",
        help="how many cases, how long, and what will be skipped",
        description="Say what a sweep with the same options would do; nothing is stored.",
        epilog=EPILOG,
        formatter_class=raw,
    )
    _add_case_options(planning)
    _add_sweep_options(planning)

    sweeping = commands.add_parser(
        "sweep",
        help="time, memory, MACs and equivariance error of every case",
        description="Measure every case of a profile that has no record yet, in fresh processes.",
        epilog=EPILOG,
        formatter_class=raw,
    )
    _add_case_options(sweeping)
    _add_sweep_options(sweeping)

    comparing = commands.add_parser(
        "compare",
        help="is one commit, or one set of results, slower than another",
        description="Compare B with A. Exit status 1: something is slower or broken; 2: nothing could be compared.",
        epilog=EPILOG,
        formatter_class=raw,
    )
    compare.add_arguments(comparing)
    _add_case_options(comparing)

    for name, (module, text) in MODULES.items():
        elsewhere = commands.add_parser(name, help=text, epilog=EPILOG, formatter_class=raw)
        if command == name:
            importlib.import_module(module).add_arguments(elsewhere)
    return parser


def _add_case_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", default="quick", metavar="NAME", help=f"{PROFILE_HELP} (default: quick)")
    axes = parser.add_argument_group("axes", "values to use instead of the profile's own")
    for axis in AXES:
        option = "--" + axis.replace("_", "-")
        if axis in CHOICES:
            axes.add_argument(option, nargs="+", metavar="NAME", help=AXIS_HELP.get(axis, ", ".join(CHOICES[axis])))
        else:
            axes.add_argument(option, nargs="+", type=int, metavar="N", help=AXIS_HELP[axis])
    parser.add_argument(
        "--authors",
        type=Path,
        metavar="PATH",
        help="a checkout of the authors' published layers, for that implementation",
    )


def _add_sweep_options(parser: argparse.ArgumentParser) -> None:
    default = Sampling()
    budgets = ", ".join(f"{profile} {seconds:g}" for profile, seconds in PROFILE_SECONDS.items())
    rounds = ", ".join(f"{profile} {number}" for profile, number in PROFILE_ROUNDS.items())
    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="where records go (default: results)"
    )
    parser.add_argument("--seconds", type=float, help=f"time budget of a case's timed passes (default: {budgets})")
    parser.add_argument(
        "--rounds",
        type=int,
        metavar="N",
        help=f"fresh processes a case is timed in (default: {rounds})",
    )
    parser.add_argument(
        "--min-samples",
        type=int,
        default=default.min_samples,
        metavar="N",
        help="timed passes at least, budget or not (default: 10)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="give a case up after so long without a sign of life (default: 600)",
    )
    parser.add_argument("--retry-failed", action="store_true", help="measure again what failed or was skipped before")


def _cases(args: argparse.Namespace) -> list[Case]:
    values: dict[str, Any] = {axis: getattr(args, axis) for axis in AXES}
    own_layers = [name for name in values["layer"] or () if is_own_layer(name)]
    values["layer"] = [name for name in values["layer"] or () if name not in own_layers]
    cases = profile_cases(args.profile, **{axis: tuple(v) if v else None for axis, v in values.items()})
    own = [case for layer in own_layers for case in beside(cases, layer)]
    if args.authors is not None:
        os.environ["GCNN_AUTHORS"] = str(args.authors.resolve())  # the processes that measure inherit it
    return list(dict.fromkeys([*cases, *own]))


def _sampling(args: argparse.Namespace) -> Sampling:
    if not 0 < args.timeout < float("inf"):
        raise ValueError(f"timeout {args.timeout} is not allowed; allowed: positive numbers of seconds")
    seconds = PROFILE_SECONDS.get(args.profile, 1.0) if args.seconds is None else args.seconds
    rounds = PROFILE_ROUNDS.get(args.profile, Sampling.rounds) if args.rounds is None else args.rounds
    most = max(Sampling.max_samples, args.min_samples)
    return Sampling(rounds=rounds, min_samples=args.min_samples, max_samples=most, seconds=seconds)


def _list(args: argparse.Namespace) -> int:
    cases = _cases(args)
    for case in cases:
        print(case.id, case.label)
    print(f"{len(cases)} cases; profiles: {', '.join(PROFILES)}")
    return 0


def _plan(args: argparse.Namespace) -> int:
    cases, sampling = _cases(args), _sampling(args)
    done = there_already(cases, RecordStore(args.results), retry_failed=args.retry_failed)
    missing = [case for case in cases if case.id not in done]
    plan = blocks(cases, set(missing), SEED)
    to_do = [case for block in plan for case in block.cases]
    print("\n".join(plan_lines(len(cases), len(done), plan, survey(to_do, cases[0].device), sampling)))
    return 0


def _sweep(args: argparse.Namespace) -> int:
    cases, engine = _cases(args), Engine(_sampling(args), timeout=args.timeout)
    store = RecordStore(args.results)
    done = sweep(cases, store, engine, retry_failed=args.retry_failed)
    counts = (
        f"measured {done.measured}, skipped {done.skipped}, failed {done.failed}, {done.already_there} already there"
    )
    took = f"; {done.timed_share:.0%} of {minutes(done.seconds)} inside timed passes" if done.measured else ""
    print(f"{counts}{took}; see {store.path}")
    return 1 if done.failed and not done.measured and not done.already_there else 0


def _compare(args: argparse.Namespace) -> int:
    return compare.main(args, _cases(args))


def _elsewhere(args: argparse.Namespace) -> int:
    module, _ = MODULES[args.command]
    status: int = importlib.import_module(module).main(args)
    return status


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 all failed, 2 a wrong request, 130 Ctrl-C."""
    argv = sys.argv[1:] if argv is None else argv
    args = parser(argv[0] if argv else None).parse_args(argv)
    commands = {
        "list": _list,
        "plan": _plan,
        "sweep": _sweep,
        "compare": _compare,
        **dict.fromkeys(MODULES, _elsewhere),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("always", RecordWarning)
        warnings.showwarning = _show_warning
        try:
            return commands[args.command](args)
        except BrokenPipeError:  # the reader of our output went away: `… | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (ValueError, OSError, RuntimeError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except (Interrupted, KeyboardInterrupt) as interruption:
            print(f"interrupted: {interruption or 'nothing is lost but what was in progress'}", file=sys.stderr)
            return 130


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"warning: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
