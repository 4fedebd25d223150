"""``python -m benchmarks plan``: say what a sweep would do; nothing is stored."""

import argparse
import dataclasses
from pathlib import Path

from benchmarks.cases.blocks import blocks
from benchmarks.commands.options import add_case_options, add_sweep_options, chosen_cases, chosen_sampling
from benchmarks.records.store import RecordStore
from benchmarks.running.outstanding import there_already
from benchmarks.sweep.estimate import NOTHING_KNOWN, survey
from benchmarks.sweep.plan import make_plan, plan_lines, times_of
from benchmarks.sweep.sweep import SEED
from benchmarks.terminal.result import Result

EPILOG = """\
examples:
  python -m benchmarks plan --profile standard
  python -m benchmarks plan --variant full separable --resolution 4 8 16 --channels 32
  python -m benchmarks plan --device cuda --times-of results/gpu        for a GPU, on a machine without one
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    parser.description = (
        "Say what a sweep with the same options would do, how long it takes by the values of each axis, and what to "
        "cut; nothing is stored."
    )
    add_case_options(parser)
    add_sweep_options(parser)
    text = "records of the machine that is planned for, if not this one: a folder of results, or a file of records"
    parser.add_argument("--times-of", type=Path, metavar="PATH", help=text)


def main(args: argparse.Namespace) -> Result:
    """Make the plan."""
    cases, sampling = chosen_cases(args), chosen_sampling(args)
    devices = list(dict.fromkeys(case.device for case in cases))
    known = times_of(RecordStore.at(args.times_of).load(), devices) if args.times_of else NOTHING_KNOWN
    done = there_already(cases, RecordStore(args.results), retry_failed=args.retry_failed)
    todo = blocks(cases, {case for case in cases if case.id not in done}, SEED)
    found = survey([case for block in todo for case in block.cases], known)
    plan = make_plan(len(cases), len(done), todo, found, sampling)
    value = {**dataclasses.asdict(plan), "cuts": plan.cuts, "needs": found.needs}
    return Result(value, plan_lines(plan))
