"""The command line: ``python -m benchmarks list|sweep|train``."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.cases import AXES, CHOICES, PROFILES, Case, profile_cases
from benchmarks.measure.clock import Sampling
from benchmarks.records import RecordStore, RecordWarning
from benchmarks.sweep import Interrupted, sweep

EPILOG = """\
examples:
  python -m benchmarks list --profile quick            what would be measured
  python -m benchmarks sweep --profile quick           measure it, about two minutes on two cores
  python -m benchmarks sweep --variant full separable --resolution 4 8 16 --batch-size 1
                                                       other values on some of the profile's axes
  python -m benchmarks train --profile quick           accuracy on rotated digits
  python -m reports                                    make the report of all results

Results are appended to results/records.jsonl. A command that is run again measures only what is missing there;
Ctrl-C loses nothing but the case in progress.
"""

# One choice each so far: nothing to choose.
FIXED_AXES = ("group", "dtype")
OPTIONAL_AXES = [axis for axis in AXES if axis not in FIXED_AXES]

PROFILE_HELP = "quick: one axis at a time, minutes; standard: cross products, hours; full: wider still, a day or more"
AXIS_HELP = {
    "resolution": "|H|, number of group elements (plain ones have 1)",
    "channels": "channels in and out",
    "batch_size": "images in a pass",
    "image_size": "height and width, pixels",
    "kernel_size": "odd, pixels",
    "threads": "of torch (default: all cores)",
}


class Parser(argparse.ArgumentParser):
    """Errors in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def _parser(command: str | None) -> Parser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog="python -m benchmarks",
        description="Measure what group convolutions cost and what they are worth.",
        epilog=EPILOG,
        formatter_class=raw,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|sweep|train")

    listing = commands.add_parser("list", help="print the cases of a profile", formatter_class=raw, epilog=EPILOG)
    _add_case_options(listing)

    sweeping = commands.add_parser(
        "sweep",
        help="time, memory, MACs and equivariance error of every case",
        description="Measure every case of a profile that has no record yet, each in a fresh process.",
        epilog=EPILOG,
        formatter_class=raw,
    )
    _add_case_options(sweeping)
    _add_sweep_options(sweeping)

    training = commands.add_parser(
        "train", help="accuracy against epochs on rotated digits", epilog=EPILOG, formatter_class=raw
    )
    if command == "train":  # its options come with torch, which takes two seconds that the others need not wait
        from benchmarks.training import add_arguments

        add_arguments(training)
    return parser


def _add_case_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", default="quick", metavar="NAME", help=f"{PROFILE_HELP} (default: quick)")
    axes = parser.add_argument_group("axes", "values to use instead of the profile's own")
    for axis in OPTIONAL_AXES:
        option = "--" + axis.replace("_", "-")
        if axis in CHOICES:
            axes.add_argument(option, nargs="+", metavar="NAME", help=", ".join(CHOICES[axis]))
        else:
            axes.add_argument(option, nargs="+", type=int, metavar="N", help=AXIS_HELP[axis])


def _add_sweep_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="where records go (default: results)"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="time budget of a case's timed passes (default: 1)")
    parser.add_argument(
        "--min-samples", type=int, default=7, metavar="N", help="timed passes at least, budget or not (default: 7)"
    )
    parser.add_argument(
        "--timeout", type=float, default=600.0, metavar="SECONDS", help="give a case up after (default: 600)"
    )
    parser.add_argument("--retry-failed", action="store_true", help="measure again what failed before")


def _cases(args: argparse.Namespace) -> list[Case]:
    values: dict[str, Any] = {axis: getattr(args, axis) for axis in OPTIONAL_AXES}
    return profile_cases(args.profile, **{axis: tuple(v) if v else None for axis, v in values.items()})


def _list(args: argparse.Namespace) -> int:
    cases = _cases(args)
    for case in cases:
        print(case.id, case.label)
    print(f"{len(cases)} cases; profiles: {', '.join(PROFILES)}")
    return 0


def _sweep(args: argparse.Namespace) -> int:
    if not 0 < args.timeout < float("inf"):
        raise ValueError(f"timeout {args.timeout} is not allowed; allowed: positive numbers of seconds")
    store = RecordStore(args.results)
    sampling = Sampling(min_samples=args.min_samples, seconds=args.seconds)
    done = sweep(_cases(args), store, sampling, timeout=args.timeout, retry_failed=args.retry_failed)
    print(
        f"measured {done.measured}, skipped {done.already_there} already there, failed {done.failed}; see {store.path}"
    )
    return 1 if done.failed and not done.measured and not done.already_there else 0


def _train(args: argparse.Namespace) -> int:
    from benchmarks.training import main as train

    return train(args)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 all failed, 2 a wrong request, 130 Ctrl-C."""
    argv = sys.argv[1:] if argv is None else argv
    args = _parser(argv[0] if argv else None).parse_args(argv)
    commands = {"list": _list, "sweep": _sweep, "train": _train}
    with warnings.catch_warnings():
        warnings.simplefilter("always", RecordWarning)
        warnings.showwarning = _show_warning
        try:
            return commands[args.command](args)
        except BrokenPipeError:  # the reader of our output went away: `… | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (ValueError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except (Interrupted, KeyboardInterrupt) as interruption:
            print(f"interrupted: {interruption or 'nothing is lost but what was in progress'}", file=sys.stderr)
            return 130


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"warning: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
