"""``gcnn-bench report``: the commands of ``python -m reports``."""

from benchmarks.terminal.parser import Parser
from reports.__main__ import DESCRIPTION, EPILOG, add_commands


def add_arguments(parser: Parser) -> None:
    """Add the commands of the reports, each with its own function to run."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    add_commands(parser)
