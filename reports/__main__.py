"""`python -m reports`: results → one HTML file."""

import argparse
import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

from benchmarks.records import Record, RecordStore, RecordWarning
from reports.page import render


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(
        prog="python -m reports",
        description="Turn the results of `python -m benchmarks` into one HTML file that needs no network.",
    )
    arguments.add_argument(
        "--results",
        type=Path,
        nargs="+",
        default=[Path("results")],
        metavar="DIRECTORY",
        help="where the benchmarks put their results; several, for several machines (default: results)",
    )
    arguments.add_argument(
        "--output",
        type=Path,
        default=Path("reports/html/report.html"),
        metavar="FILE",
        help="the page to write (default: reports/html/report.html)",
    )
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    try:
        records = [record for directory in arguments.results for record in load(directory)]
        if not records:
            where = ", ".join(map(str, arguments.results))
            raise ValueError(f"no results in {where}; get some with `python -m benchmarks sweep --profile quick`")
        write(arguments.output, render(records))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(arguments.output)
    return 0


def load(directory: Path) -> list[Record]:
    """The records of one directory; lines that are none become one-line warnings on stderr.

    Raises:
        ValueError: for a file.
        OSError: when it cannot be read.
    """
    if directory.is_file():
        raise ValueError(f"results {directory} is a file; allowed: directories that hold a records.jsonl")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RecordWarning)
        try:
            records = RecordStore(directory).load()
        except OSError as error:
            raise OSError(f"cannot read results in {directory}: {error.strerror}") from error
    for warning in caught:
        print(f"warning: {warning.message}", file=sys.stderr)
    return records


def write(path: Path, text: str) -> None:
    """Write a whole file or leave what was there: a reader never sees half a page.

    Raises:
        OSError: when it cannot be written.
    """
    try:
        _replace(path, text)
    except OSError as error:
        reason = f"cannot write {path}: {error.strerror}; allowed: a file in a directory you may write to"
        raise OSError(reason) from error


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 (a descriptor, not a path)
            file.write(text)
        os.chmod(temporary, 0o644)  # noqa: PTH101 (mkstemp makes it private)
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


if __name__ == "__main__":
    sys.exit(main())
