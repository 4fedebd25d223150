"""Runs a command: what it prints, and its exit status."""

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence

from benchmarks.records.printable import escaped, print_anything, warnings_in_one_line
from benchmarks.running.signals import Interrupted
from benchmarks.terminal.program import PYTHON, Program

WRONG, INTERRUPTED = 2, 130


def run(argv: Sequence[str], parse: Callable[[Sequence[str]], argparse.Namespace], program: Program = PYTHON) -> int:
    """Run a command, print its ``Result``, and return its exit status.

    Every command returns 2 for a wrong request, and 130 after Ctrl-C or a request to end, such as SIGTERM. With
    ``--json`` stdout gets one JSON object, also then: {"error": message}.

    Args:
        parse: returns the options; ``run`` among them is the function that returns the ``Result``.
    """
    print_anything()
    as_json = "--json" in argv
    try:
        args = parse(argv)
        from benchmarks.records.store import RecordWarning  # not at the top: ``--help`` does without

        with _streams(args.json, args.quiet), warnings_in_one_line(RecordWarning):
            result = args.run(args)
        shown = [result.json()] if args.json and result.value else [] if args.json else result.lines
        for line in shown:
            print(line if args.json else program.as_typed(line))
        sys.stdout.flush()
        for line in result.errors:
            print(f"error: {escaped(line)}", file=sys.stderr)
        status: int = result.status
    except BrokenPipeError:  # the program that reads our output has ended, as in `… | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, RuntimeError) as error:
        return _failed("error", program.as_typed(_said(error)), WRONG, as_json)
    except (Interrupted, KeyboardInterrupt) as interruption:
        said = str(interruption) or "only the work in progress is lost"
        return _failed("interrupted", said, INTERRUPTED, as_json)
    return status


def _said(error: Exception) -> str:
    """Return what an error says; of the system's errors the file and the reason, without the number."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _failed(kind: str, message: str, status: int, as_json: bool) -> int:
    print(f"{kind}: {escaped(message)}", file=sys.stderr)
    if as_json:
        print(json.dumps({kind: message}))
    return status


@contextlib.contextmanager
def _streams(as_json: bool, quiet: bool) -> Iterator[None]:
    """Print inside as the options want: progress and remarks go nowhere if ``quiet``; ``as_json`` keeps stdout free."""
    with contextlib.ExitStack() as stack:
        if quiet:
            nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123
            stack.enter_context(contextlib.redirect_stderr(nowhere))
        if as_json:
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield
