"""The entry of the command line: ``python -m benchmarks COMMAND``; the commands are in ``benchmarks.commands``."""

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from benchmarks.records.store import RecordWarning
from benchmarks.running.outstanding import Interrupted

EPILOG = """\
examples:
  python -m benchmarks list --profile quick            what would be measured
  python -m benchmarks plan --profile standard         how long it would take, what it would skip and why
  python -m benchmarks sweep --profile quick           measure it, two minutes on two cores
  python -m benchmarks sweep --variant full separable --resolution 4 8 16 --batch-size 1
                                                       other values on some of the profile's axes
  python -m benchmarks sweep --layer my_package.layers:MyConv
                                                       your own layer next to ours
  python -m benchmarks sweep --implementation gcnn_impl torch escnn authors --authors PATH
                                                       other people's layers next to ours
  python -m benchmarks compare HEAD~1 . --variant separable
                                                       is the work tree slower? exit status 1 if so
  python -m benchmarks compare results/old results/new
                                                       the same for two sets of results
  python -m benchmarks train --profile quick           accuracy on rotated digits
  python -m reports                                    make the report of all results

Results are appended to results/records.jsonl. A command that is run again measures only what is missing there;
Ctrl-C loses nothing but the block in progress.
"""

# Every command is a module with ``add_arguments`` and ``main``, imported when it is asked for: some come with torch,
# which takes two seconds that the others need not wait.
COMMANDS = {
    "list": "print the cases of a profile",
    "plan": "how many cases, how long, and what will be skipped",
    "sweep": "time, memory, MACs and equivariance error of every case",
    "compare": "is one commit, or one set of results, slower than another",
    "train": "accuracy against epochs, seconds and MACs",
    "peers": "our layers next to torch's, escnn's, the authors' and your own, in a table",
    "study": "networks matched by budgets, over seeds, and the paper's three claims",
    "advise": "the networks worth taking within a budget of time, memory, MACs or parameters",
    "break-even": "epochs, seconds and MACs to an accuracy, and who overtakes whom",
    "answer": "what the speed-up of separable is, or the share of kernel generation",
}


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def parser(command: str | None) -> Parser:
    """Return the parser of all commands; only ``command`` has its options."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog="python -m benchmarks",
        description="Measure what group convolutions cost and what they are worth.",
        epilog=EPILOG,
        formatter_class=raw,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="|".join(COMMANDS))
    for name, text in COMMANDS.items():
        chosen = commands.add_parser(name, help=text, epilog=EPILOG, formatter_class=raw)
        if command == name:
            importlib.import_module(_module(name)).add_arguments(chosen)
    return parser


def _module(command: str) -> str:
    return f"benchmarks.commands.{command.replace('-', '_')}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status: 0 done, 1 all failed, 2 a wrong request, 130 Ctrl-C."""
    argv = sys.argv[1:] if argv is None else argv
    args = parser(argv[0] if argv else None).parse_args(argv)
    with warnings.catch_warnings():
        warnings.simplefilter("always", RecordWarning)
        warnings.showwarning = _show_warning
        try:
            status: int = importlib.import_module(_module(args.command)).main(args)
        except BrokenPipeError:  # the reader of our output went away: `… | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (ValueError, OSError, RuntimeError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except (Interrupted, KeyboardInterrupt) as interruption:
            print(f"interrupted: {interruption or 'only the work in progress is lost'}", file=sys.stderr)
            return 130
    return status


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"warning: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
