"""``python -m benchmarks peers``: measure our layers next to other people's, and print tables."""

import argparse
from pathlib import Path

from benchmarks.answers.side_by_side import lines_of, side_by_side
from benchmarks.cases.case import AXES, FORMER_IMAGES, OURS
from benchmarks.cases.peers import AUTHORS_REPOSITORY, PEERS
from benchmarks.cases.profiles import Grid, own_layer_cases
from benchmarks.commands.options import RESULTS, add_grid_options, add_isolate, grid_cases, measure_grid
from benchmarks.records.costs import successes
from benchmarks.records.store import RecordStore
from benchmarks.running.environment import use_authors
from benchmarks.sweep.own_check import check_own
from benchmarks.terminal.result import Result, strict
from benchmarks.workloads.peers import why_unavailable
from benchmarks.workloads.peers.authors import why_no_checkout

GRID: Grid = {
    "implementation": (OURS, *PEERS),
    "variant": ("lifting", "full", "separable"),
    "direction": ("forward", "forward_backward"),
}
# Axes without an option: ``--layer`` names a class here, and peers have no kernels, execution or scales to choose.
FIXED_AXES = ("layer", "implementation", "kernels", "execution", "scales", *FORMER_IMAGES)

# A folder of its own: in that of a sweep, the records of the same cases would take the place of the sweep's.
PEERS_RESULTS = RESULTS / "peers"

EPILOG = """\
examples:
  python -m benchmarks peers --authors PATH
  python -m benchmarks peers --layer my_package.layers:MyConv --resolution 8
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    parser.add_argument("--authors", type=Path, metavar="PATH", help=f"your checkout of {AUTHORS_REPOSITORY}")
    parser.add_argument(
        "--layer", dest="own_layer", metavar="MODULE:CLASS", help="a layer of your own, as one more contender"
    )
    add_isolate(parser)
    add_grid_options(parser, [axis for axis in AXES if axis not in FIXED_AXES], PEERS_RESULTS)


def main(args: argparse.Namespace) -> Result:
    """Measure the missing cases and compare; the status is 1 if no peer could be measured, else 0."""
    if args.authors is not None and (reason := why_no_checkout(str(args.authors))):
        raise ValueError(reason)
    use_authors(args.authors)
    cases = grid_cases(args, GRID)
    if args.own_layer:
        cases += own_layer_cases(cases, args.own_layer)
    if args.check:
        check_own(cases)
    skipped = {record["id"] for record in RecordStore(args.results).load() if record["status"] == "skipped"}
    found_since = any(case.id in skipped and why_unavailable(case) is None for case in cases)
    records = measure_grid(cases, args, retry_failed=found_since, isolate=args.isolate)
    found = side_by_side(cases, records)
    measured = any(case.foreign and case.id in successes(records) for case in cases)
    return Result(strict(found), lines_of(found), 0 if measured else 1)
