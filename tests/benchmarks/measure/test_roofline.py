"""The arithmetic of the roofline, the bytes of known passes, and the measured ceilings."""

import pytest
import torch
from torch import nn

from benchmarks.cases.case import Case
from benchmarks.measure import roofline as instrument
from benchmarks.measure.roofline import ceilings, moved_bytes
from benchmarks.statistics.roofline import roofline
from benchmarks.workloads.build import build_workload
from benchmarks.workloads.workload import Workload

CEILINGS = {"matrix_ceiling": 100.0, "memory_ceiling": 10.0}


@pytest.mark.parametrize(
    ("macs", "bytes_moved", "fraction"),
    [
        pytest.param(1000, 10, 0.5, id="bound by arithmetic: 50 of 100 MAC/s"),
        pytest.param(100, 100, 0.5, id="bound by memory: 5 of 10 MAC/s"),
        pytest.param(1000, 100, 0.5, id="at the ridge"),
        pytest.param(0, 100, 0.5, id="no arithmetic at all"),
    ],
)
def test_the_fraction_of_the_roof(macs: float, bytes_moved: float, fraction: float) -> None:
    seconds = 20.0
    result = roofline(macs, bytes_moved, seconds, CEILINGS)
    assert result["arithmetic_intensity"] == macs / bytes_moved
    assert result["macs_per_second"] == macs / seconds
    assert result["fraction"] == fraction
    assert {name: result[name] for name in CEILINGS} == CEILINGS


class _Elementwise(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x + 1).view(-1).sin()


def test_operators_except_views_read_their_operands_and_write_their_results() -> None:
    x = torch.zeros(1000)
    assert moved_bytes(Workload(_Elementwise(), x, x.clone(), None, backward=False)) == 4 * 4000


def test_an_operand_given_twice_is_read_once() -> None:
    class Square(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * x

    x = torch.zeros(1000)
    assert moved_bytes(Workload(Square(), x, x.clone(), None, backward=False)) == 2 * 4000


@pytest.mark.parametrize("direction", ["forward", "forward_backward", "training_step"])
@pytest.mark.parametrize("layer", ["conv", "resnet"])
def test_a_pass_moves_more_than_its_input_output_parameters_and_gradients(layer: str, direction: str) -> None:
    workload = build_workload(
        Case(layer=layer, direction=direction, channels=4, batch_size=2, image_size=12, resolution=4)
    )
    workload.run()
    least = workload.x.nbytes + workload.cotangent.nbytes
    if workload.backward:  # the parameters are read twice, and their gradients written
        least += workload.cotangent.nbytes + 3 * sum(parameter.nbytes for parameter in workload.module.parameters())
    assert moved_bytes(workload) > least
    assert all(parameter.grad is None for parameter in workload.module.parameters())


def test_ceilings_are_the_rates_of_large_products_and_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instrument, "SECONDS", 0.01)
    monkeypatch.setattr(instrument, "MATRIX_SIDE", {"cpu": 256})
    monkeypatch.setattr(instrument, "CONVOLUTION", {"channels": 32, "side": 28, "kernel": 3})
    monkeypatch.setattr(instrument, "COPY_BYTES", {"cpu": 2**22})
    monkeypatch.setattr(instrument, "CONVOLUTION_BATCH", {"cpu": 1})
    threads = torch.get_num_threads()
    for dtype in ("float32", "bfloat16"):
        measured = ceilings("cpu", 1, dtype)
        assert set(measured) == set(CEILINGS)
        assert 1e8 < measured["matrix_ceiling"] < 1e14
        assert 1e8 < measured["memory_ceiling"] < 1e13
    assert torch.get_num_threads() == threads
