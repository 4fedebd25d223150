"""A study: its contenders and its checks."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from benchmarks.cases.case import InvalidCase
from benchmarks.studies.catalogue import STUDIES
from benchmarks.studies.contenders import KINDS, Contender, contenders
from benchmarks.workloads.shapes import group_of
from gcnn_impl import SeparableGroupConv2d

DIGITS = STUDIES["rotated-digits"]["standard"][0]


def test_every_h_has_four_contenders_and_plain_comes_once() -> None:
    labels = [contender.label for contender in contenders(DIGITS.kinds, (4, 8), "rotations")]
    assert labels == [
        "plain",
        "full SE(2) |H|=4",
        "separable SE(2) |H|=4",
        "dseparable SE(2) |H|=4",
        "separable Sim(2) |H|=4",
        "full SE(2) |H|=8",
        "separable SE(2) |H|=8",
        "dseparable SE(2) |H|=8",
        "separable Sim(2) |H|=8",
    ]


def test_a_kind_with_a_plus_is_the_same_network_with_augmented_images() -> None:
    found = contenders(("plain+", "plain", "averaged+", "canonical"), (4, 8), "rotations+scales")
    assert [contender.label for contender in found] == [
        "plain",
        "plain + rotations+scales",
        "averaged SE(2) |H|=4 + rotations+scales",
        "canonical SE(2) |H|=4",
        "averaged SE(2) |H|=8 + rotations+scales",
        "canonical SE(2) |H|=8",
    ]
    assert all(contenders([kind], (4,), "rotations") for kind in KINDS)


def test_a_users_network_competes_at_any_width() -> None:
    study = replace(DIGITS, own_networks=("mine:net",))
    (own,) = [contender for contender in study.contenders if contender.network]
    run = study.run(own, 7)
    assert (run.network, run.variant, run.channels, own.label) == ("mine:net", "custom", 7, "mine:net")


def test_the_parts_of_a_study_differ_in_their_images_alone() -> None:
    for name, differs in (("data-efficiency", "train_limit"), ("pose", "dataset")):
        for parts in STUDIES[name].values():
            assert len({getattr(part, differs) for part in parts}) == len(parts) > 1
            same = {replace(part, **{differs: getattr(parts[0], differs)}) for part in parts}
            assert same == {parts[0]}


def test_sim2_has_two_scales_where_there_is_room() -> None:
    sim2 = [contender for contender in contenders(DIGITS.kinds, (1, 4), "rotations") if contender.group == "SO2xRPlus"]
    assert [(contender.resolution, contender.scales) for contender in sim2] == [(1, 1), (4, 2)]


def radii(contender: Contender) -> list[float]:
    """Return the root mean square radius of the spatial kernels' energy at each scale, pixels."""
    run = DIGITS.run(contender, 3)
    group, k = group_of(run.case()), run.kernel_size
    assert group is not None
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = SeparableGroupConv2d(1, 64, k, group)
    energy = layer.generate()[-1].detach().reshape(64, -1, k, k).square().mean(0)[: contender.scales]  # one rotation
    offsets = torch.arange(k) - k // 2
    distance = offsets[:, None] ** 2 + offsets[None, :] ** 2
    return ((energy * distance).sum((1, 2)) / energy.sum((1, 2))).sqrt().tolist()


def test_sim2_kernels_reach_less_far_than_se2_at_the_small_scale_and_farther_at_the_large_one() -> None:
    (se2,) = radii(Contender("separable", "SO2", 4))
    sim2 = contenders(DIGITS.kinds, (8,), "rotations")[-1]
    small, large = radii(sim2)
    assert small < se2 < large
    assert max(radii(replace(sim2, reach=1))) < 0.8 * se2  # kernels of the same size reach less far at both scales


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("scale", ["quick", "standard", "paper"])
def test_every_study_can_run_all_its_contenders(name: str, scale: str) -> None:
    for study in STUDIES[name][scale]:
        runs = [study.run(contender, 3, seed=1) for contender in study.contenders]
        assert len({run.id for run in runs}) == len(runs)
        assert {run.budget for run in runs} == {study.epochs}


def test_the_standard_study_compares_four_group_sizes_with_five_seeds() -> None:
    assert DIGITS.resolutions == (1, 4, 8, 16)
    assert DIGITS.seeds == 5
    assert DIGITS.matches == ("parameters", "time")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seeds": 0}, "seeds 0"),
        ({"matches": ("weight",)}, "unknown match 'weight'; allowed: parameters, macs, time, memory, maps"),
        ({"kinds": ("dense",)}, "unknown kind 'dense'; allowed: plain, plain\\+, averaged, averaged\\+, canonical"),
        ({"own_networks": ("m:net",), "matches": ("maps",)}, "match 'maps' does not go with a user's network"),
        ({"own_networks": ("net",)}, "network 'net' is no function; allowed: package.module:factory"),
        ({"own_networks": ("/x/nets.py:net",)}, "is no function; did you mean nets:net after cd /x\\? allowed: "),
        ({"augmentation": "none"}, "unknown augmentation 'none'; allowed: rotations, scales, rotations\\+scales"),
        ({"matches": ()}, "a budget to match by"),
        ({"resolutions": (4,)}, "is none of the contenders; allowed: kinds with separable, and \\|H\\| with 8"),
        (
            {"kinds": ("plain",)},
            "separable SE\\(2\\) \\|H\\|=8, whose cost the others match, is none of the contenders",
        ),
        ({"seeds": 101}, "search seeds"),
        ({"reference": Contender("full", "SO2", 3)}, "allowed: kinds with full, and \\|H\\| with 3"),
        ({"image_size": 3}, "too small"),
    ],
)
def test_a_study_with_wrong_values_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCase, match=message):
        replace(DIGITS, **wrong)


def test_the_id_depends_on_the_fields() -> None:
    assert replace(DIGITS, epochs=13).id != DIGITS.id == replace(DIGITS).id
    assert replace(DIGITS, dropout=0.0).id != DIGITS.id
