"""Writes the files of a network, and measures one of its forms in this process: first answer, then passes."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import gcnn_impl
from benchmarks.cases.case import Case
from benchmarks.deployment.forms import (
    EXAMPLE,
    FILES,
    ONNX_PACKAGES,
    RUN_WITH,
    WEIGHTS,
    WRITTEN_WITH,
    FormTask,
    WritingTask,
)
from benchmarks.measure.clock import synchronised_clock, take_turn, warm_up
from benchmarks.measure.correctness import relative_error
from benchmarks.measure.sampling import Sampling
from benchmarks.records.outcome import InvalidResult, Skipped
from benchmarks.workloads.build import build_module, build_workload, configure

# The forms compute the same in another order: errors are some 1e-6.
TOLERANCE = 1e-3
FEWEST_PASSES = 5
Answer = Callable[[Tensor], Tensor]


def write_file(task: WritingTask) -> dict[str, Any]:
    """Write the file of a form, and return its ``bytes`` and ``writing_seconds``.

    With the weights, the images and the output of the eager network are written, which all forms have to match.

    Raises:
        Skipped: when a package is missing.
    """
    for form, file in FILES.items():
        if file == task.file:
            _require(WRITTEN_WITH.get(form))
    configure(task.case)
    workload = build_workload(task.case)
    network, x, path = gcnn_impl.unfreeze(workload.module), workload.x, task.folder / task.file
    clock = synchronised_clock("cpu")
    begun = clock()
    with torch.no_grad():
        _WRITERS[task.file](network, x, path)
        seconds = clock() - begun
        if task.file == WEIGHTS:
            torch.save((x, network(x)), task.folder / EXAMPLE)
    return {"bytes": path.stat().st_size, "writing_seconds": seconds}


def measure_form(task: FormTask) -> dict[str, Any]:
    """Return ``first_answer``, seconds from the file to the first output; ``passes``, seconds of each; and ``error``.

    Raises:
        InvalidResult: when the output is not that of the eager network.
        Skipped: when a package is missing.
    """
    _require(RUN_WITH.get(task.form))
    configure(task.case)
    x, expected = torch.load(task.folder / EXAMPLE, weights_only=True)
    clock = synchronised_clock("cpu")
    with torch.no_grad():
        begun = clock()
        answer = _LOADERS[task.form](task.case, task.folder / FILES[task.form])
        y = answer(x)
        first = clock() - begun
        error = relative_error(y, expected)
        if not error <= TOLERANCE:  # also for nan
            raise InvalidResult(f"relative error {error:.3g} against the eager network, allowed: {TOLERANCE:g}")
        sampling = Sampling(rounds=1, seconds=task.seconds, min_samples=FEWEST_PASSES)

        def run() -> Tensor:
            return answer(x)

        warm_up(run, clock, sampling, prepare=_nothing)
        passes = take_turn(run, clock, task.seconds, prepare=_nothing)
        while len(passes) < FEWEST_PASSES:
            passes += take_turn(run, clock, 0.0, prepare=_nothing)
    return {"first_answer": first, "passes": passes, "error": error}


def _nothing() -> None:
    """Prepare a pass of inference."""


def _require(package: str | None) -> None:
    if package is not None and importlib.util.find_spec(package) is None:
        raise Skipped(f"{package} is not installed; get it with: pip install {ONNX_PACKAGES}")
    if package is not None:
        importlib.import_module(package)  # its time is one of the imports


def _write_weights(network: nn.Module, x: Tensor, path: Path) -> None:
    torch.save(network.state_dict(), path)


def _write_exported(network: nn.Module, x: Tensor, path: Path) -> None:
    torch.export.save(torch.export.export(gcnn_impl.freeze(network), (x,)), path)


def _write_onnx(network: nn.Module, x: Tensor, path: Path) -> None:
    program = torch.onnx.export(network, (x,), dynamo=True, verbose=False)
    assert program is not None
    program.save(path)


def _eager(case: Case, path: Path) -> nn.Module:
    network = build_module(case)
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval()


def _frozen(case: Case, path: Path) -> nn.Module:
    return gcnn_impl.freeze(_eager(case, path))


def _compiled(case: Case, path: Path) -> Answer:
    compiled: Answer = torch.compile(_frozen(case, path))
    return compiled


def _exported(case: Case, path: Path) -> Answer:
    return torch.export.load(path).module()


def _onnx(case: Case, path: Path) -> Answer:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = case.threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()

    def answer(x: Tensor) -> Tensor:
        (y,) = session.run(None, {given.name: x.numpy()})
        return torch.from_numpy(y)

    return answer


_WRITERS: dict[str, Callable[[nn.Module, Tensor, Path], None]] = {
    WEIGHTS: _write_weights,
    FILES["exported"]: _write_exported,
    FILES["onnx"]: _write_onnx,
}
_LOADERS: dict[str, Callable[[Case, Path], Answer]] = {
    "eager": _eager,
    "frozen": _frozen,
    "compiled": _compiled,
    "exported": _exported,
    "onnx": _onnx,
}
