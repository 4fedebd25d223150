"""``gcnn-bench completion SHELL``: print what lets a shell complete commands, options and names."""

import argparse
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import benchmarks.__main__ as command_line
from benchmarks.cases.case import CHOICES
from benchmarks.cases.datasets import DATASETS
from benchmarks.cases.groups import GROUPS
from benchmarks.cases.profiles import PROFILES
from benchmarks.cases.training_run import AUGMENTATIONS, DTYPES, MATCHES, NETWORKS, RECIPES
from benchmarks.cases.variants import NETWORK_VARIANTS
from benchmarks.studies.catalogue import STUDIES
from benchmarks.studies.contenders import KINDS
from benchmarks.terminal.parser import Parser
from benchmarks.terminal.result import Result
from benchmarks.training.profiles import TRAINING_PROFILES
from reports.__main__ import with_default

EPILOG = """\
examples:
  gcnn-bench completion bash > ~/.local/share/bash-completion/completions/gcnn-bench
  gcnn-bench completion zsh > "${fpath[1]}/_gcnn-bench"

A new shell then completes commands, options, and the names of groups, variants, data sets and profiles.
"""
# The names that options take, by the names of the options; what else they take is not completed.
NAMES: Mapping[str, Collection[str]] = {
    **CHOICES,
    "layer": [name for name in CHOICES["layer"] if name != "network"],  # --network chooses that
    "dataset": DATASETS,
    "profile": PROFILES,
    "augmentation": AUGMENTATIONS,
    "recipe": RECIPES,
    "scale": {scale: None for scales in STUDIES.values() for scale in scales},
    "matches": [match for match in MATCHES if match != "none"],
    "kinds": KINDS,
}
# The options that take other names in one command.
NAMES_OF: Mapping[str, Mapping[str, Collection[str]]] = {
    "train": {
        "profile": TRAINING_PROFILES,
        "variant": NETWORK_VARIANTS,
        "group": GROUPS,
        "dtype": DTYPES,
        "network": NETWORKS,
    }
}


def add_arguments(parser: Parser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    parser.set_defaults(program=parser.program)
    parser.add_argument("shell", choices=("bash", "zsh"), metavar="bash|zsh", help="the shell")


def main(args: argparse.Namespace) -> Result:
    """Write the script."""
    import shtab  # not at the top: an optional dependency

    parser = command_line.parser(None, args.program, whole=True)
    _give_report_its_default(parser)
    for command, action in _actions(parser):
        names = {**NAMES, **NAMES_OF.get(command, {})}.get(action.dest) if action.choices is None else action.choices
        action.choices = None if names is None else tuple(names)  # shtab takes a dictionary for commands
        if action.type is Path:
            action.complete = shtab.FILE
    script = shtab.complete(parser, shell=args.shell)
    return Result({"shell": args.shell, "script": script}, script.splitlines())


def _give_report_its_default(parser: argparse.ArgumentParser) -> None:
    """Give ``report`` the options of the command that ``report`` alone stands for."""
    report = _commands(parser)["report"]
    report._actions += _commands(report)[with_default([])[0]]._actions[1:]  # without --help


def _commands(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Return the commands of a parser by their names."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return {name: command for group in groups for name, command in group.choices.items()}


def _actions(parser: argparse.ArgumentParser, of: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the arguments of a parser and of its commands, each with the name of its command."""
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            yield of, action
    for name, command in _commands(parser).items():
        yield from _actions(command, name)
