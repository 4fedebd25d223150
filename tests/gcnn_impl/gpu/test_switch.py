import os
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from gcnn_impl import gpu


def test_off_unless_the_environment_says_otherwise() -> None:
    assert not gpu.takes(torch.ones(2))


@pytest.mark.parametrize(("value", "said"), [("1", "in use"), ("0", "not in use: GCNN_IMPL_TRITON is not 1")])
def test_the_environment_turns_the_operators_on(value: str, said: str) -> None:
    code = "from gcnn_impl import gpu; import sys; print(gpu.status()); assert 'triton' not in sys.modules"
    environment = {**os.environ, "GCNN_IMPL_TRITON": value}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == said


def test_tensors_that_are_taken() -> None:
    with gpu.turned(True):
        assert gpu.takes(torch.ones(2), None, nn.Parameter(torch.ones(3)))
        assert not gpu.takes(torch.ones(2), torch.ones(2, dtype=torch.float64))
        assert not gpu.takes(torch.ones(2, dtype=torch.int64))
        assert not gpu.takes(torch.ones(2, device="meta"))
        assert not gpu.takes(torch.ones(0))
    assert not gpu.takes(torch.ones(2))


def test_transforms_and_counters_get_pytorch() -> None:
    found = []

    def watch(x: torch.Tensor) -> torch.Tensor:
        found.append(gpu.takes(x))
        return x.sum()

    with gpu.turned(True):
        torch.func.grad(watch)(torch.ones(2))
        torch.func.jvp(watch, (torch.ones(2),), (torch.ones(2),))
        with FlopCounterMode(display=False):
            watch(torch.ones(2))
    assert found == [False, False, False]
