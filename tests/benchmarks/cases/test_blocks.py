"""Contenders of one shape are measured together, in a block, and one of them is measured twice."""

import dataclasses
from collections import Counter
from typing import Any

import pytest

from benchmarks.cases.blocks import Block, blocks
from benchmarks.cases.case import Case
from benchmarks.cases.profiles import own_layer_cases, own_network_cases, profile_cases

PLAIN: dict[str, Any] = {"variant": "plain", "group": "trivial", "resolution": 1}


def test_contenders_differ_in_the_compared_axes_and_plain_is_in_a_block_of_its_shape() -> None:
    cases = [
        Case(),
        Case(**PLAIN),
        Case(variant="full"),
        Case(variant="full", implementation="torch"),
        Case(group="SO2xRPlus", scales=2),
        Case(resolution=4),
        Case(kernels="generated"),
        Case(batch_size=1),
        Case(**PLAIN, batch_size=64),
    ]
    found = {frozenset(block.cases) for block in blocks(cases, set(cases), seed=0)}
    assert found == {frozenset(cases[:5]), *(frozenset([case]) for case in cases[5:])}


def test_every_missing_case_is_in_one_block_and_no_other_case_in_any() -> None:
    cases = profile_cases("standard", implementation=("gcnn_impl",))
    missing = set(cases[::3])
    counts = Counter(case for block in blocks(cases, missing, seed=1) for case in block.cases)
    assert counts == dict.fromkeys(missing, 1)


def test_a_missing_case_of_a_users_layer_is_measured_with_its_whole_block() -> None:
    cases = profile_cases("quick", resolution=(8,), batch_size=(16,), layer=("conv",))
    own = own_layer_cases(cases, "mine:Layer")
    found = blocks([*cases, *own], set(own), seed=0)
    assert {case for block in found for case in block.cases} == {*cases, *own}
    assert all(len(block.cases) > 1 for block in found)


def test_order_twins_and_ids_come_from_the_seed_alone() -> None:
    cases = profile_cases("standard")
    first, again, other = (blocks(cases, set(cases), seed) for seed in (0, 0, 1))
    assert first == again
    assert [block.cases for block in first] != [block.cases for block in other]
    assert [block.id for block in first] == [block.id for block in again]
    assert not {block.id for block in first} & {block.id for block in other}
    assert sum(block.twin == block.cases[0] for block in first if len(block.cases) > 1) < len(first) / 2


def test_a_twin_is_the_same_case_with_its_own_number() -> None:
    case, full = Case(), Case(variant="full")
    block = Block((case, full), twin=full, seed=0)
    assert sorted(number for number, _ in block.entries()) == [0, 1, 2]
    assert dict(block.entries()) == {0: case, 1: full, 2: full}
    assert block.twin_entry == 2
    orders = [tuple(dataclasses.replace(block, seed=seed).entries()) for seed in range(20)]
    assert orders == [tuple(dataclasses.replace(block, seed=seed).entries()) for seed in range(20)]
    assert len(set(orders)) > 1


def test_a_users_network_is_measured_with_the_papers_whatever_the_pass_and_the_size() -> None:
    for axes in ({"kernel_size": 7}, {"execution": "compiled"}, {"layer": "allcnnc", "image_size": 8}):
        networks = [Case(**{"layer": "resnet", **axes}), Case(**{"layer": "resnet", **axes}, **PLAIN)]
        own = own_network_cases(networks, "mine:net")
        (block,) = blocks([*networks, *own], {*networks, *own}, seed=0)
        assert set(block.cases) == {*networks, *own}


def test_a_plain_convolution_of_as_many_maps_is_measured_with_the_layers() -> None:
    cases = [Case(), Case(variant="full"), Case(**PLAIN), Case(**PLAIN, channels=128), Case(**PLAIN, channels=64)]
    found = {frozenset(block.cases) for block in blocks(cases, set(cases), seed=0)}
    assert found == {frozenset(cases[:4]), frozenset(cases[4:])}
    both = [*cases, Case(channels=128)]  # but one of the same number of channels comes first
    found = {frozenset(block.cases) for block in blocks(both, set(both), seed=0)}
    assert frozenset([both[3], both[5]]) in found


@pytest.mark.parametrize("profile", ["quick", "standard"])
@pytest.mark.parametrize("direction", ["forward", "forward_backward"])
def test_plain_takes_turns_with_the_layers_whose_times_are_multiples_of_its_own(profile: str, direction: str) -> None:
    cases = profile_cases(profile)
    base = {Case(variant=variant, direction=direction, threads=cases[0].threads) for variant in ("full", "separable")}
    (block,) = (block for block in blocks(cases, set(cases), seed=0) if base <= set(block.cases))
    (plain,) = (case for case in block.cases if case.variant == "plain" and case.channels == Case.channels)
    assert plain.direction == direction
