"""The error of a number format is that of its digits, and float32 has almost none."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from benchmarks.cases.case import Case
from benchmarks.measure.correctness import relative_error
from benchmarks.measure.rounding import rounding_error
from benchmarks.workloads.build import build_workload

SMALL: dict[str, Any] = {"channels": 4, "batch_size": 3, "image_size": 12, "kernel_size": 3, "resolution": 4}


@pytest.mark.parametrize("fields", [{"variant": "full"}, {"layer": "resnet"}])
@pytest.mark.parametrize("direction", ["forward", "forward_backward"])
def test_the_error_of_bfloat16_is_that_of_eight_digits(fields: dict[str, Any], direction: str) -> None:
    workload = build_workload(Case(**SMALL, **fields, direction=direction, dtype="bfloat16"))
    workload.run()
    state = {name: value.clone() for name, value in workload.module.state_dict().items()}
    found = rounding_error(workload)
    exact = rounding_error(replace(workload, autocast=None))
    assert found["output"] is not None
    assert exact["output"] is not None
    assert 1e-4 < found["output"] < 3e-2
    assert exact["output"] < 1e-5
    assert (found["input_gradient"] is not None) == (direction == "forward_backward" and "layer" not in fields)
    if found["input_gradient"] is not None:
        assert 1e-4 < found["input_gradient"] < 3e-2
    for name, value in workload.module.state_dict().items():
        torch.testing.assert_close(value, state[name], rtol=0, atol=0)


def test_a_relative_error_is_a_ratio_of_norms() -> None:
    expected = torch.tensor([3.0, 4.0])
    assert relative_error(expected + torch.tensor([0.3, 0.4]), expected) == pytest.approx(0.1)
    assert relative_error(torch.zeros(2), torch.zeros(2)) == 0
