"""The parser of the command lines, and the options that every command has."""

import argparse
import re
import shutil
import textwrap
from typing import Any, NoReturn

from benchmarks.cases.meant import meant
from benchmarks.terminal.program import PYTHON, Program

CHOICE = re.compile(r"invalid choice: '(?P<value>[^']*)' \(choose from (?P<names>.*)\)")

OPTION = re.compile(r"unrecognized arguments:.*?(?P<value>--[\w-]+)")


class WrongRequest(ValueError):  # noqa: N818
    """Arguments that no command takes; the message is one line."""


class Help(argparse.RawDescriptionHelpFormatter):
    """Writes helps whose names, paths and addresses stay whole: lines break at blanks alone, not at hyphens."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False, break_long_words=False)


class Parser(argparse.ArgumentParser):
    """A parser that raises ``WrongRequest``, names what was probably meant, and writes commands as ``program`` has."""

    def __init__(self, *arguments: Any, program: Program = PYTHON, **options: Any) -> None:
        super().__init__(*arguments, **{"formatter_class": Help, **options})
        self.program = program

    def error(self, message: str) -> NoReturn:
        near = ""
        if wrong := CHOICE.search(message):
            near = meant(wrong["value"], re.split(r"'?, '?", wrong["names"].strip("'")))
        elif wrong := OPTION.search(message):
            near = meant(wrong["value"], self._present_names())
        raise WrongRequest(f"{message}{f'; did you mean {near}?' if near else ''}; see {self.prog} --help")

    def _present_names(self) -> list[str]:
        """Return the first long name of every option: the others of an option are former ones."""
        names = ([name for name in each.option_strings if name.startswith("--")] for each in self._actions)
        return [long[0] for long in names if long]

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and refuse options that the command lacks: only its own parser knows what was probably meant."""
        found, others = super().parse_known_args(args, namespace)
        if others:
            self.error(f"unrecognized arguments: {' '.join(others)}")
        return found, others

    def format_help(self) -> str:
        """Return the help, with the commands as the program has them, and with a description that fits the terminal."""
        self.description, self.epilog = (
            text and self.program.as_typed(text) for text in (self.description, self.epilog)
        )
        if self.description:
            width = shutil.get_terminal_size().columns - 2
            self.description = textwrap.fill(self.description, width, break_on_hyphens=False)
        return super().format_help()


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add the options about what a command prints."""
    output = parser.add_argument_group("output")
    output.add_argument("--json", action="store_true", help="print one JSON object; see docs/command-line.md")
    output.add_argument("--quiet", action="store_true", help="no progress and no remarks, only the result and errors")
