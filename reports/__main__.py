"""The command line, `python -m reports`: results → one HTML file, tables, figures, a summary or a comparison."""

import argparse
import gc
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.answers.differences import RESULTS_FLOOR, fraction_of_percent
from benchmarks.records.below import no_results
from benchmarks.records.durable import check_folder, check_writable
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.terminal.parser import Parser, add_output_options
from benchmarks.terminal.program import PYTHON, Program
from benchmarks.terminal.result import Result
from benchmarks.terminal.run import run
from reports.exports.files import write

if TYPE_CHECKING:
    import pandas as pd

RESULTS = Path("results")
ASV, PYTEST_BENCHMARK = Path(".asv/results"), Path("results/pytest-benchmark")
PAGE = Path("reports/html/report.html")
EXPORTED = Path("reports/html/export")
REFERENCE = Path("reports/reference/amd-epyc-zen-4-2-cores")
DESCRIPTION = (
    "Turn the results of `python -m benchmarks` into one HTML file that needs no network, or into tables, figures, a "
    "summary or a comparison. Without a command: render."
)
EPILOG = """\
examples:
  python -m reports                                    the page of results/, in reports/html/report.html
  python -m reports --results A B --output page.html   a page of two folders of results
  python -m reports diff OLD NEW                       what changed between two sets of results
  python -m reports summary                            the short answer, for a pull request
  python -m reports export --output figures            tables and figures as files

The options of the page: python -m reports render --help
"""
DIFF_EPILOG = """\
examples:
  python -m reports diff results/old results/new
  python -m reports diff results/old results/new --markdown   for a comment on a pull request

Exit status: 0 fine, 1 regressed, 3 undecided, 2 could not compare, 130 interrupted. The verdict is on times, on
accuracies and on training runs that fail at NEW alone. What is counted (MACs, parameters, memory) is listed where it
differs, and does not affect the verdict.
"""


def parser(program: Program = PYTHON) -> Parser:
    """Return the parser of all commands."""
    arguments = Parser(prog=program.reports, program=program, description=DESCRIPTION, epilog=EPILOG)
    add_commands(arguments)
    return arguments


def add_commands(arguments: Parser) -> None:
    """Add all commands, and their options, to a parser."""
    commands = arguments.add_subparsers(dest="report", metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], Result], what: str) -> argparse.ArgumentParser:
        description = f"{what[0].upper()}{what[1:]}."
        found = commands.add_parser(name, help=what, description=description, program=arguments.program)
        found.set_defaults(run=run, program=arguments.program)
        add_output_options(found)
        return found

    render = command("render", _render, "write the page (the default command)")
    _add_results(render)
    _add_history(render)
    _add_output(render, PAGE, "FILE", "the page to write")

    diff = command("diff", _diff, "compare two sets of results, and say which changes are significant")
    diff.epilog = DIFF_EPILOG
    what = "the baseline, A in the tables: a directory of results, or a file of records"
    diff.add_argument("a", type=Path, metavar="OLD", help=what)
    diff.add_argument("b", type=Path, metavar="NEW", help="the results that are judged, B in the tables")
    floor, what = 100 * RESULTS_FLOOR, "smallest change of a time that counts (default: %(default)g)"
    diff.add_argument("--floor", type=float, default=floor, metavar="PERCENT", help=what)
    diff.add_argument("--across-machines", action="store_true", help="compare results of different machines")
    diff.add_argument("--all", action="store_true", help="also list the cases that did not change")
    what = "write Markdown, for a job summary or a comment on a pull request"
    diff.add_argument("--markdown", action="store_true", help=what)

    _add_results(command("summary", _summary, "print the short answer as Markdown, for a comment or a job summary"))

    gallery = command("gallery", _gallery, "write a page that lists the reports in a folder")
    gallery.add_argument("directory", type=Path, metavar="DIR", help="the folder of the reports, at any depth")
    gallery.add_argument("--output", type=Path, metavar="FILE", help="the page to write (default: DIR/index.html)")

    readme = command("readme", _readme, "write the table, the sentences and the figures of README from records")
    readme.add_argument("--results", type=Path, default=REFERENCE, metavar="DIR", help="records (default: %(default)s)")
    _add_output(readme, Path("README.md"), "FILE", "the page, whose figures are in docs/figures")

    export = command("export", _export, "write tables as CSV and Parquet, figures as SVG, PDF and CSV")
    _add_results(export)
    _add_history(export)
    _add_output(export, EXPORTED, "DIR", "the folder to write into")


def _add_results(command: argparse.ArgumentParser) -> None:
    what = "directories of results, or files of records (default: results)"
    # a second --results adds to the first
    command.add_argument("--results", type=Path, nargs="+", action="extend", metavar="PATH", help=what)


def _add_history(command: argparse.ArgumentParser) -> None:
    for suite, place in (("asv", ASV), ("pytest-benchmark", PYTEST_BENCHMARK)):
        what = f"results of {suite}, if any (default: {place})"
        command.add_argument(f"--{suite}", type=Path, default=place, metavar="DIR", help=what)


def _add_output(command: argparse.ArgumentParser, default: Path, metavar: str, what: str) -> None:
    command.add_argument("--output", type=Path, default=default, metavar=metavar, help=f"{what} (default: {default})")


def with_default(given: Sequence[str]) -> list[str]:
    """Return the arguments, with the command ``render`` if they have none."""
    named = given and (not given[0].startswith("-") or given[0] in ("-h", "--help"))
    return list(given) if named else ["render", *given]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, or 2 after an error; for `diff`, see `Difference.status`."""
    return run(with_default(sys.argv[1:] if argv is None else argv), parser().parse_args)


def _render(arguments: argparse.Namespace) -> Result:
    check_writable(arguments.output)
    from reports.page.page import render

    write(arguments.output, render(load_all(arguments.results), load_history(arguments), arguments.program))
    return Result({"page": arguments.output}, [str(arguments.output)])


def _diff(arguments: argparse.Namespace) -> Result:
    from reports.exports.difference import difference
    from reports.exports.difference_text import as_markdown, as_text

    before, after = load_all([arguments.a]), load_all([arguments.b])
    found = difference(before, after, fraction_of_percent(arguments.floor, "floor"), arguments.across_machines)
    write_lines = as_markdown if arguments.markdown else as_text
    return Result(found.value(), write_lines(found, arguments.all), found.status)


def _summary(arguments: argparse.Namespace) -> Result:
    from reports.exports.summary import summary, summary_lines

    found = summary(load_all(arguments.results))
    return Result(found.value(), summary_lines(found))


def _gallery(arguments: argparse.Namespace) -> Result:
    from reports.page.gallery import gallery

    output = arguments.output or arguments.directory / "index.html"
    check_writable(output)
    page, remarks = gallery(arguments.directory, output)
    for remark in remarks:
        print(f"warning: {remark}", file=sys.stderr)
    write(output, page)
    return Result({"page": output, "remarks": remarks}, [str(output)])


def _readme(arguments: argparse.Namespace) -> Result:
    from benchmarks.answers.made_lines import filled
    from reports.exports.readme import COMMAND, answer

    page, figures = arguments.output, arguments.output.parent / "docs" / "figures"
    check_writable(page)
    check_folder(figures)
    found = answer(load_all([arguments.results]))
    write(page, filled(page.read_text(encoding="utf-8"), COMMAND, found.lines))
    for name, drawing in found.figures.items():
        write(figures / name, drawing)
    return Result({"page": page, "figures": sorted(found.figures)}, [str(page)])


def _export(arguments: argparse.Namespace) -> Result:
    from reports.exports.export import export

    check_folder(arguments.output)
    written = list(export(load_all(arguments.results), load_history(arguments), arguments.output))
    return Result({"directory": arguments.output, "written": written}, [each.text for each in written])


def load_all(given: Sequence[Path] | None) -> list[Record]:
    """Return the records of all given directories and files; if none is given, the records in ``RESULTS``.

    Raises:
        ValueError: when there are no records.
        OSError: when a directory or a file cannot be read.
    """
    places = given or [RESULTS]
    records = [record for place in places for record in load_records(place)]
    if not records:
        raise ValueError(no_results(places, "get some with `python -m benchmarks sweep --profile quick`"))
    gc.freeze()  # else every search for cycles visits all samples, of which there may be millions
    return records


def load_history(arguments: argparse.Namespace) -> "pd.DataFrame":
    """Return the history of asv and pytest-benchmark; where one of them cannot be read, warn and leave it out."""
    import pandas as pd

    from benchmarks.records.suite_results import commit_order
    from reports.frames.history import history

    order, found = commit_order(), [history()]
    for suite, place in (("asv", arguments.asv), ("pytest_benchmark", arguments.pytest_benchmark)):
        try:
            found.append(history(**{suite: place}, order=order))
        except ValueError as error:
            print(f"warning: {error}; the history of {suite.replace('_', '-')} is left out", file=sys.stderr)
    known = [frame for frame in found if len(frame)]
    return pd.concat(known, ignore_index=True) if known else found[0]


def load_records(place: Path) -> list[Record]:
    """Return the records of one directory or file; each line that is no record makes a one-line warning on stderr.

    Raises:
        OSError: when the records cannot be read.
    """
    try:
        return RecordStore.at(place).load()
    except OSError as error:
        raise OSError(f"cannot read results in {place}: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main())
