"""``python -m benchmarks deploy``: say what one network costs in each form in which it can be deployed."""

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.cases.case import AXES
from benchmarks.commands.options import (
    add_axes,
    add_fields,
    add_own_network,
    add_results,
    check_at_least_one,
    check_timeout,
    chosen_case,
)
from benchmarks.deployment.collect import deploy
from benchmarks.deployment.table import deployment_lines
from benchmarks.records.durable import check_folder, write_whole
from benchmarks.running.environment import set_compiling_environment, set_measuring_environment
from benchmarks.running.outstanding import check_machine
from benchmarks.sweep.own_check import check_own
from benchmarks.terminal.result import Result

ROUNDS, SECONDS = 5, 1.0
FILE = "deployment.json"
# A deployed network infers in float32 on the processor.
FIXED_AXES = ("direction", "kernels", "execution", "device", "dtype")
EPILOG = """\
examples:
  python -m benchmarks deploy --variant separable --batch-size 1
  python -m benchmarks deploy --layer allcnnc --variant full --resolution 4
  python -m benchmarks deploy --network examples.own_network:small_cnn

The folder gets the files of the network and deployment.json. An axis without an option has the value of the base
point. Without onnxscript a network cannot be written as ONNX, without onnxruntime it cannot be run; the table then says
so.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = EPILOG
    parser.description = (
        "Write one network as files, and measure it eager, with frozen kernels, compiled, exported and in ONNX: size, "
        "time until the first answer, time per image. The network has the parameters that it is built with."
    )
    add_axes(parser, [axis for axis in AXES if axis not in FIXED_AXES], "the base point's")
    add_own_network(parser)
    text = "folder of the files (default: RESULTS/deployment/CASE-ID)"
    parser.add_argument("--output", type=Path, metavar="DIR", help=text)
    add_fields(parser, int, rounds=f"fresh processes in which each form is measured (default: {ROUNDS})")
    add_fields(parser, float, seconds=f"time of the passes in each of these processes (default: {SECONDS:g})")
    parser.set_defaults(rounds=ROUNDS, seconds=SECONDS)
    text = "give a process up after this time (default: 600)"
    parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help=text)
    add_results(parser)


def main(args: argparse.Namespace) -> Result:
    """Measure all forms; the status is 1 if the eager network could not be measured, else 0."""
    check_at_least_one(rounds=args.rounds)
    check_timeout(args.timeout)
    check_timeout(args.seconds, "seconds")
    case = chosen_case(args, "resnet")
    check_machine([case])
    folder = args.output or args.results / "deployment" / case.id
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    set_measuring_environment()  # before the first process
    with tempfile.TemporaryDirectory(prefix="gcnn-compiled-") as compiled:
        set_compiling_environment(compiled)
        check_own([case])
        found = deploy(case, folder, rounds=args.rounds, seconds=args.seconds, timeout=args.timeout)
    fields = found.fields()
    write_whole(folder / FILE, f"{json.dumps(fields, ensure_ascii=False)}\n".encode())
    lines = [*deployment_lines(found), f"see {folder}: {FILE} and the files of the network"]
    eager = next(form for form in found.forms if form.name == "eager")
    return Result({"folder": folder, **fields}, lines, 1 if eager.reason else 0)
