"""Tests of the parts: their order, their limits, and the cases that they measure."""

import importlib

import pytest

from benchmarks.cases.blocks import blocks
from benchmarks.cases.case import Case
from benchmarks.evidence.gpu import cells, told
from benchmarks.evidence.gpu.parts import (
    LEAST_SECONDS,
    NATIVE_VARIABLE,
    PARTS,
    TOTAL_SECONDS,
    TRITON_VARIABLE,
    allowed_seconds,
    environment,
)
from gcnn_impl.gpu import switch
from gcnn_impl.native import build

EIGHT_MINUTES = 480
LIMITS = {part.name: part.seconds for part in PARTS}


def test_all_parts_together_take_at_most_eight_minutes() -> None:
    assert sum(LIMITS.values()) <= EIGHT_MINUTES
    assert TOTAL_SECONDS <= EIGHT_MINUTES - 5  # the table and the summary take a little, too


def test_the_most_valuable_part_is_first_and_the_page_last() -> None:
    assert [part.name for part in PARTS[:3]] == ["correctness", "layers", "network"]
    assert [part.name for part in PARTS if part.last] == [PARTS[-1].name] == ["page"]


def test_every_part_has_a_module_that_runs_it_and_a_line() -> None:
    assert told.LINES.keys() == LIMITS.keys()
    for part in PARTS:
        assert callable(importlib.import_module(f"benchmarks.evidence.gpu.{part.module}").run)


def test_only_one_part_uses_triton_by_the_librarys_own_variable() -> None:
    assert (TRITON_VARIABLE, NATIVE_VARIABLE) == (switch.VARIABLE, build.VARIABLE)
    assert [part.name for part in PARTS if part.triton] == ["triton"]


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_correctness_alone_computes_on_one_thread(device: str) -> None:
    assert [part.name for part in PARTS if environment(part, device).get("OMP_NUM_THREADS") == "1"] == ["correctness"]


def test_a_part_gets_its_limit_while_there_is_time() -> None:
    first, *rest = PARTS
    assert allowed_seconds(first, TOTAL_SECONDS, tuple(rest)) == first.seconds


def test_a_part_is_shortened_then_skipped_to_keep_time_for_the_page() -> None:
    first, *rest = PARTS
    page = LIMITS["page"]
    assert allowed_seconds(first, page + 20, tuple(rest)) == 20
    assert allowed_seconds(first, page + LEAST_SECONDS - 1, tuple(rest)) == 0
    assert allowed_seconds(PARTS[-1], LEAST_SECONDS, ()) == LEAST_SECONDS
    assert allowed_seconds(PARTS[-1], page + 100, ()) == page


def test_the_part_with_the_other_sizes_takes_all_time_that_is_left() -> None:
    place = next(place for place, part in enumerate(PARTS) if part.stretches)
    assert allowed_seconds(PARTS[place], 300.0, PARTS[place + 1 :]) == 300.0 - LIMITS["page"]


def blocks_of(cases: list[Case]) -> list[list[Case]]:
    return [list(block.cases) for block in blocks(cases, set(cases), 0, shuffled=False)]


def test_the_base_point_is_measured_first_and_in_training() -> None:
    first, *_ = blocks_of(cells.layers("cuda", "full"))
    base = {(case.channels, case.batch_size, case.kernel_size, case.direction, case.execution) for case in first}
    assert base == {(32, 64, 7, "forward_backward", "eager")}
    assert {case.variant for case in first} == {"separable", "full", "plain", "dseparable", "lifting"}
    assert {case.resolution for case in first if case.variant != "plain"} == {8}


def test_the_layers_are_all_those_of_the_issue() -> None:
    cases = {*cells.layers("cuda", "full"), *cells.more("cuda", "full")}
    ours = {case for case in cases if case.variant == "separable" and case.execution in ("eager", "graphed")}
    assert {case.batch_size for case in ours} == {1, 16, 64, 256}
    assert {case.resolution for case in ours} == {4, 8, 16}
    assert {case.direction for case in ours} == {"forward", "forward_backward"}
    graphed = {(case.batch_size, case.resolution) for case in ours if case.execution == "graphed"}
    assert len(graphed) == 12
    assert any(case.execution == "compiled" for case in cases)


def test_the_networks_are_the_papers_in_all_formats() -> None:
    cases = cells.network("cuda", "full")
    assert {case.dtype for case in cases} == {"float32", "tf32", "bfloat16"}
    assert {case.variant for case in cases} == {"separable", "full", "plain"}
    assert {case.execution for case in cases} == {"eager", "graphed", "compiled"}
    assert {(c.channels, c.kernel_size, c.batch_size, c.image_size) for c in cases} == {(32, 7, 64, 28)}
    assert cases[0].direction == "training_step"


@pytest.mark.parametrize("scale", ["full", "smoke"])
@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_triton_is_compared_at_cases_that_are_measured_without_it(device: str, scale: str) -> None:
    with_triton = set(cells.triton(device, scale))
    assert with_triton
    assert with_triton <= {*cells.layers(device, scale), *cells.network(device, scale)}


def test_every_peer_is_measured_beside_our_layer() -> None:
    for block in blocks_of(cells.peers("cuda", "full")):
        assert {case.implementation for case in block} >= {"gcnn_impl", "torch", "authors"}
