"""The entry of the command line, ``python -m benchmarks COMMAND``; the commands are in ``benchmarks.commands``."""

import argparse
import difflib
import importlib
import os
import re
import sys
from collections.abc import Sequence
from importlib import metadata
from types import ModuleType
from typing import NoReturn

from benchmarks.records.printable import escaped, print_anything, warnings_in_one_line
from benchmarks.records.store import RecordWarning
from benchmarks.running.outstanding import Interrupted
from benchmarks.running.signals import requests_as_ctrl_c
from benchmarks.running.temporary import use_own_temporary_folder

EPILOG = """\
examples:
  python -m benchmarks list --profile quick            what would be measured
  python -m benchmarks plan --profile standard         how long it would take, and what it would skip
  python -m benchmarks sweep --profile quick           measure it, two minutes on two cores
  python -m benchmarks compare HEAD~1 . --variant separable
                                                       exit status 1 if the work tree is slower
  python -m benchmarks train --profile quick           accuracy on rotated digits
  python -m reports                                    write the report of all results

Each command has examples of its own: python -m benchmarks COMMAND --help
"""

# Each command is a module with ``add_arguments`` and ``main``. Only the module of the given command is imported: some
# modules import torch, which takes two seconds.
COMMANDS = {
    "list": "print the cases of a profile",
    "plan": "say how many cases a sweep would measure, how long it would take, and what it would skip",
    "sweep": "measure time, memory, MACs and equivariance error of every case",
    "compare": "say whether one commit, or one set of results, is slower than another",
    "train": "train networks, and record accuracy against epochs, seconds and MACs",
    "profile": "say where the time and the memory of one pass go, by operator and by module",
    "peers": "measure our layers next to torch's, escnn's, the authors' and your own, and print a table",
    "study": "train networks of equal cost over several seeds, and judge the paper's claims and augmentation",
    "studies": "print the tables of all studies, as far as they are trained, and who is how often near the best",
    "advise": "name the trained networks worth taking within a budget of time, memory, MACs or parameters",
    "break-even": "print the epochs, seconds and MACs to an accuracy, and when one network overtakes another",
    "contribute": "pack the records of this machine for others, without names of people and hosts, or check them",
    "answer": "measure how much faster separable layers are, or which share of a pass generates kernels",
}


class Parser(argparse.ArgumentParser):
    """A parser that prints errors on one line, without the usage, and names the command that was probably meant."""

    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"argument \S+: invalid choice: '(\S+)' \(choose from ", message)
        near = difflib.get_close_matches(wrong[1], COMMANDS, n=1) if wrong else []
        meant = f"; did you mean {near[0]}?" if near else ""
        self.exit(2, f"error: {message}{meant}; see {self.prog} --help\n")


def parser(command: str | None) -> Parser:
    """Return the parser of all commands. Only ``command`` gets options; the other commands' modules stay unimported."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog="python -m benchmarks",
        description="Measure what group convolutions cost and what they are worth.",
        epilog=EPILOG,
        formatter_class=raw,
    )
    parser.add_argument("--version", action="version", version=f"gcnn_impl {version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="|".join(COMMANDS))
    for name, text in COMMANDS.items():
        chosen = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", formatter_class=raw)
        if command == name:
            _module(name).add_arguments(chosen)
    return parser


def version() -> str:
    """Return the version of the installed package; words for a checkout in which it is not installed."""
    try:
        return metadata.version("gcnn-impl")
    except metadata.PackageNotFoundError:
        return "of a checkout, not installed"


def _module(command: str) -> ModuleType:
    return importlib.import_module(f"benchmarks.commands.{command.replace('-', '_')}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    Every command returns 2 for a wrong request, and 130 after Ctrl-C or a request to end, such as SIGTERM.
    """
    print_anything()
    argv = sys.argv[1:] if argv is None else argv
    args = parser(argv[0] if argv else None).parse_args(argv)
    with warnings_in_one_line(RecordWarning):
        try:
            status: int = _module(args.command).main(args)
        except BrokenPipeError:  # the program that reads our output has ended, as in `… | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (ValueError, OSError, RuntimeError) as error:
            print(f"error: {escaped(str(error))}", file=sys.stderr)
            return 2
        except (Interrupted, KeyboardInterrupt) as interruption:
            print(f"interrupted: {str(interruption) or 'only the work in progress is lost'}", file=sys.stderr)
            return 130
    return status


if __name__ == "__main__":
    use_own_temporary_folder()
    with requests_as_ctrl_c():
        sys.exit(main())
