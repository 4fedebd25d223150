"""The program that the user called: texts name its commands as the user can type them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

BENCHMARKS, REPORTS = "python -m benchmarks", "python -m reports"
# A command of the suite in a text; ``python -m benchmarks.evidence.validity`` is none. What follows after a gap of
# three blanks explains an example, and stays in its column.
COMMAND = re.compile(
    r"(?P<call>python -m (?:benchmarks|reports)|-m benchmarks)(?![\w.])(?P<rest>.*?)(?P<gap>   +|$)", re.M
)


@dataclass(frozen=True)
class Program:
    """A program with the commands of the suite.

    Args:
        name, reports: how the user types it, and how its commands of ``reports``.
        package: the package of the commands in ``more``, and the module that other launchers run (``torchrun -m``).
        more: its commands besides those of ``benchmarks.commands``, with their descriptions.
    """

    name: str = BENCHMARKS
    reports: str = REPORTS
    package: str = "benchmarks"
    more: Mapping[str, str] = field(default_factory=dict)

    def as_typed(self, text: str) -> str:
        """Return a text in which the commands of the suite are those of this program.

        >>> Program("gcnn-bench", "gcnn-bench report").as_typed("see python -m reports --help")
        'see gcnn-bench report --help'
        """
        names = {BENCHMARKS: self.name, REPORTS: self.reports, "-m benchmarks": f"-m {self.package}"}

        def typed(found: re.Match[str]) -> str:
            call, rest, gap = found["call"], found["rest"], found["gap"]
            again = self.as_typed(rest)  # a line may have a second command
            shorter = len(call) + len(rest) - len(names[call]) - len(again)
            return names[call] + again + (" " * max(len(gap) + shorter, 3) if gap else "")

        return COMMAND.sub(typed, text)


PYTHON = Program()
