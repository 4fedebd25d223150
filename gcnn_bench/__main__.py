"""The entry of ``gcnn-bench`` and of ``python -m gcnn_bench``."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.terminal.program import Program

HERE = Path(__file__).resolve().parent
MORE = {
    "report": "write the page of all results, or compare, summarise, export or list results",
    "completion": "print the completion of commands and options for bash or zsh",
}


def suite_folder() -> Path:
    """Return the folder of ``benchmarks`` and ``reports``: in the wheel inside this package, else the checkout."""
    packed = HERE / "suite"
    return packed if packed.is_dir() else HERE.parent


def use_suite() -> None:
    """Let this process, and those that it starts, import the suite, also where a folder has packages of these names.

    Without ``PYTHONSAFEPATH`` a new interpreter would look for ``benchmarks`` in the current folder first.
    """
    folder = str(suite_folder())
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path not in ("", folder)]
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, *others])
    os.environ["PYTHONSAFEPATH"] = "1"
    sys.path[:] = [folder, *(path for path in sys.path if path != folder)]


def main() -> int:
    """Run the command of ``sys.argv`` and return its exit status."""
    use_suite()
    try:
        from benchmarks.__main__ import start

        return start(with_default(sys.argv[1:]), program())
    except ModuleNotFoundError as error:
        print(f'error: {error.name} is not installed; pip install "gcnn-impl[suite]"', file=sys.stderr)
        return 2


def program() -> "Program":
    """Return the program: its name, and its commands besides those of ``benchmarks``."""
    from benchmarks.terminal.program import Program

    return Program("gcnn-bench", "gcnn-bench report", "gcnn_bench", MORE)


def with_default(given: list[str]) -> list[str]:
    """Return the arguments, with the command that ``report`` alone stands for."""
    if given[:1] != ["report"]:
        return given
    from reports.__main__ import with_default

    return ["report", *with_default(given[1:])]


if __name__ == "__main__":
    sys.exit(main())
