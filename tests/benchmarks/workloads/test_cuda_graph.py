"""Capturing a pass, with a stand-in for CUDA: what happens before, during and after, and what a replay needs."""

import weakref
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.cases.case import Case
from benchmarks.measure.correctness import check_replay, relative_error
from benchmarks.records.outcome import InvalidResult
from benchmarks.workloads.build import build_workload
from benchmarks.workloads.cuda_graph import WARM_UP_PASSES, CapturedPass
from benchmarks.workloads.workload import Workload
from gcnn_impl import SeparableGroupConv2d
from gcnn_impl.kernels import ContinuousKernel
from tests.benchmarks.conftest import Cuda

SMALL: dict[str, Any] = {"channels": 2, "batch_size": 2, "image_size": 8, "kernel_size": 3, "resolution": 2}


def captured(cuda: Cuda, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> Workload:
    """Build a workload on the CPU whose pass is captured by the stand-in, and note its passes and preparations."""
    workload = replace(build_workload(Case(**SMALL, **fields)), graph=CapturedPass())
    for name in ("run_once", "drop"):
        _note(cuda, monkeypatch, name)
    return workload


def _note(cuda: Cuda, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    function = getattr(Workload, name)

    def noted(workload: Workload) -> Any:
        cuda.note(name)
        return function(workload)

    monkeypatch.setattr(Workload, name, noted)


def test_passes_on_a_side_stream_precede_the_capture_and_gradients_are_dropped_before(
    cuda: Cuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = captured(cuda, monkeypatch, direction="forward_backward")
    output = workload.run()
    warm_up = ["wait_stream", "side stream", *["drop", "run_once"] * WARM_UP_PASSES, "main stream", "wait_stream"]
    assert cuda.taken() == [*warm_up, "drop", "capture", "run_once", "captured", "replay"]
    assert not output.requires_grad
    workload.prepare()
    assert workload.run() is output
    assert cuda.taken() == ["replay"]  # nothing else is done, or allocated
    assert workload.graph is not None
    assert len(workload.graph.gradients) == 1 + len(list(workload.module.parameters()))


def test_a_pass_that_generates_its_kernels_generates_them_while_it_is_captured(
    cuda: Cuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    generated: list[str] = []
    for kernels, times in (("generated", WARM_UP_PASSES + 1), ("cached", 0)):
        workload = captured(cuda, monkeypatch, kernels=kernels)
        factor = next(module for module in workload.module.modules() if isinstance(module, ContinuousKernel))
        factor.register_forward_hook(lambda *_: generated.append("once"))
        workload.run()
        workload.run()
        assert len(generated) == times
        generated.clear()


def test_cached_kernels_stay_in_memory_while_the_graph_may_be_replayed(
    cuda: Cuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = captured(cuda, monkeypatch)
    workload.run()
    assert isinstance(workload.module, SeparableGroupConv2d)
    assert workload.module._frozen is not None
    kernels = [weakref.ref(kernel) for kernel in workload.module._frozen]
    workload.module.unfreeze()
    assert workload.module._frozen is None
    assert all(kernel() is not None for kernel in kernels)


def test_autocast_casts_the_weights_again_in_every_captured_pass() -> None:
    eager = Workload(nn.Identity(), torch.ones(1), torch.ones(1), None, False, autocast=torch.bfloat16)
    graphed = replace(eager, graph=CapturedPass())
    for workload, caches in ((eager, True), (graphed, False)):
        with workload.autocasting():
            assert torch.is_autocast_cache_enabled() is caches


def test_the_case_decides_what_is_captured_and_its_optimiser_counts_on_the_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = Case(**SMALL, direction="training_step")
    assert build_workload(case).graph is None
    object.__setattr__(case, "execution", "graphed")  # a case on the CPU refuses this
    workload = build_workload(case)
    assert workload.graph is not None
    assert workload.optimiser is not None
    assert workload.optimiser.defaults["capturable"]


@pytest.mark.parametrize("direction", ["forward", "forward_backward"])
def test_a_replay_must_give_the_output_and_the_gradients_of_the_pass(
    cuda: Cuda, monkeypatch: pytest.MonkeyPatch, direction: str
) -> None:
    workload = captured(cuda, monkeypatch, direction=direction)
    check_replay(replace(workload, graph=None))  # nothing is captured, nothing is checked
    check_replay(workload)
    assert all(parameter.grad is None for parameter in workload.module.parameters())
    assert workload.graph is not None
    wrong: list[Tensor] = [workload.run(), *workload.graph.gradients[-1:]]
    for name, tensor in zip(("output", "gradient"), wrong, strict=False):
        before = tensor.clone()
        with torch.inference_mode():
            tensor.mul_(2)
        with pytest.raises(InvalidResult, match=f"relative error 1 in the {name} of the captured pass"):
            check_replay(workload)
        with torch.inference_mode():
            tensor.copy_(before)


def test_a_replay_is_compared_with_a_pass_from_the_same_parameters(cuda: Cuda, monkeypatch: pytest.MonkeyPatch) -> None:
    workload = captured(cuda, monkeypatch, direction="training_step")
    output, graph, eager = workload.run(), workload.graph, replace(workload, graph=None)
    assert graph is not None
    replays: list[Tensor] = []

    def replay(self: object) -> None:
        """Take a step, as the replay of a training step does, and overwrite the captured tensors."""
        eager.drop()
        replays.append(eager.run_once())
        for tensor, value in zip((output, *graph.gradients), (replays[-1], *eager.gradients()), strict=True):
            tensor.copy_(value.detach())

    graph.gradients = [gradient.clone() for gradient in graph.gradients]
    monkeypatch.setattr(torch.cuda.CUDAGraph, "replay", replay)
    check_replay(workload)
    assert len(replays) == 1
    replay(None)
    assert relative_error(replays[1], replays[0]) > 1e-4  # a step changes the output by more than is allowed
