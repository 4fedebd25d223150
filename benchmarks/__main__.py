"""The entry of the command line, ``python -m benchmarks COMMAND``; the commands are in ``benchmarks.commands``."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from types import ModuleType

from benchmarks.running.signals import requests_as_ctrl_c
from benchmarks.running.temporary import use_own_temporary_folder
from benchmarks.terminal.parser import Parser, add_output_options
from benchmarks.terminal.program import PYTHON, Program
from benchmarks.terminal.run import run

EPILOG = """\
examples:
  python -m benchmarks list --profile quick            what would be measured
  python -m benchmarks plan --profile standard         how long it would take, and what it would skip
  python -m benchmarks sweep --profile quick           measure it, about 5 minutes on two cores
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
    "deploy": "say what one network costs eager, frozen, compiled, exported and in ONNX, from its import on",
    "peers": "measure our layers next to torch's, escnn's, the authors' and your own, and print a table",
    "study": "train networks of equal cost over several seeds, and judge the paper's claims and augmentation",
    "studies": "print the tables of all studies, as far as they are trained, and who is how often near the best",
    "advise": "name the trained networks worth taking within a budget of time, memory, MACs or parameters",
    "break-even": "print the epochs, seconds and MACs to an accuracy, and when one network overtakes another",
    "contribute": "pack the records of this machine for others, without names of people and hosts, or check them",
    "answer": "measure how much faster separable layers are, or which share of a pass generates kernels",
}
# Options after which a command ends at once.
SOON = {"-h", "--help", "--version"}


def parser(command: str | None, program: Program = PYTHON, *, whole: bool = False) -> Parser:
    """Return the parser of all commands. Only ``command`` gets options; the other commands' modules stay unimported.

    Args:
        whole: whether every command gets its options.
    """
    parser = Parser(
        prog=program.name,
        program=program,
        description="Measure what group convolutions cost and what they are worth.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action=Version, nargs=0, help="print the version and exit")
    every = {**COMMANDS, **program.more}
    commands = parser.add_subparsers(dest="command", required=True, metavar="|".join(every))
    for name, text in every.items():
        description = f"{text[0].upper()}{text[1:]}."
        chosen = commands.add_parser(name, help=text, description=description, program=program)
        if whole or command == name:
            module = _module(name, program)
            module.add_arguments(chosen)
            if hasattr(module, "main"):  # the command has no commands of its own
                chosen.set_defaults(run=module.main)
                add_output_options(chosen)
    return parser


class Version(argparse.Action):
    """Prints the version of the installed package; words for a checkout in which it is not installed."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata  # not at the top: it takes as long as all other imports of ``--help``

        try:
            version = metadata.version("gcnn-impl")
        except metadata.PackageNotFoundError:
            version = "of a checkout, not installed"
        print(f"gcnn_impl {version}")
        parser.exit()


def _module(command: str, program: Program) -> ModuleType:
    package = program.package if command in program.more else "benchmarks.commands"
    return importlib.import_module(f"{package}.{command.replace('-', '_')}")


def main(argv: Sequence[str] | None = None, program: Program = PYTHON) -> int:
    """Run a command and return its exit status; see ``terminal.run``."""
    given = sys.argv[1:] if argv is None else argv
    return run(given, lambda words: parser(words[0] if words else None, program).parse_args(words), program)


def start(argv: Sequence[str] | None = None, program: Program = PYTHON) -> int:
    """Call ``main`` in a process of its own, which has its own temporary folder and ends on requests as on Ctrl-C."""
    given = sys.argv[1:] if argv is None else argv
    if SOON.isdisjoint(given):
        use_own_temporary_folder()
    with requests_as_ctrl_c():
        return main(given, program)


if __name__ == "__main__":
    sys.exit(start())
