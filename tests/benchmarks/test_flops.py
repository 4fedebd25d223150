"""fvcore's MACs equal closed forms written by hand, and nothing that has MACs goes uncounted."""

import copy
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

from benchmarks.cases import Case
from benchmarks.measure.flops import count_macs
from benchmarks.workloads import build

# What fvcore has no rule for and has no multiply–accumulates: elementwise, indexing, reshaping, pooling, reductions.
HARMLESS = {
    "aten::add",
    "aten::amax",
    "aten::cat",
    "aten::feature_dropout",
    "aten::index_select",
    "aten::max_pool2d",
    "aten::mul",
    "aten::pad",
    "aten::repeat",
    "aten::repeat_interleave",
    "aten::sin",
    "aten::sub",
    "aten::unflatten",
}
SHAPES: list[dict[str, Any]] = [
    {"channels": 3, "resolution": 4, "batch_size": 2, "image_size": 8, "kernel_size": 3},
    {"channels": 4, "resolution": 3, "batch_size": 1, "image_size": 9, "kernel_size": 5},
    {"channels": 5, "resolution": 8, "batch_size": 3, "image_size": 7, "kernel_size": 1},
    {"channels": 2, "resolution": 1, "batch_size": 2, "image_size": 10, "kernel_size": 7},
]


def closed_form(case: Case, taps: int) -> int:
    """The convolution of a layer that keeps the image size, C → C channels on |H| elements, written out."""
    outputs = case.batch_size * case.channels * case.resolution * case.image_size**2
    return {
        "plain": outputs * case.channels * taps,
        "lifting": outputs * case.channels * taps,
        "full": outputs * case.channels * case.resolution * taps,
        "separable": outputs * case.channels * case.resolution + outputs * taps,
    }[case.variant]


def layer_case(variant: str, shape: dict[str, Any]) -> Case:
    plain = {"group": "trivial", "resolution": 1} if variant == "plain" else {}
    return Case(variant=variant, **(shape | plain))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("variant", ["plain", "lifting", "full", "separable"])
def test_the_convolution_of_a_layer_by_its_definition(variant: str, shape: dict[str, Any]) -> None:
    case = layer_case(variant, shape)
    workload = build(case)
    macs = count_macs(workload.module, workload.x)
    assert macs["convolution"] == closed_form(case, case.kernel_size**2)
    assert set(macs["unsupported"]) <= HARMLESS


def test_kernel_generation_is_three_matrix_products_at_every_distinct_point_and_does_not_depend_on_the_batch() -> None:
    # Trivially small: |H| = 1, k = 1, so the net sees one point (x, y) and makes C·C values through 64 and 64 units.
    counts = set()
    for batch_size in (1, 3):
        workload = build(Case(variant="lifting", resolution=1, kernel_size=1, channels=5, batch_size=batch_size))
        counts.add(count_macs(workload.module, workload.x)["kernel_generation"])
    assert counts == {2 * 64 + 64 * 64 + 64 * 25}


def test_a_plain_network_generates_no_kernels_and_counts_its_layers() -> None:
    workload = build(
        Case(layer="resnet", variant="plain", group="trivial", resolution=1, channels=4, image_size=16, batch_size=2)
    )
    macs = count_macs(workload.module, workload.x)
    c, taps = 4, 25
    per_image = (
        16**2 * c * taps  # the first layer, from one channel
        + 16**2 * (c * c * taps) * 2  # the first block, 4 → 4
        + 8**2 * (c * c * taps + 2 * c * c * taps + 2 * c * c)  # the second, 4 → 8, and its skip
        + 2**2 * (2 * c) ** 2 * 9  # the last, unpadded, on 4×4
        + 2 * c * 256
        + 256 * 10  # the classifier
    )
    assert macs["kernel_generation"] == 0
    assert macs["convolution"] == 2 * per_image


@pytest.mark.parametrize("batch_size", [1, 2])
def test_counting_a_network_leaves_no_trace_in_it(batch_size: int) -> None:
    workload = build(Case(layer="resnet", channels=2, image_size=9, batch_size=batch_size, kernel_size=3, resolution=2))
    state = copy.deepcopy(workload.module.state_dict())
    macs = count_macs(workload.module, workload.x)
    assert not workload.module.training
    for name, value in workload.module.state_dict().items():
        assert torch.equal(value, state[name]), name
    assert macs["kernel_generation"] > 0
    assert set(macs["unsupported"]) <= HARMLESS


def test_kernels_are_generated_although_they_are_in_the_inference_cache() -> None:
    workload = build(Case(channels=2, batch_size=1, image_size=8, kernel_size=3, resolution=2))
    before = count_macs(workload.module, workload.x)
    workload.run()
    assert count_macs(workload.module, workload.x) == before
    assert before["kernel_generation"] > 0


def test_an_operator_that_cannot_be_counted_is_named() -> None:
    class Same(nn.Conv2d):
        def __init__(self) -> None:
            super().__init__(2, 2, 3, padding="same")

    macs = count_macs(Same(), torch.zeros(1, 2, 4, 4))
    assert macs["convolution"] == 0
    assert "aten::_convolution_mode" in macs["unsupported"]


def test_importing_fvcore_and_counting_warn_nobody() -> None:
    code = (
        "import torch; from benchmarks.measure.flops import count_macs;"
        "print(count_macs(torch.nn.Conv2d(1, 1, 3), torch.zeros(1, 1, 3, 3))['convolution'])"
    )
    done = subprocess.run([sys.executable, "-W", "default", "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("9\n", "")
