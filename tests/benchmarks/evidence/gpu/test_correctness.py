"""Tests of the part "correctness": right layers pass, planted errors are found, each comparison is a finding."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from benchmarks.evidence.gpu import correctness, findings
from benchmarks.evidence.gpu.against_float64 import FORMATS, errors, reference, relative, wrong
from benchmarks.evidence.gpu.correctness import TINY, Check, checks, graphed_errors, measured, run
from benchmarks.evidence.gpu.job import Job
from benchmarks.workloads.workload import Workload
from gcnn_impl import SO2, SeparableGroupConv2d

FLOAT32, TF32, BFLOAT16 = FORMATS
SMALL = Check("layer", "separable", SO2(4), FLOAT32, sizes=TINY)


class RerunPass:
    """A stand-in for a captured pass: it runs the pass again, as a graph does on the present input."""

    captured = False

    def replay(self, workload: Workload) -> Tensor:
        workload.drop()
        return workload.run_once()


@pytest.mark.parametrize("kind", ["layer", "block", "network"])
def test_ours_equals_float64(kind: str) -> None:
    check = Check(kind, "separable", SO2(8), FLOAT32)
    found = measured(check, "cpu")
    assert found.keys() == {"output", "input", "parameters", "cached", "quarter turns"}
    assert check.wrong(found) == []


def test_formats_have_their_own_tolerances() -> None:
    found = measured(Check("layer", "separable", SO2(4), BFLOAT16, sizes=TINY), "cpu")
    assert wrong(found, BFLOAT16.tolerance) == []
    assert "output" in wrong(found, FLOAT32.tolerance)
    assert FLOAT32.tolerance < TF32.tolerance < BFLOAT16.tolerance


class WrongTap(nn.Module):
    """A layer whose output is shifted by a pixel in one of its maps."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x).clone()
        y[:, 0, 1] = y[:, 0, 1].roll(1, dims=-1)
        return y


class WrongGradient(nn.Module):
    """A layer whose output is right, and whose gradients are too large by a hundredth."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x)
        return y.detach() + 1.01 * (y - y.detach())


def small_reference() -> object:
    torch.manual_seed(0)
    layer = SeparableGroupConv2d(2, 3, 3, SO2(4), padding=1, dtype=torch.float64)
    return reference(layer, (1, 2, 4, 5, 5), SO2(4))


def renamed(wrap: type[nn.Module]) -> object:
    """Return a wrapper whose parameters have the names of the layer itself, as ``COMPILED`` promises."""

    def wrapped(layer: nn.Module) -> nn.Module:
        module = wrap(layer)
        module.named_parameters = layer.named_parameters  # type: ignore[method-assign]
        return module

    return wrapped


def test_a_wrong_tap_is_found_in_outputs_and_quarter_turns() -> None:
    found = errors(small_reference(), "cpu", FLOAT32, renamed(WrongTap))
    assert {"output", "cached", "quarter turns"} <= set(wrong(found, FLOAT32.tolerance))


def test_a_wrong_gradient_is_found_where_the_output_is_right() -> None:
    found = errors(small_reference(), "cpu", FLOAT32, renamed(WrongGradient))
    assert wrong(found, FLOAT32.tolerance) == ["input", "parameters"]


def test_nan_and_a_missing_gradient_are_wrong() -> None:
    assert wrong({"output": math.nan, "input": 0.0}, 1.0) == ["output"]
    assert math.isnan(relative(torch.tensor([math.nan]), torch.ones(1)))
    frozen = small_reference()

    def freeze(layer: nn.Module) -> nn.Module:
        next(layer.parameters()).requires_grad_(False)
        return layer

    assert errors(frozen, "cpu", FLOAT32, freeze)["parameters"] == math.inf


def test_a_replayed_pass_is_compared_on_input_that_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correctness, "CapturedPass", RerunPass)
    assert wrong(graphed_errors(small_reference(), "cpu", FLOAT32), FLOAT32.tolerance) == []


def test_a_graph_that_ignores_new_input_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Frozen(RerunPass):
        def replay(self, workload: Workload) -> Tensor:
            if not self.captured:
                self.output, self.captured = super().replay(workload), True
            return self.output

    monkeypatch.setattr(correctness, "CapturedPass", Frozen)
    found = graphed_errors(small_reference(), "cpu", FLOAT32)
    assert {"output", "cached"} <= set(wrong(found, FLOAT32.tolerance))


def test_on_cuda_all_formats_and_both_operators_are_compared_and_float32_comes_first() -> None:
    planned = list(checks("cuda", "full", True))
    assert {(check.format.name, check.triton) for check in planned} == {
        (name, triton) for name in ("float32", "tf32", "bfloat16") for triton in (False, True)
    }
    assert {check.kind for check in planned} == {"layer", "block", "network", "compiled", "graphed"}
    names = [check.format.name for check in planned]
    assert names == sorted(names, key=["float32", "tf32", "bfloat16"].index)
    assert {check.variant for check in planned} >= {"lifting", "full", "separable", "dseparable", "separable2d"}


def test_the_smoke_run_on_a_processor_has_every_kind_that_needs_no_cuda() -> None:
    planned = list(checks("cpu", "smoke", True))
    assert {check.kind for check in planned} == {"layer", "block", "network", "compiled"}
    assert {(check.format.name, check.triton) for check in planned} == {
        ("float32", True),
        ("float32", False),
        ("bfloat16", False),
    }


def test_without_triton_its_operators_are_not_compared() -> None:
    assert not any(check.triton for check in checks("cuda", "full", False))
    on_cpu = [check for check in checks("cpu", "smoke", True) if check.triton]
    assert [check.sizes for check in on_cpu] == [TINY]  # in the interpreter


def test_each_comparison_is_a_finding_and_a_wrong_one_fails_the_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job("correctness", tmp_path, "cpu", "smoke", 60.0)
    monkeypatch.setattr(correctness, "operators_run", lambda device: [])
    monkeypatch.setattr(correctness, "checks", lambda *_: [SMALL, SMALL])
    outcomes = iter([{"output": 1e-7}, {"output": 1.0}])
    monkeypatch.setattr(correctness, "measured", lambda *_: next(outcomes))
    with pytest.raises(RuntimeError, match="1 comparisons are wrong"):
        run(job)
    compared = [finding for finding in findings.load(job.findings) if "check" in finding]
    assert [finding["wrong"] for finding in compared] == [[], ["output"]]


def test_a_comparison_that_raises_does_not_stop_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job("correctness", tmp_path, "cpu", "smoke", 60.0)
    monkeypatch.setattr(correctness, "operators_run", lambda device: [])
    monkeypatch.setattr(correctness, "checks", lambda *_: [SMALL, SMALL])

    def raising(*_: object) -> None:
        raise ValueError("planted")

    monkeypatch.setattr(correctness, "measured", raising)
    with pytest.raises(RuntimeError, match="2 comparisons are wrong"):
        run(job)
    assert sum(finding.get("raised") == "ValueError: planted" for finding in findings.load(job.findings)) == 2
