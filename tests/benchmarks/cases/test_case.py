"""Cases have stable ids, an error names a wrong value in one line, and profiles have the documented cases."""

import dataclasses
from typing import Any

import pytest

from benchmarks.cases.case import AXES, Case, InvalidCase
from benchmarks.cases.cores import available_cores
from benchmarks.cases.profiles import PROFILES, expand, own_layer_cases, own_network_cases, profile_cases

PLAIN: dict[str, Any] = {"variant": "plain", "group": "trivial", "resolution": 1}
OTHER_VALUES: dict[str, Any] = {
    "layer": {"layer": "resnet"},
    "implementation": {"implementation": "torch"},
    "variant": {"variant": "full"},
    "group": {"group": "O2"},
    "resolution": {"resolution": 4},
    "scales": {"group": "SO2xRPlus", "scales": 2},
    "channels": {"channels": 8},
    "batch_size": {"batch_size": 1},
    "image_size": {"image_size": 14},
    "kernel_size": {"kernel_size": 7},
    "direction": {"direction": "forward_backward"},
    "kernels": {"kernels": "generated"},
    "execution": {"execution": "compiled"},
    "device": {"device": "cuda"},
    "dtype": {"dtype": "bfloat16"},
    "threads": {"threads": 2},
    "in_channels": {"layer": "resnet", "in_channels": 3},
    "num_classes": {"layer": "resnet", "num_classes": 5},
}


def test_the_id_is_the_same_on_every_machine_and_in_every_release() -> None:
    # If this id changes, every stored record is measured again. Change the id only on purpose, by bumping CASE_VERSION.
    assert Case().id == "4b12cd5c10b4"
    assert Case(layer="resnet").id == "cbaa27462d10"


def test_every_axis_changes_the_id() -> None:
    assert set(OTHER_VALUES) == set(AXES)
    ids = {Case(**values).id for values in OTHER_VALUES.values()}
    assert len(ids | {Case().id}) == len(OTHER_VALUES) + 1


def test_the_id_depends_on_the_version_of_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Case().id
    monkeypatch.setattr("benchmarks.cases.case.CASE_VERSION", 1000)
    assert Case().id != before


def test_a_case_is_hashable_and_can_be_made_from_its_fields() -> None:
    case = Case(variant="full", threads=2)
    assert Case(**case.fields()) == case  # type: ignore[arg-type]
    assert len({case, Case(variant="full", threads=2)}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        case.threads = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"variant": "dense"}, r"^unknown variant 'dense'; allowed: plain, lifting, full, separable, gseparable, "),
        ({"layer": "mlp"}, r"^unknown layer 'mlp'; allowed: conv, resnet, allcnnc, network$"),
        ({"implementation": "jax"}, r"^unknown implementation 'jax'; allowed: gcnn_impl, torch, "),
        ({"device": "tpu"}, r"^unknown device 'tpu'; allowed: cpu, cuda$"),
        ({"dtype": "int8"}, r"^unknown dtype 'int8'; allowed: float32, bfloat16, tf32$"),
        ({"resolution": 0}, r"^resolution 0 is not allowed; allowed: integers of at least 1$"),
        ({"channels": -8}, r"^channels -8 is not allowed; allowed: integers of at least 1$"),
        ({"batch_size": 0}, r"^batch_size 0 is not allowed"),
        ({"threads": True}, r"^threads True is not allowed"),
        ({"image_size": 2.5}, r"^image_size 2.5 is not allowed"),
        ({"kernel_size": 4}, r"^kernel_size 4 is even; allowed: odd integers of at least 1$"),
        ({"variant": "plain"}, r"^group 'SO2' does not go with variant 'plain'; allowed: trivial$"),
        (
            {"group": "trivial"},
            r"^group 'trivial' does not go with variant 'separable'; allowed: SO2, O2, RPlus, SO2xR",
        ),
        ({"variant": "plain", "group": "trivial"}, r"^resolution 8 does not go with group 'trivial'; allowed: 1$"),
        ({"variant": "separable2d"}, r"^group 'SO2' does not go with variant 'separable2d'; allowed: SO2xRPlus$"),
        (
            {"group": "O2", "resolution": 3},
            r"^resolution 3 does not go with group 'O2'; allowed: even integers .*2 and 4$",
        ),
        ({"group": "RPlus"}, r"^scales 1 does not go with group 'RPlus' of resolution 8; allowed: 8$"),
        ({"group": "SO2xRPlus", "scales": 3}, r"^scales 3 does not go with group 'SO2xRPlus' .*; allowed: 1, 2, 4, 8$"),
        ({"scales": 2}, r"^scales 2 does not go with group 'SO2'; allowed: 1$"),
        ({"layer": "resnet", "variant": "lifting"}, r"^variant 'lifting' does not go with layer 'resnet'"),
        ({"layer": "resnet", "image_size": 8}, r"^image_size 8 is too small for layer 'resnet'; allowed: 9 or more$"),
        ({"layer": "allcnnc", "image_size": 3}, r"^image_size 3 is too small for layer 'allcnnc'; allowed: 4 or more$"),
        (
            {"variant": "averaged"},
            r"^variant 'averaged' does not go with layer 'conv'; allowed: plain, lifting, full, ",
        ),
        (
            {"layer": "resnet", "variant": "canonical", "group": "O2"},
            r"^group 'O2' does not go with variant 'canonical'; allowed: SO2$",
        ),
        ({"in_channels": 3}, r"^in_channels 3 does not go with layer 'conv'; allowed: 1$"),
        ({"layer": "network"}, r"^layer 'network' needs implementation package.module:factory$"),
        (
            {"layer": "network", "implementation": "mine:net", "variant": "custom"},
            r"^group 'SO2' does not go with layer 'network'; allowed: trivial$",
        ),
        (
            {**PLAIN, "layer": "resnet", "implementation": "mine:net", "variant": "custom"},
            r"^layer 'resnet' does not go with implementation 'mine:net'; allowed: conv, network$",
        ),
        ({"layer": "resnet", "implementation": "torch"}, r"^layer 'resnet' does not go with implementation 'torch'"),
        ({**PLAIN, "implementation": "torch"}, r"^variant 'plain' does not go with implementation 'torch'; allowed: l"),
        (
            {"implementation": "mine:Layer"},
            r"^variant 'separable' does not go with implementation 'mine:Layer'; allowed: cu",
        ),
        ({"variant": "custom"}, r"^variant 'custom' needs implementation package.module:Class$"),
        (
            {"direction": "training_step", "kernels": "cached"},
            r"^kernels 'cached' does not go with direction 'training",
        ),
        (
            {**PLAIN, "kernels": "generated"},
            r"^kernels 'generated' does not go with fixed weights .*; allowed: cached$",
        ),
        ({"dtype": "tf32"}, r"^device 'cpu' does not go with dtype 'tf32'; allowed: cuda$"),
        ({"execution": "graphed"}, r"^device 'cpu' does not go with execution 'graphed'; allowed: cuda$"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCase, match=message):
        Case(**fields)


@pytest.mark.parametrize(
    ("fields", "kernels"),
    [
        ({}, "cached"),
        ({"direction": "forward_backward"}, "generated"),
        ({"execution": "compiled"}, "cached"),
        ({"execution": "compiled", "direction": "training_step"}, "generated"),
        ({**PLAIN, "execution": "compiled"}, "cached"),
        ({"execution": "graphed", "device": "cuda"}, "cached"),
        ({"execution": "graphed", "device": "cuda", "direction": "forward_backward"}, "generated"),
    ],
)
def test_kernels_are_cached_by_default_where_that_is_allowed(fields: dict[str, Any], kernels: str) -> None:
    assert Case(**fields).kernels == kernels


@pytest.mark.parametrize(
    ("fields", "rotations"),
    [({}, 8), ({"group": "O2"}, 4), ({"group": "RPlus", "scales": 8}, 1), ({"group": "SO2xRPlus", "scales": 4}, 2)],
)
def test_rotations_follow_from_the_other_factors_of_the_grid(fields: dict[str, Any], rotations: int) -> None:
    assert Case(**fields).rotations == rotations


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_has_every_case_once_and_every_basic_variant_in_both_directions(profile: str, device: str) -> None:
    cases = profile_cases(profile, device=(device,))
    assert len({case.id for case in cases}) == len(cases)
    assert {case.device for case in cases} == {device}
    kinds = {(case.layer, case.variant, case.direction) for case in cases if case.direction != "training_step"}
    assert len(kinds) >= 2 * (4 + 3)
    assert available_cores() in {case.threads for case in cases}


def test_the_standard_profile_has_every_value_that_a_cpu_supports() -> None:
    cases = profile_cases("standard")
    for axis, values in {
        "variant": {"gseparable", "dseparable", "dgseparable", "separable2d"},
        "implementation": {"gcnn_impl", "torch"},
        "group": {"trivial", "SO2", "O2", "RPlus", "SO2xRPlus"},
        "direction": {"forward", "forward_backward", "training_step"},
        "kernels": {"cached", "generated"},
        "execution": {"eager", "compiled"},
        "dtype": {"float32", "bfloat16"},
        "batch_size": {1, 16, 64},
        "kernel_size": {5, 7},
    }.items():
        assert {getattr(case, axis) for case in cases} >= values


def test_the_quick_profile_varies_one_axis_at_a_time_around_the_base_point() -> None:
    base = Case(variant="full", threads=1)
    cases = [c for c in profile_cases("quick", threads=(1,)) if (c.layer, c.variant) == ("conv", "full")]
    assert base in cases
    for case in cases:
        differing = [a for a in AXES if getattr(case, a) != getattr(base, a) and a not in ("direction", "kernels")]
        assert len(differing) <= 1
    assert {case.resolution for case in cases} == {2, 4, 8, 16}
    assert {case.channels for case in cases} == {8, 16, 32}
    assert {case.batch_size for case in cases} == {1, 16, 64}


def test_plain_has_no_resolution_to_vary() -> None:
    assert expand({"variant": ("plain",), "resolution": (2, 4, 8)}) == [
        Case(variant="plain", group="trivial", resolution=1)
    ]


def test_the_scales_of_a_group_without_rotations_follow_from_its_resolution() -> None:
    assert expand({"group": ("RPlus",), "resolution": (2, 4)}) == [
        Case(group="RPlus", resolution=2, scales=2),
        Case(group="RPlus", resolution=4, scales=4),
    ]


def test_a_users_layer_has_one_case_for_each_shape_and_group_of_our_layers() -> None:
    cases = [Case(**PLAIN), Case(), Case(variant="full"), Case(resolution=4), Case(layer="resnet")]
    own = own_layer_cases(cases, "mine.layers:Layer")
    assert own == [
        Case(implementation="mine.layers:Layer", variant="custom"),
        Case(implementation="mine.layers:Layer", variant="custom", resolution=4),
    ]
    with pytest.raises(InvalidCase, match="^layer 'mine' is no class; allowed: package.module:Class$"):
        own_layer_cases(cases, "mine")
    with pytest.raises(InvalidCase, match="is no class; did you mean mine:Layer after cd /tmp/x[?] allowed: "):
        own_layer_cases(cases, "/tmp/x/mine.py:Layer")
    with pytest.raises(InvalidCase, match="is no function; did you mean nets.mine:make[?] allowed: "):
        own_network_cases(cases, "nets/mine.py:make")


def test_given_values_replace_those_of_the_profile() -> None:
    cases = profile_cases("quick", resolution=(3, 5), variant=("separable", "full"), threads=(1,), device=None)
    assert {case.resolution for case in cases} == {3, 5}
    assert {case.variant for case in cases} == {"separable", "full"}


def test_a_given_layer_chooses_among_the_grids_of_the_profile() -> None:
    everything = profile_cases("quick")
    assert profile_cases("quick", layer=("resnet",)) == [case for case in everything if case.layer == "resnet"]


@pytest.mark.parametrize(
    ("profile", "values", "message"),
    [
        ("fast", {}, "^unknown profile 'fast'; allowed: quick, standard, full$"),
        ("quick", {"layer": ("mlp",)}, "^unknown layer 'mlp'"),
        # A plain case has no resolution, but 0 is refused on every axis.
        ("quick", {"variant": ("plain",), "resolution": (0,)}, "^resolution 0 is not allowed"),
        ("quick", {"layer": ("resnet",), "variant": ("lifting",)}, "^no case is left: variant 'lifting' does not go"),
        ("quick", {"layer": ()}, "^no case is left"),
    ],
)
def test_wrong_values_for_a_profile_are_refused(profile: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCase, match=message):
        profile_cases(profile, **values)


def test_a_profile_has_the_plain_convolution_of_as_many_maps_unless_its_sizes_are_asked_for() -> None:
    for device, channels in (("cpu", 16 * 8), ("cuda", 64 * 8)):
        cases = profile_cases("quick", device=(device,))
        wide = [case for case in cases if case.channels == channels]
        assert {(case.variant, case.layer, case.batch_size) for case in wide} == {
            ("plain", "conv", 16 if device == "cpu" else 64)
        }
        assert [case.direction for case in wide] == ["forward", "forward_backward"]
    assert max(case.channels for case in profile_cases("quick", resolution=(4,))) == 32
    assert max(case.channels for case in profile_cases("quick", batch_size=(1,))) == 16 * 8
