"""The bytes and launches of layers on CUDA, against the floor and against the table of ``docs/gpu.md``."""

from pathlib import Path

import pytest
import torch

from benchmarks.answers.text_tables import markdown_table
from benchmarks.evidence import traffic
from benchmarks.evidence.traffic import Moved, as_on_cuda, moved, table
from gcnn_impl import SO2, SeparableGroupConv2d, gpu, native

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("batch", [1, 64])
def test_separable_moves_at_most_twice_the_floor_forward_in_two_launches(batch: int) -> None:
    found, floor = moved("separable", batch, training=False, triton=True)
    assert floor <= found.bytes <= 2 * floor
    assert found.launches == 2


def test_the_map_is_never_copied_in_a_training_pass() -> None:
    """Eleven maps are read or written.

    The mixing reads x and writes y, the convolution reads y and writes z. Its backward pass reads y and the gradient of
    z and writes that of y, from which two products make the gradients of x and, with x, of the mixing's kernel.
    """
    small, large = (moved("separable", batch, training=True, triton=True)[0].bytes for batch in (32, 64))
    maps = 32 * 4 * traffic.CHANNELS * traffic.RESOLUTION * traffic.SIDE**2
    assert large - small == 11 * maps


def test_no_pass_moves_less_than_the_floor_and_triton_moves_no_more_than_pytorch() -> None:
    for variant in traffic.VARIANTS:
        for training in (False, True):
            (pytorch, floor), (triton, same) = (moved(variant, 2, training, on) for on in (False, True))
            assert floor == same <= triton.bytes <= pytorch.bytes
            assert triton.launches <= pytorch.launches


def test_what_is_counted() -> None:
    """A lifting expands its bias to |H| elements, which reads and writes |H|·C values, and convolves with these."""
    found, floor = moved("lifting", 1, training=False, triton=False)
    bias = 4 * traffic.CHANNELS
    assert found == Moved(floor - bias + 3 * traffic.RESOLUTION * bias, 2)


def test_the_stand_ins_for_cuda_are_gone_afterwards() -> None:
    before = native.status(), gpu.switch.DEVICES, gpu.status()
    with as_on_cuda(triton=True):
        assert gpu.takes(torch.ones(2))
        assert not native.takes(torch.ones(2))
    assert (native.status(), gpu.switch.DEVICES, gpu.status()) == before
    SeparableGroupConv2d(2, 2, 3, SO2(4), padding=1)(torch.ones(1, 2, 4, 5, 5)).sum().backward()


def test_the_documentation_has_the_table_that_the_command_prints() -> None:
    assert "\n".join(markdown_table(table())) in (ROOT / "docs/gpu.md").read_text()
