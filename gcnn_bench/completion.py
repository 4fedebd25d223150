"""``gcnn-bench completion SHELL``: print what lets a shell complete commands, options and names."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import benchmarks.__main__ as command_line
from benchmarks.cases.case import CHOICES
from benchmarks.cases.datasets import DATASETS
from benchmarks.cases.profiles import PROFILES
from benchmarks.terminal.parser import Parser
from benchmarks.terminal.result import Result

EPILOG = """\
examples:
  gcnn-bench completion bash > ~/.local/share/bash-completion/completions/gcnn-bench
  gcnn-bench completion zsh > "${fpath[1]}/_gcnn-bench"

A new shell then completes commands, options, and the names of groups, variants, data sets and profiles.
"""
# The names that options take, by the names of the options; what else they take is not completed.
NAMES = {**CHOICES, "dataset": tuple(DATASETS), "profile": tuple(PROFILES)}


def add_arguments(parser: Parser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    parser.set_defaults(program=parser.program)
    parser.add_argument("shell", choices=("bash", "zsh"), metavar="bash|zsh", help="the shell")


def main(args: argparse.Namespace) -> Result:
    """Write the script."""
    import shtab  # not at the top: an optional dependency

    parser = command_line.parser(None, args.program, whole=True)
    for action in _actions(parser):
        names = NAMES.get(action.dest) if action.choices is None else action.choices
        action.choices = None if names is None else tuple(names)  # shtab takes a dictionary for commands
        if action.type is Path:
            action.complete = shtab.FILE
    script = shtab.complete(parser, shell=args.shell)
    return Result({"shell": args.shell, "script": script}, script.splitlines())


def _actions(parser: argparse.ArgumentParser) -> Iterator[Any]:
    """Yield the arguments of a parser and of its commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
        else:
            yield action
