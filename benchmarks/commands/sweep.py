"""``python -m benchmarks sweep``: measure the cases that the store lacks."""

import argparse
import dataclasses

from benchmarks.cases.base_point import layers_at_base
from benchmarks.commands.options import add_case_options, add_sweep_options, and_page, chosen_cases, chosen_sampling
from benchmarks.records.store import RecordStore
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
                                                       your own layer next to ours
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
        "Layers and networks of your own are checked first; exit status 2 if one is wrong."
    )
    add_case_options(parser)
    add_sweep_options(parser)


def main(args: argparse.Namespace) -> Result:
    """Measure, and count the cases by outcome; the status is 1 if all of them failed, else 0."""
    cases, sampling = chosen_cases(args), chosen_sampling(args)
    profiled = frozenset(case.id for case in layers_at_base(cases))
    engine = Engine(sampling, timeout=args.timeout, isolate=args.isolate, profiled=profiled)
    if args.check:
        check_own(cases)
    store = RecordStore(args.results)
    done = sweep(cases, store, engine, retry_failed=args.retry_failed)
    counts = (
        f"measured {done.measured}, skipped {done.skipped}, failed {done.failed}, {done.already_there} already there"
    )
    took = f"; {done.timed_share:.0%} of {minutes(done.seconds)} inside timed passes" if done.measured else ""
    status = 1 if done.failed and not done.measured and not done.already_there else 0
    return Result(
        {**dataclasses.asdict(done), "records": store.path},
        [f"{counts}{took}; see {store.path}{and_page(args.results)}"],
        status,
    )
