"""``python -m benchmarks sweep``: measure the cases that the store lacks."""

import argparse
import dataclasses
from collections.abc import Collection, Sequence

from benchmarks.cases.base_point import layers_at_base
from benchmarks.cases.case import Case
from benchmarks.commands.options import add_case_options, add_sweep_options, and_page, chosen_cases, chosen_sampling
from benchmarks.records.store import RecordStore
from benchmarks.running.outstanding import failed_jobs
from benchmarks.sweep.engine import Engine
from benchmarks.sweep.estimate import minutes
from benchmarks.sweep.own_check import check_own
from benchmarks.sweep.sweep import sweep
from benchmarks.terminal.result import Result

EPILOG = """\
examples:
  python -m benchmarks sweep --profile quick           about 5 minutes on two cores; plan says it for yours
  python -m benchmarks sweep --variant full separable --resolution 4 8 16 --batch-size 1
                                                       other values on some axes of the profile
  python -m benchmarks sweep --layer my_package.layers:MyConv
                                                       your own layer next to our layers
  python -m benchmarks sweep --implementation gcnn_impl torch escnn authors --authors PATH
                                                       other people's layers next to ours

Results are appended to results/records.jsonl. A repeated command measures only the cases that are missing there.
Ctrl-C loses only the block in progress.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    parser.description = (
        "Measure every case of a profile that has no record yet, in fresh processes. "
        "Layers and networks of your own are checked first. "
        "Exit status 2: one of them is wrong; 1: one of them, or every case, failed in the measurement."
    )
    add_case_options(parser)
    add_sweep_options(parser)


def with_one_width(cases: Sequence[Case], without_width: Collection[str]) -> list[Case]:
    """Return the cases; of users' networks that have no width, each case once, whatever the channels."""
    width = {case.implementation: case.channels for case in reversed(cases)}
    return [
        case
        for case in cases
        if case.implementation not in without_width or case.channels == width[case.implementation]
    ]


def main(args: argparse.Namespace) -> Result:
    """Measure, and count the cases by outcome; the status is 1 if a user's module or every case failed, else 0."""
    cases, sampling = chosen_cases(args), chosen_sampling(args)
    profiled = frozenset(case.id for case in layers_at_base(cases))
    engine = Engine(sampling, timeout=args.timeout, isolate=args.isolate, profiled=profiled)
    if args.check:
        cases = with_one_width(cases, check_own(cases))
    store = RecordStore(args.results)
    done = sweep(cases, store, engine, retry_failed=args.retry_failed)
    counts = (
        f"measured {done.measured}, skipped {done.skipped}, failed {done.failed}, {done.already_there} already there"
    )
    took = f"; {done.timed_share:.0%} of {minutes(done.seconds)} inside timed passes" if done.measured else ""
    failed = failed_jobs(cases, store)
    status = 1 if len(failed) == len(cases) or any(case.own for case in failed) else 0
    return Result(
        {**dataclasses.asdict(done), "records": store.path},
        [f"{counts}{took}; see {store.path}{and_page(args.results)}"],
        status,
    )
